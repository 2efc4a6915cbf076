"""Finishing: how a turn leaves a worker's hands, for good or for another try."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, case, false, func, null, or_, select, update

from bot.store.transaction import Transaction
from bot.turns.dead_letters import TrailEvent
from bot.turns.journal.base import JournalBase, fenced, fenced_row, fenced_update, in_states
from bot.turns.journal.notice_rows import notice_row
from bot.turns.journal.reply import CHANGE_CONTEXT, STORED
from bot.turns.journal.rows import ADD_NOTICES, notices, reply_parts, reply_to_of, turns
from bot.turns.journal.trail import ERROR_CHARS, Happened, bury, note, note_again
from bot.turns.model import UNFINISHED, NoticeKind, NoticeState, Turn, TurnState

#: States in which a stalled worker's late edit may stand over a final text.
RESTATABLE = (*UNFINISHED, TurnState.SENT)
#: States that a notice tells of: it may have been edited into the turn's placeholder.
_NOTICED = (TurnState.DEAD, TurnState.REFUSED, TurnState.CANCELLED)

_FROM_ANY = fenced_update(TurnState)
_RELEASE_AND_TELL = _FROM_ANY.returning(turns.c.attempts, turns.c.state)
_FROM_WAITING = fenced_update((TurnState.WAITING,))
_FROM_UNFINISHED = fenced_update(UNFINISHED)
_FROM_STORED = fenced_update(STORED)
_CHARGE = (
    fenced_update(RESTATABLE).values(attempts=turns.c.attempts + 1).returning(turns.c.attempts, turns.c.state)
)
_RESTATED = fenced_update((TurnState.SENT,), turns.c.held)
_MARK_RESTATE = (
    update(turns)
    .where(turns.c.id == bindparam("turn"), in_states(RESTATABLE))
    # What was forgotten is not said again.
    .where(or_(turns.c.state != TurnState.SENT.value, turns.c.reply_sealed.is_not(None)))
    .values(
        restate=True,
        # Only there: a turn that somebody works on stays theirs, and ends `sent` with the mark on it.
        held=case((turns.c.state == TurnState.SENT.value, false()), else_=turns.c.held),
    )
)
_NOTICE_IS_SENT = notices.c.state == NoticeState.SENT.value
_RESTATE_NOTICE = (
    update(notices)
    .where(notices.c.turn_id == bindparam("turn"))
    .where(or_(notices.c.message.is_(None), notices.c.message == turns.c.placeholder))
    .where(turns.c.id == notices.c.turn_id, in_states(_NOTICED), turns.c.placeholder.is_not(None))
    .values(
        # One that is being sent is said again when that is over; one that waits comes later anyway.
        restate=notices.c.state == NoticeState.SENDING.value,
        state=case((_NOTICE_IS_SENT, NoticeState.WAITING.value), else_=notices.c.state),
        claimed_until=case((_NOTICE_IS_SENT, null()), else_=notices.c.claimed_until),
    )
)
_UNSENT_PARTS = (
    select(func.count())
    .select_from(reply_parts)
    .where(reply_parts.c.turn_id == bindparam("turn"), reply_parts.c.message.is_(None))
)


class Finishing(JournalBase):
    """How a turn ends, or is given back."""

    async def finish(self, turn: Turn) -> None:
        """Write down that every part arrived: the turn is `sent`. Raises `Fenced`."""
        async with self._database.write() as connection:
            await fenced(connection, _FROM_STORED, turn, **_ended(TurnState.SENT, self._clock.now()))
            if missing := (await connection.execute(_UNSENT_PARTS, {"turn": turn.id})).scalar_one():
                raise ValueError(f"turn {turn.id} cannot be finished: {missing} parts were not sent")

    async def release(self, turn: Turn, why: str | None = None) -> None:
        """Give a turn back, uncharged. Raises `Fenced`.

        `why` goes into its trail: the class of the error for which it has to wait.
        """
        if why is None:
            await self._update_fenced(_FROM_ANY, turn, held=False)
            return
        async with self._database.write() as connection:
            row = await fenced_row(connection, _RELEASE_AND_TELL, turn, held=False)
            postponed = _happened(turn, TrailEvent.POSTPONED, row, why)
            await note_again(connection, self._clock.now(), postponed)

    async def fail(self, turn: Turn, error: str, not_before: datetime) -> None:
        """Charge a failed attempt and give the turn back until an instant. Raises `Fenced`.

        `error` is for operators: a class and ids, never what people wrote.
        """
        given_back = {"held": False, "last_error": error[:ERROR_CHARS], "not_before": not_before}
        async with self._database.write() as connection:
            row = await fenced_row(connection, _CHARGE, turn, **given_back)
            failed = _happened(turn, TrailEvent.FAILED, row, error, counted=True)
            await note(connection, self._clock.now(), failed)

    async def give_up(
        self,
        turn: Turn,
        state: TurnState,
        kind: NoticeKind,
        text: str,
        *,
        error: str | None = None,
        reserved_s: float = 0.0,
    ) -> None:
        """End a turn as `dead` or `refused` and store the notice that says so, together. Raises `Fenced`.

        What dies leaves a dead letter, by `error` where this is not the error of its last attempt. The notice is
        the caller's to send for `reserved_s` seconds, by `claim_notice_of`.
        """
        if state not in (TurnState.DEAD, TurnState.REFUSED):
            raise ValueError(f"a turn is given up as dead or refused, not as {state.value}")
        change = _FROM_WAITING if state is TurnState.REFUSED else _FROM_UNFINISHED
        async with self._database.write() as connection:
            if turn.state is not TurnState.WAITING:
                # A stored reply that is given up leaves the context.
                (await connection.execute(CHANGE_CONTEXT, {"chat": turn.chat.id})).one()
            now = self._clock.now()
            if state is TurnState.DEAD:
                await bury(connection, now, turn.id, error)
            await fenced(connection, change, turn, **_ended(state, now), restate=False)
            await self._add_notice(connection, turn, kind, text, reserved_s)

    async def cancel(self, turn: Turn, text: str | None, *, reserved_s: float = 0.0) -> None:
        """End a waiting turn as `cancelled`, with a notice if there is something to say. Raises `Fenced`.

        The notice is the caller's to send for `reserved_s` seconds, by `claim_notice_of`.
        """
        async with self._database.write() as connection:
            ended = _ended(TurnState.CANCELLED, self._clock.now())
            await fenced(connection, _FROM_WAITING, turn, **ended, restate=False)
            if text is not None:
                await self._add_notice(connection, turn, NoticeKind.STOPPED, text, reserved_s)

    async def mark_restate(self, turn_id: str) -> None:
        """Have the final text edited in once more: a late edit may stand. Needs no token; put the chat.

        Where the turn ended with a notice in its placeholder, the notice is said there again.
        """
        # Taking a sent row out of its holder's hands makes a `clear_restate` under way start over.
        async with self._database.write() as connection:
            marked = await connection.execute(_MARK_RESTATE, {"turn": turn_id})
            if marked.rowcount == 0:
                await connection.execute(_RESTATE_NOTICE, {"turn": turn_id})

    async def clear_restate(self, turn: Turn) -> None:
        """Write down that the final text stands again. Raises `Fenced`, also when it was marked anew."""
        await self._update_fenced(_RESTATED, turn, restate=False, held=False)

    async def _add_notice(
        self, connection: Transaction, turn: Turn, kind: NoticeKind, text: str, reserved_s: float
    ) -> None:
        now = self._clock.now()
        row = notice_row(
            notice_id=self._ids.new(),
            chat_id=turn.chat.id,
            turn_id=turn.id,
            adapter=turn.chat.adapter,
            sends_from=turn.sends_from.value,
            kind=kind,
            text=text,
            reply_to=await reply_to_of(connection, turn.id),
            now=now,
        )
        # A first claim that leaves no doubt when it runs out: nothing is sent under it before `claim_notice_of`.
        claimed_until = now + timedelta(seconds=reserved_s) if reserved_s else None
        await connection.execute(ADD_NOTICES, [{**row, "claimed_until": claimed_until}])


def _happened(turn: Turn, event: TrailEvent, row: Row[Any], error: str, *, counted: bool = False) -> Happened:
    return Happened(
        turn_id=turn.id,
        event=event,
        state=row.state,
        attempts=row.attempts,
        counted=counted,
        token=turn.token,
        error=error,
    )


def _ended(state: TurnState, now: datetime) -> dict[str, object]:
    return {"state": state.value, "finished_at": now, "held": False}
