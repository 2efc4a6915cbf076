"""From a turn and what the chat remembers to a prompt that fits: there always is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.chat.budget import MESSAGE_TOKENS, Limits, cut, likely_tokens, most_tokens
from bot.chat.front import Front, fitting_front, most_chars
from bot.chat.plain import cleaned
from bot.chat.prompt import Persona, build, user_message
from bot.chat.recent import recent_text
from bot.chat.shorten import LeftOut, longest_text, shorten, shorten_turn
from bot.turns.model import Background, Exchange, Summary, Turn
from engine.base import ChatMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A prompt, and what has to be remembered of its making."""

    messages: tuple[ChatMessage, ...]
    #: The user's message as it stands in the prompt: store exactly this.
    user_text: str
    #: The longest reply to ask for, in tokens.
    reply_tokens: int
    #: Where the chat's memory begins from this turn on; None where nothing was cut.
    context_from: int | None
    #: With a cut: up to which `ord` the summary goes that takes its place now; None where none was ready.
    takes_summary: int | None
    #: What the person must be told: how much of a too long message was left out.
    note: str | None


def assemble(
    turn: Turn,
    exchanges: Sequence[Exchange],
    *,
    persona: Persona,
    limits: Limits,
    background: Background | None = None,
    strict: bool = False,
) -> Assembled:
    """Build a turn's prompt within the limits: shorten an over-long message, then cut the oldest exchanges.

    With a cut, and only then, the summary that waits takes the place of the older one. `strict` counts a token a
    byte: for the second try after the engine found the first prompt too long. That fits whatever the language,
    at the price of memory.
    """
    count = most_tokens if strict else likely_tokens
    if strict:
        # What the engine counted before may have been another model's count.
        exchanges = [replace(exchange, tokens=None) for exchange in exchanges]
    known = background or Background()
    before, after = _fronts(known, persona, limits, count)
    # A quarter stays free, so that a giant message does not push itself out of memory with the next one.
    room = (limits.prompt_tokens - max(before.tokens, after.tokens)) * 3 // 4
    user_text, left_out = _fitting_message(turn, room, count)
    context_from = cut(
        exchanges,
        turn_ord=turn.ord,
        system=before.tokens,
        system_after=after.tokens,
        new=count(user_text) + MESSAGE_TOKENS,
        high_water=limits.prompt_tokens,
        count=count,
    )
    front = before if context_from is None else after
    stay = [one for one in exchanges if context_from is None or one.ord >= context_from]
    takes = known.next_summary if context_from is not None else None
    return Assembled(
        messages=build(front.system, stay, user_text, background=front.background),
        user_text=user_text,
        reply_tokens=limits.reply_tokens,
        context_from=context_from,
        takes_summary=takes.ord if takes else None,
        note=left_out.note(),
    )


def _fronts(
    known: Background, persona: Persona, limits: Limits, count: Callable[[str], int]
) -> tuple[Front, Front]:
    """Render what the prompt begins with as it is, and as it would be behind a cut."""

    def front(summary: Summary | None) -> Front:
        text = summary.text if summary else ""
        return fitting_front(persona, card=known.card, summary=text, limits=limits, count=count)

    before = front(known.summary)
    return before, front(known.next_summary) if known.next_summary else before


def _fitting_message(turn: Turn, most: int, count: Callable[[str], int]) -> tuple[str, LeftOut]:
    """Render the user's message behind what was said before it to nobody, which takes a third of the room at most."""
    recent = recent_text(turn.recent, most // 3, count)
    text, left_out = _fitting_said(turn, most - count(recent), count)
    return recent + text, left_out


def _fitting_said(turn: Turn, most: int, count: Callable[[str], int]) -> tuple[str, LeftOut]:
    """Render the user's message in at most `most` tokens, leaving out the middle of long texts if it must."""
    whole = user_message(turn)
    if count(whole) <= most:
        return whole, LeftOut()
    chars = most_chars(
        longest_text(turn), lambda chars: count(user_message(shorten_turn(turn, chars)[0])) <= most
    )
    if chars is not None:
        shortened, left_out = shorten_turn(turn, chars)
        return user_message(shortened), left_out
    return _newest_said(turn, most, count)


def _newest_said(turn: Turn, most: int, count: Callable[[str], int]) -> tuple[str, LeftOut]:
    """Render the newest messages of so many, or of so long names, that their marks alone are too much together."""

    def fits(number: int) -> bool:
        return not number or count(user_message(shorten_turn(_newest(turn, number), 0)[0])) <= most

    number = most_chars(len(turn.said), fits)
    if number:
        text, left_out = _fitting_said(_newest(turn, number), most, count)
        older = sum(len(one.text) + len(one.quoted_text) for one in turn.said[:-number])
        return text, LeftOut(total=left_out.total + older, gone=left_out.gone + older)
    # Not even one mark fits: plain words then, as half a mark could name another.
    plain = cleaned(user_message(_newest(turn, 1)))
    chars = most_chars(len(plain), lambda chars: count(shorten(plain, chars)[0]) <= most) or 0
    text, gone = shorten(plain, chars)
    return text, LeftOut(total=len(plain), gone=gone)


def _newest(turn: Turn, number: int) -> Turn:
    return replace(turn, said=turn.said[-number:])
