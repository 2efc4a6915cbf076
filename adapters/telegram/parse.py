"""From an update of Telegram's to what it means to the core. Pure."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters.base import ConversationMoved, Edited, Inbound, MembershipChanged, StopRequested
from adapters.errors import MalformedEvent
from adapters.telegram.identity import Me
from adapters.telegram.parse_happenings import (
    InlineQuery,
    Press,
    chosen,
    inline_query,
    moved,
    movements,
    own_membership,
    press,
    stopped,
)
from adapters.telegram.parse_message import guest_inbound, inbound
from adapters.telegram.parse_people import Wire, number

TelegramEvent = Inbound | Edited | Press | InlineQuery | ConversationMoved | MembershipChanged | StopRequested
#: What an update that is none can make the readers raise.
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError)


def parse(update: object, me: Me, now: datetime, raw: bytes = b"") -> tuple[TelegramEvent, ...]:
    """Read one update; nothing comes of what is not for the core. Raises `MalformedEvent`, and nothing else."""
    try:
        if not isinstance(update, dict):
            raise TypeError("not an object")
        return tuple(_events(update, me, now))
    except _UNREADABLE as exc:
        raise MalformedEvent("the update is none of Telegram's", raw) from exc


def update_id(update: object) -> int | None:
    """Read an update's number; None for something that is no update."""
    found = update.get("update_id") if isinstance(update, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def lane_of(update: object) -> str:
    """Name what an update must keep its order with: the chat, or the person who asks inline."""
    for payload in update.values() if isinstance(update, dict) else ():
        if isinstance(payload, dict):
            message = payload.get("message", payload)
            where = message.get("chat") if isinstance(message, dict) else None
            who = payload.get("from")
            found = where if isinstance(where, dict) else who
            return str(found.get("id")) if isinstance(found, dict) else ""
    return ""


def _events(update: Wire, me: Me, now: datetime) -> Iterator[TelegramEvent]:
    for kind, payload in update.items():
        if (read := _READERS.get(kind)) is not None and payload is not None:
            yield from read(payload, update, me, now)


def _message(message: Wire, _update: Wire, me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    if (migrated := moved(message, me)) is not None:
        yield migrated
    yield from movements(message, me)
    if (event := inbound(message, me)) is not None:
        yield event


def _edited(message: Wire, _update: Wire, me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    if (event := inbound(message, me)) is not None:
        yield Edited(inbound=event)


def _guest(message: Wire, _update: Wire, me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    if (event := guest_inbound(message, me)) is not None:
        yield event


def _press(query: Wire, _update: Wire, me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    yield press(query, me)


def _inline(query: Wire, _update: Wire, _me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    yield inline_query(query)


def _chosen(result: Wire, _update: Wire, me: Me, now: datetime) -> Iterator[TelegramEvent]:
    if (event := chosen(result, me, now)) is not None:
        yield event


def _own(change: Wire, update: Wire, me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    if (event := own_membership(number(update["update_id"]), change, me)) is not None:
        yield event


def _stopped(generation: Wire, _update: Wire, me: Me, _now: datetime) -> Iterator[TelegramEvent]:
    if (event := stopped(generation, me)) is not None:
        yield event


_Reader = Callable[[Any, Wire, Me, datetime], Iterator[TelegramEvent]]
_READERS: Mapping[str, _Reader] = {
    "message": _message,
    "edited_message": _edited,
    "guest_message": _guest,
    "callback_query": _press,
    "inline_query": _inline,
    "chosen_inline_result": _chosen,
    "my_chat_member": _own,
    "stopped_message_generation": _stopped,
}
#: What is asked for by name: without that, Telegram leaves some of it out.
ALWAYS = ("message", "edited_message", "callback_query", "my_chat_member")


def kinds_wanted(*, drafts: bool, inline: bool, guest: bool) -> tuple[str, ...]:
    """List the kinds of updates to ask for."""
    wanted = list(ALWAYS)
    wanted += ["stopped_message_generation"] * drafts
    wanted += ["inline_query", "chosen_inline_result"] * inline
    return tuple(wanted + ["guest_message"] * guest)
