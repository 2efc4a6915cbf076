"""Cancelling: what waits ends at once, without a worker; what runs is asked to."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from adapters.base import SendsFrom
from bot.turns.journal.base import JournalBase
from bot.turns.journal.notice_rows import notice_row
from bot.turns.journal.owed import Cancelled
from bot.turns.journal.rows import ADD_NOTICES, WAITS, reply_to_of, turns
from bot.turns.model import NoticeKind, TurnState
from bot.turns.notice_texts import NOTICES

#: Takes every row that waits into this transaction's hands, so that what is held and what is not stays so.
_ASK = (
    update(turns)
    .where(turns.c.chat_id == bindparam("chat"), WAITS)
    .values(cancel_requested=True)
    .returning(turns.c.id, turns.c.held)
)
# What a turn answers is not in what _END returns: there SQLite is told no tables' names, and takes the message's
# own id for the turn's.
_END = (
    update(turns)
    .where(turns.c.chat_id == bindparam("chat"), WAITS, ~turns.c.held)
    .values(state=TurnState.CANCELLED.value, restate=False)
    .returning(
        turns.c.id,
        turns.c.ord,
        turns.c.adapter,
        turns.c.sends_from,
        turns.c.placeholder,
        turns.c.accepted_at,
    )
)
_ASKED_NOW = select(turns.c.cancel_requested).where(turns.c.id == bindparam("turn"))
_ASKED = select(turns.c.id).where(turns.c.id.in_(bindparam("ids", expanding=True)), turns.c.cancel_requested)


class Cancelling(JournalBase):
    """A person's wish to stop, in the record."""

    async def request_cancel(self, chat_id: str) -> Cancelled:
        """End everything that waits in a chat, and ask whoever holds a turn of it to cancel that. Safe to repeat.

        What waits needs no worker to end: with a full line one would come far too late.
        """
        now = self._clock.now()
        async with self._database.write() as connection:
            asked = (await connection.execute(_ASK, {"chat": chat_id})).all()
            ended = (await connection.execute(_END, {"chat": chat_id, "finished_at": now})).all()
            held = tuple(sorted(row.id for row in asked if row.held))
            if said := list(_said_of(ended, something_runs=bool(held))):
                await connection.execute(
                    ADD_NOTICES,
                    [self._stopped(chat_id, row, await reply_to_of(connection, row.id)) for row in said],
                )
        waited = ((row.id, (now - row.accepted_at).total_seconds()) for row in ended)
        return Cancelled(asked=held, ended=tuple(sorted(waited)))

    async def cancel_requested(self, turn_id: str) -> bool:
        """Tell whether somebody asked to cancel a turn."""
        async with self._database.read() as connection:
            return bool((await connection.execute(_ASKED_NOW, {"turn": turn_id})).scalar_one_or_none())

    async def cancels_requested(self, turn_ids: Sequence[str]) -> list[str]:
        """Tell which of some turns somebody asked to cancel."""
        async with self._database.read() as connection:
            return list((await connection.execute(_ASKED, {"ids": list(turn_ids)})).scalars())

    def _stopped(self, chat_id: str, row: Row[Any], reply_to: str | None) -> dict[str, Any]:
        return notice_row(
            notice_id=self._ids.new(),
            chat_id=chat_id,
            turn_id=row.id,
            adapter=row.adapter,
            sends_from=row.sends_from,
            kind=NoticeKind.STOPPED,
            text=NOTICES[NoticeKind.STOPPED],
            reply_to=reply_to,
            now=self._clock.now(),
        )


def _said_of(ended: Sequence[Row[Any]], *, something_runs: bool) -> Iterator[Row[Any]]:
    """Choose the turns whose end is said: where something of them is seen, else one word for all of them."""
    seen = [row for row in ended if row.placeholder is not None or row.sends_from == SendsFrom.OWNER.value]
    if seen or something_runs:
        yield from seen
    elif ended:
        yield max(ended, key=lambda row: row.ord)
