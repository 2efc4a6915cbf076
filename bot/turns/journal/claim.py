"""Claiming: SQL chooses the chat's turn, and the token that claims it fences every later change."""

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Update, and_, case, or_, select, update

from bot.errors import KeyMissing, Outranked, SealBroken
from bot.store.transaction import Transaction
from bot.turns.journal.errors import NotYet
from bot.turns.journal.finish import Finishing
from bot.turns.journal.rows import (
    CHAT_COLUMNS,
    FOR_WORKERS,
    UNFINISHED,
    chat_from,
    chats,
    inbounds,
    open_part,
    open_said,
    reply_parts,
    reply_place,
    turn_from,
    turns,
)
from bot.turns.model import NoticeKind, Turn, TurnState

logger = logging.getLogger(__name__)

#: Said when a stored message no longer opens.
UNREADABLE_TEXT = (
    "I could not read this back from my own storage, sorry. The people who run me can see that it happened."
)
_MS = timedelta(milliseconds=1)


class Claiming(Finishing):
    """How a worker comes by a turn."""

    async def claim(self, chat_id: str, token: int, epoch: str) -> Turn | None:
        """Claim the chat's oldest turn that a worker must handle, or return None when there is none.

        A claim that finds the row still held counts a failed attempt, unless the schedule was erased since.
        A turn whose stored message no longer opens becomes a dead letter with a notice, and the next one is
        claimed. Raises `NotYet`, `Outranked`, `KeyMissing` (the turn is released) and `StoreUnavailable`.
        """
        while (claimed := await self._claim_row(chat_id, token, epoch)) is not None:
            row, said, parts = claimed
            turn = turn_from(row)
            try:
                return self._open(row, said, parts)
            except SealBroken as exc:
                logger.error("turn %s cannot be read: %s", turn.id, exc)  # noqa: TRY400 - the cause says no more
                await self.give_up(turn, TurnState.DEAD, NoticeKind.FAILED, UNREADABLE_TEXT)
            except KeyMissing:
                await self.release(turn)
                raise
        return None

    async def _claim_row(
        self, chat_id: str, token: int, epoch: str
    ) -> tuple[Row[Any], list[Row[Any]], list[Row[Any]]] | None:
        async with self._database.write() as connection:
            while (candidate := await _candidate(connection, chat_id)) is not None:
                self._check(candidate, token)
                if await self._take_row(connection, candidate, token, epoch):
                    return await _read_claimed(connection, candidate.id)
            return None

    def _check(self, candidate: Row[Any], token: int) -> None:
        if candidate.fence is not None and candidate.fence >= token:
            raise Outranked(candidate.fence)
        if candidate.not_before is not None and not candidate.cancel_requested:
            delay = candidate.not_before - self._clock.now()
            if delay > timedelta():
                raise NotYet(-(-delay // _MS))

    async def _take_row(self, connection: Transaction, candidate: Row[Any], token: int, epoch: str) -> bool:
        # The row may have changed since it was read: then nothing is updated, and the choice is made anew.
        result = await connection.execute(
            _claim_update(epoch)
            .where(turns.c.id == candidate.id, or_(turns.c.fence.is_(None), turns.c.fence < token))
            .where(turns.c.state == candidate.state, turns.c.restate == candidate.restate)
            .values(fence=token, held=True, claim_epoch=epoch, claimed_at=self._clock.now(), not_before=None)
        )
        return bool(result.rowcount)

    def _open(self, row: Row[Any], said: list[Row[Any]], parts: list[Row[Any]]) -> Turn:
        chat, reply = chat_from(row), None
        if row.reply_sealed is not None:
            reply = self._vault.open(chat.key, row.reply_sealed, reply_place(chat.id, row.id))
        return turn_from(
            row,
            said=tuple(open_said(self._vault, chat, message) for message in said),
            reply=reply,
            parts=tuple(open_part(self._vault, chat, part) for part in parts),
        )


async def _candidate(connection: Transaction, chat_id: str) -> Row[*tuple[Any, ...]] | None:
    query = (
        select(
            turns.c.id,
            turns.c.state,
            turns.c.restate,
            turns.c.fence,
            turns.c.not_before,
            turns.c.cancel_requested,
        )
        .where(turns.c.chat_id == chat_id, UNFINISHED, FOR_WORKERS)
        .order_by(turns.c.ord)
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


def _claim_update(epoch: str) -> Update:
    expired = and_(turns.c.held, turns.c.claim_epoch == epoch)
    return update(turns).values(attempts=turns.c.attempts + case((expired, 1), else_=0))


async def _read_claimed(
    connection: Transaction, turn_id: str
) -> tuple[Row[Any], list[Row[Any]], list[Row[Any]]]:
    """Read the turn and its messages after the claim: nothing joins unseen."""
    whole = (
        select(turns, *CHAT_COLUMNS).join(chats, chats.c.id == turns.c.chat_id).where(turns.c.id == turn_id)
    )
    row = (await connection.execute(whole)).one()
    messages = select(inbounds).where(inbounds.c.turn_id == turn_id).order_by(inbounds.c.id)
    said = list(await connection.execute(messages))
    if row.reply_sealed is None:
        return row, said, []
    replies = select(reply_parts).where(reply_parts.c.turn_id == turn_id).order_by(reply_parts.c.number)
    return row, said, list(await connection.execute(replies))
