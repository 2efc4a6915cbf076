"""Finishing: how a turn leaves a worker's hands, for good or for another try."""

from datetime import datetime

from sqlalchemy import exists, func, insert, select, update

from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase, fenced
from bot.turns.journal.plan import notice_row
from bot.turns.journal.reply import STORED
from bot.turns.journal.rows import OPEN, chats, inbounds, notices, reply_parts, turns
from bot.turns.model import UNFINISHED, NoticeKind, Turn, TurnState

#: States in which a stalled worker's late edit may stand over a final text.
RESTATABLE = (*UNFINISHED, TurnState.SENT)
#: As much of an error as the record keeps.
_ERROR_CHARS = 255


class Finishing(JournalBase):
    """How a turn ends, or is given back."""

    async def finish(self, turn: Turn) -> None:
        """Write down that every part arrived: the turn is `sent`. Raises `Fenced`."""
        unsent = (
            select(func.count())
            .select_from(reply_parts)
            .where(reply_parts.c.turn_id == turn.id, reply_parts.c.message.is_(None))
        )
        async with self._database.write() as connection:
            await fenced(connection, turn, STORED, **_ended(TurnState.SENT, self._clock.now()))
            if missing := (await connection.execute(unsent)).scalar_one():
                raise ValueError(f"turn {turn.id} cannot be finished: {missing} parts were not sent")

    async def release(self, turn: Turn) -> None:
        """Give a turn back, uncharged. Raises `Fenced`."""
        await self._update_fenced(turn, TurnState, held=False)

    async def fail(self, turn: Turn, error: str, not_before: datetime) -> None:
        """Charge a failed attempt and give the turn back until an instant. Raises `Fenced`.

        `error` is for operators: a class and ids, never what people wrote.
        """
        await self._update_fenced(
            turn,
            RESTATABLE,
            attempts=turns.c.attempts + 1,
            held=False,
            last_error=error[:_ERROR_CHARS],
            not_before=not_before,
        )

    async def give_up(self, turn: Turn, state: TurnState, kind: NoticeKind, text: str) -> None:
        """End a turn as `dead` or `refused` and store the notice that says so, together. Raises `Fenced`."""
        if state not in (TurnState.DEAD, TurnState.REFUSED):
            raise ValueError(f"a turn is given up as dead or refused, not as {state.value}")
        from_states = (TurnState.WAITING,) if state is TurnState.REFUSED else UNFINISHED
        async with self._database.write() as connection:
            if turn.state is not TurnState.WAITING:
                await _recount_context(connection, turn)
            await fenced(connection, turn, from_states, **_ended(state, self._clock.now()), restate=False)
            await self._add_notice(connection, turn, kind, text)

    async def cancel(self, turn: Turn, text: str | None) -> None:
        """End a waiting turn as `cancelled`, with a notice if there is something to say. Raises `Fenced`."""
        async with self._database.write() as connection:
            ended = _ended(TurnState.CANCELLED, self._clock.now())
            await fenced(connection, turn, (TurnState.WAITING,), **ended, restate=False)
            if text is not None:
                await self._add_notice(connection, turn, NoticeKind.STOPPED, text)

    async def mark_restate(self, turn_id: str) -> None:
        """Have the final text edited in once more: a late edit may stand. Needs no token; put the chat."""
        # Taking the row out of its holder's hands makes a `clear_restate` under way start over.
        mark = (
            update(turns)
            .where(turns.c.id == turn_id, turns.c.state.in_([state.value for state in RESTATABLE]))
            .values(restate=True, held=False)
        )
        async with self._database.write() as connection:
            await connection.execute(mark)

    async def clear_restate(self, turn: Turn) -> None:
        """Write down that the final text stands again. Raises `Fenced`, also when it was marked anew."""
        await self._update_fenced(turn, (TurnState.SENT,), turns.c.held, restate=False, held=False)

    async def request_cancel(self, chat_id: str) -> list[str]:
        """Ask to cancel everything that waits or runs in a chat; return those turns. Safe to repeat."""
        ask = (
            update(turns)
            .where(turns.c.chat_id == chat_id, OPEN, turns.c.state == TurnState.WAITING.value)
            .values(cancel_requested=True)
            .returning(turns.c.id)
        )
        async with self._database.write() as connection:
            return sorted((await connection.execute(ask)).scalars())

    async def cancel_requested(self, turn_id: str) -> bool:
        """Tell whether somebody asked to cancel a turn."""
        query = select(exists().where(turns.c.id == turn_id, turns.c.cancel_requested))
        async with self._database.read() as connection:
            return bool((await connection.execute(query)).scalar_one())

    async def _add_notice(self, connection: Transaction, turn: Turn, kind: NoticeKind, text: str) -> None:
        newest = (
            select(inbounds.c.message)
            .where(inbounds.c.turn_id == turn.id)
            .order_by(inbounds.c.id.desc())
            .limit(1)
        )
        row = notice_row(
            notice_id=self._ids.new(),
            chat_id=turn.chat.id,
            turn_id=turn.id,
            adapter=turn.chat.adapter,
            sends_from=turn.sends_from.value,
            kind=kind,
            text=text,
            reply_to=(await connection.execute(newest)).scalar_one_or_none(),
            now=self._clock.now(),
        )
        await connection.execute(insert(notices), [row])


def _ended(state: TurnState, now: datetime) -> dict[str, object]:
    return {"state": state.value, "finished_at": now, "held": False}


async def _recount_context(connection: Transaction, turn: Turn) -> None:
    """Count the change of memory: a stored reply that is given up leaves the context."""
    await connection.execute(
        update(chats).where(chats.c.id == turn.chat.id).values(context_version=chats.c.context_version + 1)
    )
