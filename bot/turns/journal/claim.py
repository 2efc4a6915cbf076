"""Claiming: SQL chooses the chat's turn, and the token that claims it fences every later change."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, String, and_, bindparam, case, exists, or_, select, update

from bot.errors import KeyMissing, Outranked, SealBroken
from bot.store.tables import UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.journal.errors import NotYet
from bot.turns.journal.finish import Finishing
from bot.turns.journal.rows import (
    CHAT_COLUMNS,
    FOR_WORKERS,
    PART_COLUMNS,
    TURN_COLUMNS,
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

_FOR_WORKERS_IN_CHAT = (turns.c.chat_id == bindparam("chat"), UNFINISHED, FOR_WORKERS)
_TOKEN, _NOW = bindparam("token", type_=BigInteger()), bindparam("now", type_=UtcDateTime())
_EPOCH = bindparam("epoch", type_=String())
_CANDIDATE = (
    select(turns.c.id, turns.c.fence, turns.c.not_before, turns.c.cancel_requested)
    .where(*_FOR_WORKERS_IN_CHAT)
    .order_by(turns.c.ord)
    .limit(1)
)
# The conditions stand twice: the row may change between being chosen and being updated.
_CLAIM = (
    update(turns)
    .where(turns.c.id == _CANDIDATE.with_only_columns(turns.c.id).correlate(None).scalar_subquery())
    .where(UNFINISHED, FOR_WORKERS, or_(turns.c.fence.is_(None), turns.c.fence < _TOKEN))
    .where(or_(turns.c.not_before.is_(None), turns.c.not_before <= _NOW, turns.c.cancel_requested))
    .values(
        attempts=turns.c.attempts + case((and_(turns.c.held, turns.c.claim_epoch == _EPOCH), 1), else_=0),
        fence=_TOKEN,
        held=True,
        claim_epoch=_EPOCH,
        claimed_at=_NOW,
        not_before=None,
    )
    .returning(turns.c.id)
)
_CLAIMED = turns.alias("claimed")
_BEHIND_IT = exists().where(
    turns.c.chat_id == _CLAIMED.c.chat_id, turns.c.ord > _CLAIMED.c.ord, UNFINISHED, FOR_WORKERS
)
_WHOLE = (
    select(
        *(_CLAIMED.c[name] for name in TURN_COLUMNS),
        *CHAT_COLUMNS,
        inbounds.c.id.label("inbound_id"),
        inbounds.c.message,
        inbounds.c.said_sealed,
        _BEHIND_IT.label("more"),
    )
    .select_from(_CLAIMED)
    .join(chats, chats.c.id == _CLAIMED.c.chat_id)
    .outerjoin(inbounds, inbounds.c.turn_id == _CLAIMED.c.id)
    .where(_CLAIMED.c.id == bindparam("turn"))
    .order_by(inbounds.c.id)
)
_PARTS = (
    select(*PART_COLUMNS).where(reply_parts.c.turn_id == bindparam("turn")).order_by(reply_parts.c.number)
)


class Claiming(Finishing):
    """How a worker comes by a turn."""

    async def claim(self, chat_id: str, token: int, epoch: str) -> Turn | None:
        """Claim the chat's oldest turn that a worker must handle, or return None when there is none.

        A claim that finds the row still held counts a failed attempt, unless the schedule was erased since.
        A turn whose stored message no longer opens becomes a dead letter with a notice, and the next one is
        claimed. Raises `NotYet`, `Outranked`, `KeyMissing` (the turn is released) and `StoreUnavailable`.
        """
        while claimed := await self._claim_row(chat_id, token, epoch):
            rows, parts = claimed
            try:
                return self._open(rows, parts)
            except SealBroken as exc:
                turn = turn_from(rows[0])
                logger.error("turn %s cannot be read: %s", turn.id, exc)  # noqa: TRY400 - the cause says no more
                await self.give_up(turn, TurnState.DEAD, NoticeKind.FAILED, UNREADABLE_TEXT)
            except KeyMissing:
                await self.release(turn_from(rows[0]))
                raise
        return None

    async def _claim_row(
        self, chat_id: str, token: int, epoch: str
    ) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]] | None:
        # A claim means nothing once power is lost: whoever claimed is gone too, and the next token is higher.
        async with self._database.write(durable=False) as connection:
            while True:
                claim = {"chat": chat_id, "token": token, "epoch": epoch, "now": self._clock.now()}
                turn_id = (await connection.execute(_CLAIM, claim)).scalar_one_or_none()
                if turn_id is not None:
                    return await _read_claimed(connection, turn_id)
                candidate = (await connection.execute(_CANDIDATE, {"chat": chat_id})).one_or_none()
                if candidate is None:
                    return None
                # If this finds nothing against it, the row has changed in between: the choice is made anew.
                self._check(candidate, token)

    def _check(self, candidate: Row[Any], token: int) -> None:
        if candidate.fence is not None and candidate.fence >= token:
            raise Outranked(candidate.fence)
        if candidate.not_before is not None and not candidate.cancel_requested:
            delay = candidate.not_before - self._clock.now()
            if delay > timedelta():
                raise NotYet(-(-delay // _MS))

    def _open(self, rows: Sequence[Row[Any]], parts: Sequence[Row[Any]]) -> Turn:
        row = rows[0]
        chat, reply = chat_from(row), None
        if row.reply_sealed is not None:
            reply = self._vault.open(chat.key, row.reply_sealed, reply_place(chat.id, row.id))
        return turn_from(
            row,
            said=tuple(open_said(self._vault, chat, said) for said in rows if said.inbound_id is not None),
            reply=reply,
            parts=tuple(open_part(self._vault, chat, part) for part in parts),
        )


async def _read_claimed(
    connection: Transaction, turn_id: str
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Read the turn, once beside each of its messages, after the claim: nothing joins unseen."""
    rows = (await connection.execute(_WHOLE, {"turn": turn_id})).all()
    if rows[0].reply_sealed is None:
        return rows, ()
    return rows, (await connection.execute(_PARTS, {"turn": turn_id})).all()
