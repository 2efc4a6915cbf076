"""What a chat lets the assistant see: reading a wish for another mode, and judging it. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adapters.base import ConversationKind
from bot.turns.model import Chat, Consent, ConsentChange

#: Unaddressed messages remembered in `RECENT`: as it is where nobody says how many, and at most.
USUAL_MESSAGES: Final = 20
MOST_MESSAGES: Final = 50
#: For how many hours: as it is where nobody says, and at most.
USUAL_HOURS: Final = 6
MOST_HOURS: Final = 48

_WORDS = re.compile(r"[^\s.,;:!?]+")
_MODES = {mode.value: mode for mode in Consent}


class Wish(StrEnum):
    """What a `/privacy` asks for."""

    #: How it is, and what else there is.
    SHOW = "show"
    #: Another mode.
    CHANGE = "change"
    #: No longer `OFF`.
    ON = "on"
    #: That only admins may change it.
    LOCK = "lock"
    #: That any member may.
    UNLOCK = "unlock"
    #: Something there is not.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A `/privacy`, read."""

    wish: Wish
    #: With `CHANGE`.
    consent: Consent = Consent.MENTIONS
    #: With `RECENT`; 0 otherwise.
    messages: int = 0
    hours: int = 0


class Refused(StrEnum):
    """Why a wish is not carried out."""

    #: There is no such mode.
    UNCLEAR = "unclear"
    #: A number is beyond what there is.
    NUMBERS = "numbers"
    #: Only admins may change it, and this was none, or nobody can tell.
    LOCKED = "locked"
    #: Only admins may lock it.
    ADMINS_ONLY = "admins_only"
    #: The platform does not tell who is an admin.
    ADMINS_UNTOLD = "admins_untold"
    #: In a direct chat everything addresses the assistant.
    DIRECT = "direct"


def read(text: str) -> Asked:
    """Read a `/privacy` with what stands behind it."""
    words = [word.casefold() for word in _WORDS.findall(text)[1:]]
    match words:
        case []:
            return Asked(wish=Wish.SHOW)
        case ["on" | "lock" | "unlock" as word]:
            return Asked(wish=Wish(word))
        case ["recent", *numbers]:
            return _recent(numbers)
        case [word] if word in _MODES:
            return Asked(wish=Wish.CHANGE, consent=_MODES[word])
        case _:
            return Asked(wish=Wish.UNCLEAR)


def judge(chat: Chat, asked: Asked, *, by_admin: bool | None) -> ConsentChange | Refused | None:
    """Say what a wish changes, or why it does not; None where everything stays as it is.

    `by_admin` is None where the platform does not tell who is an admin.
    """
    if asked.wish is Wish.SHOW:
        return None
    if (refused := _refused(chat, asked, by_admin=by_admin)) is not None:
        return refused
    change = _changed(chat, asked)
    return None if change == _as_it_is(chat) else change


def switches_on(text: str) -> bool:
    """Tell whether a `/privacy` is the one wish that counts where the assistant is switched off."""
    return read(text).wish is Wish.ON


def _recent(numbers: list[str]) -> Asked:
    usual = (USUAL_MESSAGES, USUAL_HOURS)
    if len(numbers) > len(usual) or not all(number.isdecimal() for number in numbers):
        return Asked(wish=Wish.UNCLEAR)
    # No number that counts has more digits, and int() may refuse very long ones.
    messages, hours = (*(int(number[:9]) for number in numbers), *usual[len(numbers) :])
    return Asked(wish=Wish.CHANGE, consent=Consent.RECENT, messages=messages, hours=hours)


def _refused(chat: Chat, asked: Asked, *, by_admin: bool | None) -> Refused | None:
    if asked.wish is Wish.UNCLEAR:
        return Refused.UNCLEAR
    if chat.kind is ConversationKind.DIRECT and not _is_for_direct(asked):
        return Refused.DIRECT
    if asked.wish in (Wish.LOCK, Wish.UNLOCK):
        return _refused_lock(by_admin=by_admin)
    if chat.consent_locked and not by_admin:
        return Refused.LOCKED
    is_recent = asked.consent is Consent.RECENT
    if is_recent and not (1 <= asked.messages <= MOST_MESSAGES and 1 <= asked.hours <= MOST_HOURS):
        return Refused.NUMBERS
    return None


def _is_for_direct(asked: Asked) -> bool:
    return asked.wish is Wish.ON or (asked.wish is Wish.CHANGE and asked.consent is Consent.OFF)


def _refused_lock(*, by_admin: bool | None) -> Refused | None:
    if by_admin is None:
        return Refused.ADMINS_UNTOLD
    return None if by_admin else Refused.ADMINS_ONLY


def _changed(chat: Chat, asked: Asked) -> ConsentChange:
    locked = chat.consent_locked if asked.wish in (Wish.CHANGE, Wish.ON) else asked.wish is Wish.LOCK
    if asked.wish is Wish.CHANGE:
        return ConsentChange(
            consent=asked.consent,
            recent_messages=asked.messages,
            recent_hours=asked.hours,
            locked=locked,
        )
    if asked.wish is Wish.ON and chat.consent is Consent.OFF:
        return ConsentChange(consent=Consent.MENTIONS, locked=locked)
    return ConsentChange(
        consent=chat.consent,
        recent_messages=chat.recent_messages,
        recent_hours=chat.recent_hours,
        locked=locked,
    )


def _as_it_is(chat: Chat) -> ConsentChange:
    return ConsentChange(
        consent=chat.consent,
        recent_messages=chat.recent_messages,
        recent_hours=chat.recent_hours,
        locked=chat.consent_locked,
    )
