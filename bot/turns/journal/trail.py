"""The trail: what happened to a turn's attempts, written in the transaction in which it happened."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from bot.store.transaction import Transaction
from bot.turns.dead_letters import TrailEvent
from bot.turns.journal.rows import dead_letters, trail, turns
from bot.turns.model import TurnState

#: As much of an error as the record keeps.
ERROR_CHARS = 255
_REASON_CHARS = 64
#: Kept as the error of a turn whose worker was lost.
LEASE_EXPIRED = "LeaseExpired: the worker died or stood still past its lease"
LEASE_ERASED = "LeaseErased: the schedule was lost, and the lease with it"

_ADD = insert(trail)
_AGAIN = (
    update(trail)
    .where(trail.c.turn_id == bindparam("turn"), trail.c.event == bindparam("what"))
    .where(trail.c.error == bindparam("why"), trail.c.attempts == bindparam("failed"))
    .values(times=trail.c.times + 1)
)
_DYING = select(
    turns.c.chat_id,
    turns.c.adapter,
    turns.c.state,
    turns.c.attempts,
    turns.c.fence,
    turns.c.last_error,
    turns.c.accepted_at,
).where(turns.c.id == bindparam("turn"))
_ADD_LETTER = insert(dead_letters)
_DIED_AGAIN = update(dead_letters).where(dead_letters.c.turn_id == bindparam("turn"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One thing to write down about a turn."""

    turn_id: str
    event: TrailEvent
    state: str
    attempts: int
    counted: bool = False
    token: int | None = None
    error: str | None = None


async def note(connection: Transaction, now: datetime, happened: Happened) -> None:
    """Write down what happened to a turn."""
    await connection.execute(_ADD, _row(now, happened))


async def note_again(connection: Transaction, now: datetime, happened: Happened) -> None:
    """Write down what may happen every second for hours: the same again only counts up."""
    same = {
        "turn": happened.turn_id,
        "what": happened.event.value,
        "why": happened.error,
        "failed": happened.attempts,
    }
    changed = await connection.execute(_AGAIN, {**same, "token": happened.token, "last_at": now})
    if changed.rowcount == 0:
        await note(connection, now, happened)


async def bury(connection: Transaction, now: datetime, turn_id: str, error: str | None = None) -> None:
    """Write the dead letter of a turn, exactly as it stands; call before its state changes, in the same transaction."""
    row = (await connection.execute(_DYING, {"turn": turn_id})).one()
    error = (error or row.last_error or "Unknown")[:ERROR_CHARS]
    died = {
        "reason": reason_of(error),
        "error": error,
        "state": row.state,
        "attempts": row.attempts,
        "token": row.fence,
        "died_at": now,
        "requeued_at": None,
        "discarded_at": None,
    }
    if (await connection.execute(_DIED_AGAIN, {"turn": turn_id, **died})).rowcount == 0:
        first = {"turn_id": turn_id, "chat_id": row.chat_id, "adapter": row.adapter, "requeues": 0, **died}
        await connection.execute(_ADD_LETTER, {**first, "accepted_at": row.accepted_at})
    given_up = Happened(
        turn_id=turn_id,
        event=TrailEvent.GIVEN_UP,
        state=row.state,
        attempts=row.attempts,
        token=row.fence,
        error=error,
    )
    await note(connection, now, given_up)


def reason_of(error: str) -> str:
    """Name an error's class, as `describe` put it in front."""
    return (error.split(maxsplit=1) or ["Unknown"])[0].rstrip(":")[:_REASON_CHARS]


def _row(now: datetime, happened: Happened) -> dict[str, object]:
    return {
        "turn_id": happened.turn_id,
        "event": happened.event.value,
        "state": TurnState(happened.state).value,
        "attempts": happened.attempts,
        "counted": happened.counted,
        "token": happened.token,
        "error": happened.error[:ERROR_CHARS] if happened.error else None,
        "times": 1,
        "first_at": now,
        "last_at": now,
    }
