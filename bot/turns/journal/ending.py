"""Ending the turns of a chat that are to be forgotten, and taking the others out of their holders' hands."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, literal_column, select, update

from bot.clock import Clock
from bot.store.ids import Ids
from bot.store.transaction import Transaction
from bot.turns.journal.finding import IN_CHAT, PERSON
from bot.turns.journal.notice_rows import notice_row
from bot.turns.journal.rows import ADD_NOTICES, OPEN, UNFINISHED, turns
from bot.turns.model import NoticeKind, TurnState
from bot.turns.notice_texts import NOTICES

_HELD = select(turns.c.id).where(IN_CHAT, UNFINISHED, turns.c.held)
# Whoever holds one of them can store and send nothing more: the row carries a higher token.
_TAKE_AWAY = (
    update(turns)
    .where(IN_CHAT, UNFINISHED)
    .values(fence=func.coalesce(turns.c.fence, literal_column("0")) + 1, held=False)
)
_END = (
    update(turns)
    .where(IN_CHAT, OPEN)
    .values(state=TurnState.CANCELLED.value, cancel_requested=True, restate=False)
    .returning(turns.c.id, turns.c.adapter, turns.c.sends_from, turns.c.placeholder)
)
_END_PERSONS = _END.where(turns.c.sender_id == PERSON)
_SAY_NOTHING_AGAIN = update(turns).where(IN_CHAT, turns.c.restate).values(restate=False)
_SAY_NOTHING_TO_THEM = _SAY_NOTHING_AGAIN.where(turns.c.sender_id == PERSON)


async def end_turns(
    connection: Transaction, clock: Clock, chat_id: str, sender_id: str | None = None
) -> tuple[str, ...]:
    """End what runs and waits (for one person), and take the rest out of its holders' hands; returns what was held."""
    this, these = {"chat": chat_id}, {"chat": chat_id}
    end, hush = _END, _SAY_NOTHING_AGAIN
    if sender_id is not None:
        these |= {"person": sender_id}
        end, hush = _END_PERSONS, _SAY_NOTHING_TO_THEM
    held = tuple((await connection.execute(_HELD, this)).scalars())
    await connection.execute(_TAKE_AWAY, this)
    ended = (await connection.execute(end, {**these, "finished_at": clock.now()})).all()
    if seen := _stopped(clock, chat_id, ended):
        await connection.execute(ADD_NOTICES, seen)
    await connection.execute(hush, these)
    return held


def _stopped(clock: Clock, chat_id: str, ended: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Say in their placeholders that turns were stopped: a half-written answer must not stay there."""
    ids, now = Ids(clock), clock.now()
    return [
        notice_row(
            notice_id=ids.new(),
            chat_id=chat_id,
            turn_id=turn.id,
            adapter=turn.adapter,
            sends_from=turn.sends_from,
            kind=NoticeKind.STOPPED,
            text=NOTICES[NoticeKind.STOPPED],
            reply_to=None,
            now=now,
        )
        for turn in ended
        if turn.placeholder is not None
    ]
