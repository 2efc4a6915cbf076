"""Finishing: how a turn leaves a worker's hands, for good or for another try."""

from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase, fenced, fenced_update, in_states
from bot.turns.journal.plan import notice_row
from bot.turns.journal.reply import CHANGE_CONTEXT, STORED
from bot.turns.journal.rows import ADD_NOTICES, OPEN, inbounds, reply_parts, turns
from bot.turns.model import UNFINISHED, NoticeKind, Turn, TurnState

#: States in which a stalled worker's late edit may stand over a final text.
RESTATABLE = (*UNFINISHED, TurnState.SENT)
#: As much of an error as the record keeps.
_ERROR_CHARS = 255

_FROM_ANY = fenced_update(TurnState)
_FROM_WAITING = fenced_update((TurnState.WAITING,))
_FROM_UNFINISHED = fenced_update(UNFINISHED)
_FROM_STORED = fenced_update(STORED)
_CHARGE = fenced_update(RESTATABLE).values(attempts=turns.c.attempts + 1)
_RESTATED = fenced_update((TurnState.SENT,), turns.c.held)
_MARK_RESTATE = (
    update(turns)
    .where(turns.c.id == bindparam("turn"), in_states(RESTATABLE))
    .values(restate=True, held=False)
)
_ASK_TO_CANCEL = (
    update(turns)
    .where(turns.c.chat_id == bindparam("chat"), OPEN, turns.c.state == TurnState.WAITING.value)
    .values(cancel_requested=True)
    .returning(turns.c.id)
)
_CANCEL_ASKED = select(turns.c.cancel_requested).where(turns.c.id == bindparam("turn"))
_UNSENT_PARTS = (
    select(func.count())
    .select_from(reply_parts)
    .where(reply_parts.c.turn_id == bindparam("turn"), reply_parts.c.message.is_(None))
)
_NEWEST_MESSAGE = (
    select(inbounds.c.message)
    .where(inbounds.c.turn_id == bindparam("turn"))
    .order_by(inbounds.c.id.desc())
    .limit(1)
)


class Finishing(JournalBase):
    """How a turn ends, or is given back."""

    async def finish(self, turn: Turn) -> None:
        """Write down that every part arrived: the turn is `sent`. Raises `Fenced`."""
        async with self._database.write() as connection:
            await fenced(connection, _FROM_STORED, turn, **_ended(TurnState.SENT, self._clock.now()))
            if missing := (await connection.execute(_UNSENT_PARTS, {"turn": turn.id})).scalar_one():
                raise ValueError(f"turn {turn.id} cannot be finished: {missing} parts were not sent")

    async def release(self, turn: Turn) -> None:
        """Give a turn back, uncharged. Raises `Fenced`."""
        await self._update_fenced(_FROM_ANY, turn, held=False)

    async def fail(self, turn: Turn, error: str, not_before: datetime) -> None:
        """Charge a failed attempt and give the turn back until an instant. Raises `Fenced`.

        `error` is for operators: a class and ids, never what people wrote.
        """
        await self._update_fenced(
            _CHARGE,
            turn,
            held=False,
            last_error=error[:_ERROR_CHARS],
            not_before=not_before,
        )

    async def give_up(self, turn: Turn, state: TurnState, kind: NoticeKind, text: str) -> None:
        """End a turn as `dead` or `refused` and store the notice that says so, together. Raises `Fenced`."""
        if state not in (TurnState.DEAD, TurnState.REFUSED):
            raise ValueError(f"a turn is given up as dead or refused, not as {state.value}")
        change = _FROM_WAITING if state is TurnState.REFUSED else _FROM_UNFINISHED
        async with self._database.write() as connection:
            if turn.state is not TurnState.WAITING:
                # A stored reply that is given up leaves the context.
                (await connection.execute(CHANGE_CONTEXT, {"chat": turn.chat.id})).one()
            await fenced(connection, change, turn, **_ended(state, self._clock.now()), restate=False)
            await self._add_notice(connection, turn, kind, text)

    async def cancel(self, turn: Turn, text: str | None) -> None:
        """End a waiting turn as `cancelled`, with a notice if there is something to say. Raises `Fenced`."""
        async with self._database.write() as connection:
            ended = _ended(TurnState.CANCELLED, self._clock.now())
            await fenced(connection, _FROM_WAITING, turn, **ended, restate=False)
            if text is not None:
                await self._add_notice(connection, turn, NoticeKind.STOPPED, text)

    async def mark_restate(self, turn_id: str) -> None:
        """Have the final text edited in once more: a late edit may stand. Needs no token; put the chat."""
        # Taking the row out of its holder's hands makes a `clear_restate` under way start over.
        async with self._database.write() as connection:
            await connection.execute(_MARK_RESTATE, {"turn": turn_id})

    async def clear_restate(self, turn: Turn) -> None:
        """Write down that the final text stands again. Raises `Fenced`, also when it was marked anew."""
        await self._update_fenced(_RESTATED, turn, restate=False, held=False)

    async def request_cancel(self, chat_id: str) -> list[str]:
        """Ask to cancel everything that waits or runs in a chat; return those turns. Safe to repeat."""
        async with self._database.write() as connection:
            return sorted((await connection.execute(_ASK_TO_CANCEL, {"chat": chat_id})).scalars())

    async def cancel_requested(self, turn_id: str) -> bool:
        """Tell whether somebody asked to cancel a turn."""
        async with self._database.read() as connection:
            return bool((await connection.execute(_CANCEL_ASKED, {"turn": turn_id})).scalar_one_or_none())

    async def _add_notice(self, connection: Transaction, turn: Turn, kind: NoticeKind, text: str) -> None:
        newest = await connection.execute(_NEWEST_MESSAGE, {"turn": turn.id})
        row = notice_row(
            notice_id=self._ids.new(),
            chat_id=turn.chat.id,
            turn_id=turn.id,
            adapter=turn.chat.adapter,
            sends_from=turn.sends_from.value,
            kind=kind,
            text=text,
            reply_to=newest.scalar_one_or_none(),
            now=self._clock.now(),
        )
        await connection.execute(ADD_NOTICES, [row])


def _ended(state: TurnState, now: datetime) -> dict[str, object]:
    return {"state": state.value, "finished_at": now, "held": False}
