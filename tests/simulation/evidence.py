"""What is left of a run when it is over: what people saw, and what the record says about it."""

import sqlite3
from dataclasses import dataclass, field

from tests.simulation.schedule import Schedule
from tests.simulation.watching import Change, Mention, Watch

_TURNS = """
SELECT turns.id, turns.ord, chats.conversation, turns.state, turns.attempts, turns.cancel_requested
FROM turns JOIN chats ON chats.id = turns.chat_id ORDER BY turns.id
"""
_EVENTS = "SELECT turn_id, event_key, message FROM inbounds ORDER BY id"
_PARTS = """
SELECT turn_id, number, op_id, text_sealed, message, resent_in_doubt FROM reply_parts ORDER BY turn_id, number
"""
_NOTICES = "SELECT turn_id, op_id, message FROM notices ORDER BY id"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """One part of a stored reply."""

    number: int
    op_id: str
    text: str
    message: str | None
    resent_in_doubt: int


@dataclass(slots=True, kw_only=True)
class StoredTurn:
    """A turn as the record has it in the end."""

    id: str
    ord: int
    conversation: str
    state: str
    attempts: int
    cancel_requested: bool
    mentions: list[int] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    parts: list[StoredPart] = field(default_factory=list)
    notice: str | None = None
    notice_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a verdict is made from."""

    schedule: Schedule
    is_quiet: bool
    ended_at_s: float
    mentions: tuple[Mention, ...]
    changes: tuple[Change, ...]
    turns: tuple[StoredTurn, ...]
    trespasses: tuple[str, ...]
    stopped_inside: frozenset[str]
    broke_off: dict[int, int]
    errors: tuple[str, ...]
    lines: tuple[tuple[float, str, str], ...]


def gather(driver: sqlite3.Connection, watch: Watch, schedule: Schedule, *, is_quiet: bool) -> Evidence:
    """Read the record, past everything that could disturb it, and what the onlooker wrote down."""
    return Evidence(
        schedule=schedule,
        is_quiet=is_quiet,
        ended_at_s=watch.now_s,
        mentions=tuple(watch.mentions.values()),
        changes=tuple(watch.changes),
        turns=tuple(_turns(driver)),
        trespasses=tuple(watch.trespasses),
        stopped_inside=frozenset(watch.stopped_inside),
        broke_off=dict(watch.broke_off),
        errors=tuple(watch.errors),
        lines=tuple(watch.lines),
    )


def _turns(driver: sqlite3.Connection) -> list[StoredTurn]:
    found = {
        row[0]: StoredTurn(
            id=row[0],
            ord=row[1],
            conversation=row[2],
            state=row[3],
            attempts=row[4],
            cancel_requested=bool(row[5]),
        )
        for row in driver.execute(_TURNS)
    }
    for turn_id, event, message in driver.execute(_EVENTS):
        found[turn_id].mentions.append(int(event.removeprefix("event-")))
        found[turn_id].messages.append(message)
    for turn_id, number, op_id, sealed, message, doubted in driver.execute(_PARTS):
        text = bytes(sealed).decode().partition("\n")[2]
        part = StoredPart(number=number, op_id=op_id, text=text, message=message, resent_in_doubt=doubted)
        found[turn_id].parts.append(part)
    for turn_id, op_id, message in driver.execute(_NOTICES):
        found[turn_id].notice, found[turn_id].notice_message = op_id, message
    return list(found.values())
