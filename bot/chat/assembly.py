"""From a turn and what the chat remembers to a prompt that fits: there always is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.chat.budget import (
    MESSAGE_TOKENS,
    OPENING_TOKENS,
    Limits,
    cut,
    likely_tokens,
    most_tokens,
)
from bot.chat.prompt import Persona, build, system_message, user_message
from bot.chat.shorten import LeftOut, longest_text, shorten, shorten_turn
from bot.turns.model import Exchange, Turn
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
    #: What the person must be told: how much of a too long message was left out.
    note: str | None


def assemble(
    turn: Turn, exchanges: Sequence[Exchange], *, persona: Persona, limits: Limits, strict: bool = False
) -> Assembled:
    """Build a turn's prompt within the limits: shorten an over-long message, then cut the oldest exchanges.

    `strict` counts a token a byte: for the second try after the engine found the first prompt too long. That
    fits whatever the language, at the price of memory.
    """
    count = most_tokens if strict else likely_tokens
    if strict:
        # What the engine counted before may have been another model's count.
        exchanges = [replace(exchange, tokens=None) for exchange in exchanges]
    system = _fitting_system(persona, limits, count)
    fixed = likely_tokens(system) + MESSAGE_TOKENS + OPENING_TOKENS
    # A quarter stays free, so that a giant message does not push itself out of memory with the next one.
    user_text, left_out = _fitting_message(turn, (limits.prompt_tokens - fixed) * 3 // 4, count)
    new = count(user_text) + MESSAGE_TOKENS
    context_from = cut(
        exchanges,
        turn_ord=turn.ord,
        system=fixed,
        new=new,
        high_water=limits.prompt_tokens,
        count=count,
    )
    stay = [one for one in exchanges if context_from is None or one.ord >= context_from]
    return Assembled(
        messages=build(system, stay, user_text),
        user_text=user_text,
        reply_tokens=limits.reply_tokens,
        context_from=context_from,
        note=left_out.note(),
    )


def _fitting_system(persona: Persona, limits: Limits, count: Callable[[str], int]) -> str:
    """Render the system message in a third of the prompt: a long character is shortened, the rules stay."""
    whole = system_message(persona)
    most = limits.prompt_tokens // 3
    if count(whole) <= most:
        return whole
    persona = _without_long_list(persona, most)
    chars = _most_chars(len(persona.character), lambda chars: count(_with_character(persona, chars)) <= most)
    return _with_character(persona, chars or 0)


def _without_long_list(persona: Persona, most: int) -> Persona:
    """Give up a list of languages that leaves no room even without a character."""
    fits = likely_tokens(_with_character(persona, 0)) <= most
    return persona if fits else replace(persona, languages=())


def _with_character(persona: Persona, most_chars: int) -> str:
    """Render the system message with a shortened character, or without one."""
    character = shorten(persona.character, most_chars)[0] if most_chars else ""
    return system_message(replace(persona, character=character))


def _fitting_message(turn: Turn, most: int, count: Callable[[str], int]) -> tuple[str, LeftOut]:
    """Render the user's message in at most `most` tokens, leaving out the middle of long texts if it must."""
    whole = user_message(turn)
    if count(whole) <= most:
        return whole, LeftOut()
    chars = _most_chars(
        longest_text(turn), lambda chars: count(user_message(shorten_turn(turn, chars)[0])) <= most
    )
    if chars is not None:
        shortened, left_out = shorten_turn(turn, chars)
        return user_message(shortened), left_out
    # So many messages, or so long names, that their marks alone are too much.
    chars = _most_chars(len(whole), lambda chars: count(shorten(whole, chars)[0]) <= most) or 0
    text, gone = shorten(whole, chars)
    return text, LeftOut(total=len(whole), gone=gone)


def _most_chars(longest: int, fits: Callable[[int], bool]) -> int | None:
    """Find the largest number below `longest` that fits, by bisection; None where not even 0 does."""
    low, high = -1, longest
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low if low >= 0 else None
