"""Delivering: what the platform says became of messages that it had taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, String, bindparam, null, select, update

from adapters.base import Delivery, DeliveryFailure, DeliveryState
from bot.store.transaction import Transaction
from bot.turns.dead_letters import TrailEvent
from bot.turns.journal.base import JournalBase
from bot.turns.journal.reply import CHANGE_CONTEXT
from bot.turns.journal.rows import chats, notices, reply_parts, turns
from bot.turns.journal.trail import Happened, bury, note
from bot.turns.model import TurnState

#: Before what the platform could not take now is sent once more.
LATER: Final = timedelta(seconds=60)
#: What may go when it is sent once more: the adapter knows by now that the window is closed, and may have a template.
_ONCE_MORE: Final = (DeliveryFailure.WINDOW_CLOSED, DeliveryFailure.LIMITED)
#: What operators read of it: the error that a send would have raised.
_ERRORS: Final[Mapping[DeliveryFailure, str]] = {
    DeliveryFailure.WINDOW_CLOSED: "WindowClosed: the platform's window for free-form messages was over",
    DeliveryFailure.GONE: "Gone: the person blocked us, opted out, or is not there",
    DeliveryFailure.LIMITED: "RetryAfter: a limit of the platform was reached twice",
    DeliveryFailure.POLICY: "PolicyBlocked: the platform's policy forbids it",
    DeliveryFailure.REFUSED: "Rejected: the platform took it and did not deliver it",
}
_RANKS: Final = tuple(state.value for state in DeliveryState)
_STANDING: Final = (TurnState.REPLIED.value, TurnState.SENDING.value, TurnState.SENT.value)

_MESSAGE = bindparam("message", type_=String())
_OURS = (turns.c.adapter == bindparam("adapter"), chats.c.account == bindparam("account"))
_FIND = (
    select(
        turns.c.id,
        turns.c.chat_id,
        turns.c.state,
        turns.c.held,
        turns.c.attempts,
        turns.c.fence,
        chats.c.weight,
        reply_parts.c.number,
        reply_parts.c.delivery,
        reply_parts.c.failures,
    )
    .select_from(reply_parts)
    .join(turns, turns.c.id == reply_parts.c.turn_id)
    .join(chats, chats.c.id == turns.c.chat_id)
    .where(reply_parts.c.message == _MESSAGE, *_OURS)
    .limit(1)
)
_FIND_FOR_GOOD = _FIND.with_for_update(of=turns)
# A chat's row is locked before anything else of it, as accepting does.
_LOCK_CHAT = select(chats.c.id).where(chats.c.id == bindparam("chat", type_=String())).with_for_update()
_FIND_NOTICE = (
    select(notices.c.id, notices.c.delivery, notices.c.turn_id, notices.c.chat_id)
    .join(turns, turns.c.id == notices.c.turn_id)
    .join(chats, chats.c.id == notices.c.chat_id)
    .where(notices.c.message == _MESSAGE, *_OURS)
    .limit(1)
    .with_for_update(of=notices)
)
_SAY_OF_NOTICE = update(notices).where(notices.c.id == bindparam("notice"))
_SAY = update(reply_parts).where(
    reply_parts.c.turn_id == bindparam("turn"), reply_parts.c.number == bindparam("part")
)
# It is known not to have arrived: whoever sends the turn again sends this part, too.
_FAILED = _SAY.values(
    failures=reply_parts.c.failures + 1, message=null(), started_at=null(), sent_at=null(), delivery=null()
)
_TURN = update(turns).where(turns.c.id == bindparam("turn"))


class DeliveryChange(StrEnum):
    """What a report changed."""

    #: No message of ours is called so, or not yet.
    UNKNOWN = "unknown"
    #: Somebody is sending the turn's other parts: ask again in a moment.
    BUSY = "busy"
    #: It was known, or comes behind what is known.
    NOTHING = "nothing"
    #: The message came further.
    MOVED = "moved"
    #: It will not arrive, and is sent once more.
    AGAIN = "again"
    #: It will not arrive, and the turn is a dead letter.
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChanged:
    """What a report changed, and of which turn."""

    change: DeliveryChange
    turn_id: str = ""
    chat_id: str = ""
    weight: float = 1.0


UNKNOWN: Final = DeliveryChanged(change=DeliveryChange.UNKNOWN)


class Delivering(JournalBase):
    """What intake asks of the journal when a platform reports on messages of ours."""

    async def delivered(self, event: Delivery) -> DeliveryChanged:
        """Write down how far a message came; what comes late or twice changes nothing. Raises `StoreUnavailable`."""
        where = {"adapter": event.adapter, "account": event.account, "message": event.message}
        async with self._database.write() as connection:
            found = (await connection.execute(_FIND, where)).one_or_none()
            if found is None:
                return await _notice_delivered(connection, event, where)
            await connection.execute(_LOCK_CHAT, {"chat": found.chat_id})
            row = (await connection.execute(_FIND_FOR_GOOD, where)).one_or_none()
            if row is None:
                return UNKNOWN
            change = await self._changed(connection, row, event)
        return DeliveryChanged(change=change, turn_id=row.id, chat_id=row.chat_id, weight=row.weight)

    async def _changed(self, connection: Transaction, row: Row[Any], event: Delivery) -> DeliveryChange:
        if not _is_news(row.delivery, event.state):
            return DeliveryChange.NOTHING
        this = {"turn": row.id, "part": row.number}
        if event.state is not DeliveryState.FAILED:
            await connection.execute(_SAY, {**this, "delivery": event.state.value})
            return DeliveryChange.MOVED
        if row.held:
            return DeliveryChange.BUSY
        failure = event.failure or DeliveryFailure.REFUSED
        await connection.execute(_FAILED, {**this, "failure": f"{failure.value} {event.code}".strip()[:64]})
        if row.state not in _STANDING:
            # Another part of it failed before.
            return DeliveryChange.NOTHING
        if failure in _ONCE_MORE and not row.failures:
            await self._once_more(connection, row, failure)
            return DeliveryChange.AGAIN
        number = f" ({event.code})" if event.code else ""
        await self._give_up_undelivered(connection, row, _ERRORS[failure] + number)
        return DeliveryChange.DEAD

    async def _once_more(self, connection: Transaction, row: Row[Any], failure: DeliveryFailure) -> None:
        now = self._clock.now()
        values = {
            "state": TurnState.REPLIED.value,
            "finished_at": None,
            "restate": False,
            "not_before": now + LATER if failure is DeliveryFailure.LIMITED else None,
        }
        await connection.execute(_TURN, {"turn": row.id, **values})
        postponed = Happened(
            turn_id=row.id,
            event=TrailEvent.POSTPONED,
            state=TurnState.REPLIED.value,
            attempts=row.attempts,
            token=row.fence,
            error=_ERRORS[failure].split(":")[0],
        )
        await note(connection, now, postponed)

    async def _give_up_undelivered(self, connection: Transaction, row: Row[Any], error: str) -> None:
        # A reply that nobody saw leaves the context. The chat's row comes before the letter's, as everywhere.
        (await connection.execute(CHANGE_CONTEXT, {"chat": row.chat_id})).one()
        now = self._clock.now()
        await bury(connection, now, row.id, error)
        values = {"state": TurnState.DEAD.value, "finished_at": now, "restate": False}
        await connection.execute(_TURN, {"turn": row.id, **values})


async def _notice_delivered(
    connection: Transaction, event: Delivery, where: dict[str, str]
) -> DeliveryChanged:
    row = (await connection.execute(_FIND_NOTICE, where)).one_or_none()
    if row is None:
        return UNKNOWN
    if not _is_news(row.delivery, event.state):
        return DeliveryChanged(change=DeliveryChange.NOTHING)
    await connection.execute(_SAY_OF_NOTICE, {"notice": row.id, "delivery": event.state.value})
    return DeliveryChanged(change=DeliveryChange.MOVED, turn_id=row.turn_id, chat_id=row.chat_id)


def _is_news(stands: str | None, state: DeliveryState) -> bool:
    """Tell whether a state is further down the list than what stands."""
    return stands not in _RANKS or _RANKS.index(state.value) > _RANKS.index(stands)
