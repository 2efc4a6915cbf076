"""The front of a prompt, which stands before the log and seldom moves.

Persona and rules, card and summary, each within its share.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.chat.budget import MESSAGE_TOKENS, OPENING_TOKENS, Limits, likely_tokens
from bot.chat.card import fitting_card
from bot.chat.prompt import NOTED, Persona, background_message, system_message
from bot.chat.shorten import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What a prompt begins with."""

    system: str
    #: The message of card and summary; empty where there is neither.
    background: str
    #: What both take of the prompt, with what the template puts around all of it, in tokens.
    tokens: int


def fitting_front(
    persona: Persona, *, card: str, summary: str, limits: Limits, count: Callable[[str], int]
) -> Front:
    """Render the front within its shares of the prompt: a third for persona and rules, three tenths for the rest.

    The same for the same input, so that it changes only where persona, card, summary or limits do.
    """
    system = _fitting_system(persona, limits, count)
    background = _fitting_background(card, summary, limits, count)
    tokens = likely_tokens(system) + MESSAGE_TOKENS + OPENING_TOKENS + _cost(background, count)
    return Front(system=system, background=background, tokens=tokens)


def fitting_text(text: str, most: int, count: Callable[[str], int]) -> str:
    """Leave out the middle of a text so that it takes at most `most` tokens; empty where not even a mark fits."""
    if count(text) <= most:
        return text
    chars = most_chars(len(text), lambda chars: count(shorten(text, chars)[0]) <= most)
    return "" if chars is None else shorten(text, chars)[0]


def most_chars(longest: int, fits: Callable[[int], bool]) -> int | None:
    """Find the largest number below `longest` that fits, by bisection; None where not even 0 does."""
    low, high = -1, longest
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low if low >= 0 else None


def _fitting_background(card: str, summary: str, limits: Limits, count: Callable[[str], int]) -> str:
    """Render card and summary; in a prompt too small for both, the summary alone, or the card, or neither."""
    card = fitting_card(card, limits.background_tokens, count)
    summary = fitting_text(summary, limits.background_tokens, count)
    for told in ((card, summary), ("", summary), (card, "")):
        message = background_message(*told)
        if _cost(message, count) <= limits.prompt_tokens * 3 // 10:
            return message
    return ""


def _cost(background: str, count: Callable[[str], int]) -> int:
    return count(background) + count(NOTED) + 2 * MESSAGE_TOKENS if background else 0


def _fitting_system(persona: Persona, limits: Limits, count: Callable[[str], int]) -> str:
    """Render the system message in a third of the prompt: a long character is shortened, the rules stay."""
    whole = system_message(persona)
    most = limits.prompt_tokens // 3
    if count(whole) <= most:
        return whole
    persona = _without_long_list(persona, most)
    chars = most_chars(len(persona.character), lambda chars: count(_with_character(persona, chars)) <= most)
    return _with_character(persona, chars or 0)


def _without_long_list(persona: Persona, most: int) -> Persona:
    """Give up a list of languages that leaves no room even without a character."""
    fits = likely_tokens(_with_character(persona, 0)) <= most
    return persona if fits else replace(persona, languages=())


def _with_character(persona: Persona, most_chars: int) -> str:
    """Render the system message with a shortened character, or without one."""
    character = shorten(persona.character, most_chars)[0] if most_chars else ""
    return system_message(replace(persona, character=character))
