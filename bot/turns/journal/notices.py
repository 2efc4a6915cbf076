"""Owing: replies that an owner sends, notices, and first signs, recovered like replies after any crash."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, insert, or_, select, update

from adapters.base import SendsFrom
from bot.errors import SealBroken
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.owed import OwedNotice, OwedReply, UnsignedTurn
from bot.turns.journal.plan import notice_row
from bot.turns.journal.reply import STORED
from bot.turns.journal.rows import (
    CHAT_COLUMNS,
    NOTICE_OWED,
    OPEN,
    OWED_BY_OWNER,
    chat_from,
    chats,
    inbounds,
    notices,
    open_part,
    reply_parts,
    turns,
)
from bot.turns.model import NoticeKind, NoticeState, TurnState

logger = logging.getLogger(__name__)

#: Said in place of a stored reply that no longer opens.
UNREADABLE_REPLY_TEXT = (
    "I had an answer to this and could not read it back from my own storage, sorry. Please ask again."
)
#: The newest message of a turn: what its reply quotes.
_REPLY_TO = (
    select(inbounds.c.message)
    .where(inbounds.c.turn_id == turns.c.id)
    .order_by(inbounds.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("reply_to")
)


class Owing(JournalBase):
    """What must reach people besides what a worker sends itself."""

    async def owed(self, adapter: str, limit: int) -> list[OwedReply | OwedNotice]:
        """Read what an adapter's owner must send, at most `limit` of each kind, in the order of every chat.

        A stored reply that no longer opens becomes a dead letter with a notice. Raises `KeyMissing`.
        """
        async with self._database.read() as connection:
            replies = list(await connection.execute(_owed_replies(adapter, limit)))
            parts = await _parts_of(connection, [row.id for row in replies])
            owed_notices = list(await connection.execute(_owed_notices(adapter, limit)))
        owed: list[OwedReply | OwedNotice] = [_notice_from(row) for row in owed_notices]
        for row in replies:
            try:
                owed.append(self._open_reply(row, parts.get(row.id, ())))
            except SealBroken as exc:
                logger.error("the reply to turn %s cannot be read: %s", row.id, exc)  # noqa: TRY400 - says it all
                await self._bury(row)
        return sorted(owed, key=lambda item: (item.chat.id, item.ord))

    async def handed_over(self, turn_id: str) -> None:
        """Write down that the owner has a reply safely: it is `sent`. Safe to repeat."""
        now = self._clock.now()
        sent = (
            update(turns)
            .where(turns.c.id == turn_id, turns.c.state.in_([state.value for state in STORED]))
            .where(turns.c.sends_from == SendsFrom.OWNER.value)
            .values(state=TurnState.SENT.value, finished_at=now, held=False)
        )
        parts = (
            update(reply_parts)
            .where(reply_parts.c.turn_id == turn_id, reply_parts.c.sent_at.is_(None))
            .values(sent_at=now)
        )
        async with self._database.write() as connection:
            if (await connection.execute(sent)).rowcount:
                await connection.execute(parts)

    async def notice_handed_over(self, notice_id: str) -> None:
        """Write down that the owner has a notice safely. Safe to repeat."""
        await self._change_notice(notice_id, state=NoticeState.SENT.value, sent_at=self._clock.now())

    async def claim_notice(self, now: datetime, claim_s: float) -> OwedNotice | None:
        """Claim the oldest notice that any process may send, for a while; None when there is none.

        One whose claim ran out is claimed again, `in_doubt`.
        """
        async with self._database.read() as connection:
            if (await connection.execute(_claimable(now).limit(1))).first() is None:
                return None
        async with self._database.write() as connection:
            query = _claimable(now).limit(1).with_for_update(of=notices, skip_locked=True)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return None
            claim = update(notices).where(notices.c.id == row.id, notices.c.state == row.state)
            until = now + timedelta(seconds=claim_s)
            await connection.execute(claim.values(state=NoticeState.SENDING.value, claimed_until=until))
        return _notice_from(row)

    async def notice_sent(self, notice_id: str, message: str) -> None:
        """Write down that a notice arrived. Safe to repeat."""
        now = self._clock.now()
        await self._change_notice(notice_id, state=NoticeState.SENT.value, message=message, sent_at=now)

    async def notice_not_sent(self, notice_id: str, not_before: datetime) -> None:
        """Write down that a notice was certainly not sent; it may be claimed again from an instant on."""
        state = NoticeState.WAITING.value
        await self._change_notice(notice_id, state=state, claimed_until=not_before)

    async def unsigned(self, accepted_before: datetime, limit: int) -> list[UnsignedTurn]:
        """Read turns that a worker will send and that wait since before an instant without a visible sign."""
        query = (
            select(turns.c.id, turns.c.ord, _REPLY_TO, *CHAT_COLUMNS)
            .join(chats, chats.c.id == turns.c.chat_id)
            .where(OPEN, turns.c.state == TurnState.WAITING.value, turns.c.accepted_at < accepted_before)
            .where(turns.c.sends_from == SendsFrom.ANY.value, ~turns.c.held, ~turns.c.cancel_requested)
            .where(turns.c.placeholder.is_(None))
            .where(or_(turns.c.sign_until.is_(None), turns.c.sign_until <= self._clock.now()))
            .order_by(turns.c.accepted_at, turns.c.ord)
            .limit(limit)
        )
        async with self._database.survey() as connection:
            rows = list(await connection.execute(query))
        return [
            UnsignedTurn(turn_id=row.id, ord=row.ord, chat=chat_from(row), reply_to=row.reply_to)
            for row in rows
        ]

    def _open_reply(self, row: Row[Any], parts: Sequence[Row[Any]]) -> OwedReply:
        chat = chat_from(row)
        return OwedReply(
            turn_id=row.id,
            ord=row.ord,
            chat=chat,
            parts=tuple(open_part(self._vault, chat, part) for part in parts),
            reply_to=row.reply_to,
            placeholder=row.placeholder,
            stopped=row.stopped,
        )

    async def _bury(self, row: Row[Any]) -> None:
        now = self._clock.now()
        dead = (
            update(turns)
            .where(turns.c.id == row.id, turns.c.state.in_([state.value for state in STORED]))
            .values(state=TurnState.DEAD.value, finished_at=now, held=False, restate=False)
        )
        notice = notice_row(
            notice_id=self._ids.new(),
            chat_id=row.of_chat_id,
            turn_id=row.id,
            adapter=row.of_chat_adapter,
            sends_from=SendsFrom.OWNER.value,
            kind=NoticeKind.FAILED,
            text=UNREADABLE_REPLY_TEXT,
            reply_to=row.reply_to,
            now=now,
        )
        async with self._database.write() as connection:
            if (await connection.execute(dead)).rowcount:
                await connection.execute(insert(notices), [notice])

    async def _change_notice(self, notice_id: str, **values: Any) -> None:
        change = update(notices).where(notices.c.id == notice_id, notices.c.state != NoticeState.SENT.value)
        async with self._database.write() as connection:
            await connection.execute(change.values(**values))


def _owed_replies(adapter: str, limit: int) -> Select[Any]:
    return (
        select(turns.c.id, turns.c.ord, turns.c.placeholder, turns.c.stopped, _REPLY_TO, *CHAT_COLUMNS)
        .join(chats, chats.c.id == turns.c.chat_id)
        .where(turns.c.adapter == adapter, OWED_BY_OWNER)
        .order_by(turns.c.chat_id, turns.c.ord)
        .limit(limit)
    )


def _notices() -> Select[Any]:
    return (
        select(notices, turns.c.ord, turns.c.placeholder, *CHAT_COLUMNS)
        .join(chats, chats.c.id == notices.c.chat_id)
        .join(turns, turns.c.id == notices.c.turn_id)
        .where(NOTICE_OWED)
    )


def _owed_notices(adapter: str, limit: int) -> Select[Any]:
    mine = and_(notices.c.adapter == adapter, notices.c.sends_from == SendsFrom.OWNER.value)
    return _notices().where(mine).order_by(notices.c.chat_id, turns.c.ord).limit(limit)


def _claimable(now: datetime) -> Select[Any]:
    free: ColumnElement[bool] = or_(notices.c.claimed_until.is_(None), notices.c.claimed_until <= now)
    anyone = notices.c.sends_from == SendsFrom.ANY.value
    return _notices().where(anyone, free).order_by(notices.c.created_at, notices.c.id)


async def _parts_of(connection: Transaction, turn_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    parts: dict[str, list[Row[Any]]] = {}
    query = (
        select(reply_parts)
        .where(reply_parts.c.turn_id.in_(list(turn_ids)))
        .order_by(reply_parts.c.turn_id, reply_parts.c.number)
    )
    for row in await connection.execute(query):
        parts.setdefault(row.turn_id, []).append(row)
    return parts


def _notice_from(row: Row[Any]) -> OwedNotice:
    return OwedNotice(
        notice_id=row.id,
        turn_id=row.turn_id,
        ord=row.ord,
        chat=chat_from(row),
        kind=NoticeKind(row.kind),
        text=row.text,
        op_id=row.op_id,
        reply_to=row.reply_to,
        placeholder=row.placeholder,
        in_doubt=row.state == NoticeState.SENDING.value,
    )
