"""Summaries of what will leave a chat's prompts: when one is wanted, how it is asked for, what is kept of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.chat.budget import (
    MESSAGE_TOKENS,
    MOST_EXCHANGES,
    Limits,
    exchange_costs,
    likely_tokens,
)
from bot.chat.context import Context
from bot.chat.front import fitting_front, fitting_text
from bot.chat.marks import without_marks
from bot.chat.plain import cleaned
from bot.chat.prompt import Persona, build
from bot.turns.model import Exchange
from engine.base import ChatMessage

#: Turns of a chat's usual size for which there must be room still when its summary is asked for.
_TURNS_AHEAD = 4
#: Words for each token that a summary may have: a little fewer than a tokenizer makes of prose.
_WORDS_A_TOKEN = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPrompt:
    """A request for a summary: the chat's own prompt, and one message more."""

    messages: tuple[ChatMessage, ...]
    #: The `ord` of the last exchange in it: the summary stands for all up to there.
    up_to: int
    #: The longest summary to ask for, in tokens.
    most_tokens: int


def is_summary_due(context: Context, *, tokens: int, limits: Limits) -> bool:
    """Tell whether a summary is wanted behind a reply that made the prompt so many tokens long, reply included.

    That is a quarter before the high-water mark, or a few turns of this chat's size before it; not in the half that a
    cut has just left.
    """
    if context.background.next_summary is not None:
        return False
    exchanges, most = len(context.exchanges) + 1, limits.prompt_tokens
    if exchanges > MOST_EXCHANGES * 3 // 4 or tokens > most * 3 // 4:
        return True
    return tokens > most * 3 // 5 and tokens + _TURNS_AHEAD * tokens // exchanges > most


def summary_prompt(context: Context, *, persona: Persona, limits: Limits) -> SummaryPrompt | None:
    """Continue a chat's prompt with the wish for a summary, so that the engine has all but the wish in its cache.

    Where that does not fit, the newest exchanges are left out; None where none fits.
    """
    told = context.background.summary
    front = fitting_front(
        persona,
        card=context.background.card,
        summary=told.text if told else "",
        limits=limits,
        count=likely_tokens,
    )
    wish = _wish(limits.summary_tokens)
    room = limits.whole_tokens - limits.summary_tokens - likely_tokens(wish) - MESSAGE_TOKENS - front.tokens
    exchanges = _oldest(context.exchanges, front_tokens=front.tokens, room=room)
    if not exchanges:
        return None
    return SummaryPrompt(
        messages=build(front.system, exchanges, wish, background=front.background),
        up_to=exchanges[-1].ord,
        most_tokens=limits.summary_tokens,
    )


def kept_of_summary(text: str, *, is_cut: bool, limits: Limits) -> str:
    """Make of a model's summary what prompts will hold: without marks, within its share, without a torn last line.

    Empty where the model said nothing.
    """
    whole = cleaned(without_marks(text)).strip()
    lines, _, torn = whole.rpartition("\n")
    if is_cut and torn and lines.strip():
        whole = lines.rstrip()
    return fitting_text(whole, limits.background_tokens, likely_tokens)


def _oldest(exchanges: Sequence[Exchange], *, front_tokens: int, room: int) -> Sequence[Exchange]:
    total = 0
    for n, cost in enumerate(exchange_costs(exchanges, system=front_tokens, count=likely_tokens)):
        total += cost
        if total > room:
            return exchanges[:n]
    return exchanges


def _wish(most_tokens: int) -> str:
    words = max(20, round(most_tokens * _WORDS_A_TOKEN, -1))
    return (
        "‹summary wanted› Nobody in the chat reads this. Soon you will see nothing of the above but what you write "
        f"now. In at most {words:.0f} words and in the language of the chat, one line each: who said or wants what, "
        "names, dates, numbers, decisions, open questions, and what an earlier summary says of these. "
        "Write only these lines."
    )
