"""Claiming: SQL chooses the chat's turn, and the token that claims it fences every later change."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, String, and_, bindparam, exists, or_, select, update

from bot.errors import KeyMissing, Outranked, SealBroken, WrittenByNewer
from bot.store.tables import UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.dead_letters import TrailEvent
from bot.turns.journal.base import fenced_update
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
    reply_parts,
    turn_from,
    turns,
)
from bot.turns.journal.sealed import open_part, open_said, reply_place
from bot.turns.journal.trail import LEASE_ERASED, LEASE_EXPIRED, Happened, note
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
    select(
        turns.c.id,
        turns.c.fence,
        turns.c.held,
        turns.c.claim_epoch,
        turns.c.attempts,
        turns.c.not_before,
        turns.c.cancel_requested,
    )
    .where(*_FOR_WORKERS_IN_CHAT)
    .order_by(turns.c.ord)
    .limit(1)
)
_MAY_CLAIM = (
    UNFINISHED,
    FOR_WORKERS,
    or_(turns.c.fence.is_(None), turns.c.fence < _TOKEN),
    or_(turns.c.not_before.is_(None), turns.c.not_before <= _NOW, turns.c.cancel_requested),
)
_CLAIMED_BY_US = {
    "fence": _TOKEN,
    "held": True,
    "claim_epoch": _EPOCH,
    "claimed_at": _NOW,
    "not_before": None,
}
# The conditions stand twice: the row may change between being chosen and being updated.
_CLAIM = (
    update(turns)
    .where(turns.c.id == _CANDIDATE.with_only_columns(turns.c.id).correlate(None).scalar_subquery())
    .where(~turns.c.held, *_MAY_CLAIM)
    .values(_CLAIMED_BY_US)
    .returning(turns.c.id)
)
# What somebody else still holds is looked at first: its trail says what became of that hold.
_TAKE_OVER = (
    update(turns)
    .where(turns.c.id == bindparam("turn"), turns.c.fence == bindparam("lost"), turns.c.held, *_MAY_CLAIM)
    .values(_CLAIMED_BY_US)
    .returning(turns.c.attempts, turns.c.state)
)
_PUT_DOWN = fenced_update(TurnState).values(held=False)
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
    .outerjoin(inbounds, and_(inbounds.c.turn_id == _CLAIMED.c.id, ~inbounds.c.withdrawn))
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
        claimed. Raises `NotYet`, `Outranked`, `KeyMissing` and `WrittenByNewer` (the turn is released), and
        `StoreUnavailable`.
        """
        while claimed := await self._claim_row(chat_id, token, epoch):
            rows, parts = claimed
            try:
                return self._open(rows, parts)
            except SealBroken as exc:
                turn = turn_from(rows[0])
                logger.error("turn %s cannot be read: %s", turn.id, exc)  # noqa: TRY400 - the cause says no more
                broken = f"{type(exc).__name__}: {exc}"
                await self.give_up(turn, TurnState.DEAD, NoticeKind.FAILED, UNREADABLE_TEXT, error=broken)
            except KeyMissing:
                await self.release(turn_from(rows[0]))
                raise
            except WrittenByNewer as exc:
                logger.info("turn %s is left to a newer version: %s", rows[0].id, exc)
                await self._put_down(rows[0])
                raise
        return None

    async def _put_down(self, row: Row[Any]) -> None:
        """Release a row that cannot even be read as a turn; if it is no longer ours there is nothing to do."""
        async with self._database.write() as connection:
            await connection.execute(_PUT_DOWN, {"turn": row.id, "token": row.fence})

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
                if candidate.held and await self._take_over(connection, candidate, claim):
                    return await _read_claimed(connection, candidate.id)

    async def _take_over(self, connection: Transaction, held: Row[Any], claim: dict[str, Any]) -> bool:
        """Claim what another worker lost, and write down that it did.

        A lease that went with an erased schedule was lost by nobody's fault and charges nothing.
        """
        counted = held.claim_epoch == claim["epoch"]
        charged = {"attempts": held.attempts + 1, "last_error": LEASE_EXPIRED} if counted else {}
        claimed = {name: claim[name] for name in ("token", "epoch", "now")}
        taken = {"turn": held.id, "lost": held.fence, **claimed, **charged}
        row = (await connection.execute(_TAKE_OVER, taken)).one_or_none()
        if row is None:
            return False
        lapsed = Happened(
            turn_id=held.id,
            event=TrailEvent.LAPSED,
            state=row.state,
            attempts=row.attempts,
            counted=counted,
            token=held.fence,
            error=LEASE_EXPIRED if counted else LEASE_ERASED,
        )
        await note(connection, claim["now"], lapsed)
        return True

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
