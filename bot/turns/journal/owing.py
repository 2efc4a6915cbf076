"""Owing: replies and notices that an owner sends, recovered after any crash."""

import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from adapters.base import SendsFrom
from bot.errors import KeyMissing, SealBroken, WrittenByNewer
from bot.turns.journal.base import JournalBase, in_states
from bot.turns.journal.notice_rows import notice_row
from bot.turns.journal.notices import NOTICES, notice_from
from bot.turns.journal.owed import LockedReply, OwedNotice, OwedReply
from bot.turns.journal.reply import CHANGE_CONTEXT, STORED
from bot.turns.journal.rows import (
    ADD_NOTICES,
    CHAT_COLUMNS,
    OWED_BY_OWNER,
    PART_COLUMNS,
    REPLY_TO,
    chat_from,
    chats,
    notices,
    reply_parts,
    turns,
)
from bot.turns.journal.sealed import open_part
from bot.turns.journal.trail import bury
from bot.turns.model import NoticeKind, NoticeState, TurnState

logger = logging.getLogger(__name__)

#: Said in place of a stored reply that no longer opens.
UNREADABLE_REPLY_TEXT = (
    "I had an answer to this and could not read it back from my own storage, sorry. Please ask again."
)
_FIRST_OWED = (
    select(turns.c.id, turns.c.chat_id, turns.c.ord, turns.c.placeholder, turns.c.stopped, REPLY_TO)
    .where(turns.c.adapter == bindparam("adapter"), OWED_BY_OWNER)
    .order_by(turns.c.chat_id, turns.c.ord)
    .limit(bindparam("most"))
    .subquery("first_owed")
)
_OWED_REPLIES = (
    select(
        _FIRST_OWED.c.ord,
        _FIRST_OWED.c.placeholder,
        _FIRST_OWED.c.stopped,
        _FIRST_OWED.c.reply_to,
        *PART_COLUMNS,
        *CHAT_COLUMNS,
    )
    .select_from(_FIRST_OWED)
    .join(chats, chats.c.id == _FIRST_OWED.c.chat_id)
    .join(reply_parts, reply_parts.c.turn_id == _FIRST_OWED.c.id)
    .order_by(_FIRST_OWED.c.chat_id, _FIRST_OWED.c.ord, reply_parts.c.number)
)
_OWED_NOTICES = (
    NOTICES.where(notices.c.adapter == bindparam("adapter"), notices.c.sends_from == SendsFrom.OWNER.value)
    .order_by(notices.c.chat_id, turns.c.ord)
    .limit(bindparam("most"))
)
_HAND_OVER = (
    update(turns)
    .where(turns.c.id.in_(bindparam("ids", expanding=True)), in_states(STORED))
    .where(turns.c.sends_from == SendsFrom.OWNER.value)
    .values(state=TurnState.SENT.value, held=False)
    .returning(turns.c.id)
)
_HAND_OVER_PARTS = update(reply_parts).where(
    reply_parts.c.turn_id.in_(bindparam("ids", expanding=True)), reply_parts.c.sent_at.is_(None)
)
_HAND_OVER_NOTICES = (
    update(notices)
    .where(notices.c.id.in_(bindparam("ids", expanding=True)), notices.c.state != NoticeState.SENT.value)
    .values(state=NoticeState.SENT.value)
)
_STILL_STORED = select(turns.c.id).where(turns.c.id == bindparam("turn"), in_states(STORED)).with_for_update()
_BURY = (
    update(turns)
    .where(turns.c.id == bindparam("turn"), in_states(STORED))
    .values(state=TurnState.DEAD.value, held=False, restate=False)
)


class Owing(JournalBase):
    """What an adapter's owner must send."""

    async def owed(self, adapter: str, limit: int) -> list[OwedReply | OwedNotice | LockedReply]:
        """Read what an adapter's owner must send, at most `limit` of each kind, in the order of every chat.

        A stored reply that no longer opens becomes a dead letter with a notice; one whose key is missing, or
        that a newer version sealed, is told as such.
        """
        async with self._database.read() as connection:
            asked = {"adapter": adapter, "most": limit}
            replies = (await connection.execute(_OWED_REPLIES, asked)).all()
            owed_notices = (await connection.execute(_OWED_NOTICES, asked)).all()
        owed: list[OwedReply | OwedNotice | LockedReply] = [notice_from(row) for row in owed_notices]
        for _, together in groupby(replies, key=lambda row: row.turn_id):
            rows = list(together)
            try:
                owed.append(self._open_reply(rows))
            except SealBroken as exc:
                logger.error("the reply to turn %s cannot be read: %s", rows[0].turn_id, exc)  # noqa: TRY400 - says it all
                await self._bury(rows[0], f"{type(exc).__name__}: {exc}")
            except (KeyMissing, WrittenByNewer) as exc:
                owed.append(_locked(rows[0], str(exc)))
        return sorted(owed, key=lambda item: (item.chat.id, item.ord))

    async def handed_over(self, turn_id: str) -> None:
        """Write down that the owner has a reply safely: it is `sent`. Safe to repeat."""
        await self.handed_over_all([turn_id], [])

    async def notice_handed_over(self, notice_id: str) -> None:
        """Write down that the owner has a notice safely. Safe to repeat."""
        await self.handed_over_all([], [notice_id])

    async def handed_over_all(self, turn_ids: Sequence[str], notice_ids: Sequence[str]) -> None:
        """Write down that the owner has these replies and notices safely. Safe to repeat."""
        now = self._clock.now()
        async with self._database.write() as connection:
            if turn_ids:
                ended = {"ids": turn_ids, "finished_at": now}
                sent = (await connection.execute(_HAND_OVER, ended)).scalars().all()
                if sent:
                    await connection.execute(_HAND_OVER_PARTS, {"ids": sent, "sent_at": now})
            if notice_ids:
                await connection.execute(_HAND_OVER_NOTICES, {"ids": notice_ids, "sent_at": now})

    def _open_reply(self, rows: Sequence[Row[Any]]) -> OwedReply:
        """Open a reply from the rows of its parts."""
        row, chat = rows[0], chat_from(rows[0])
        return OwedReply(
            turn_id=row.turn_id,
            ord=row.ord,
            chat=chat,
            parts=tuple(open_part(self._vault, chat, part) for part in rows),
            reply_to=row.reply_to,
            placeholder=row.placeholder,
            stopped=row.stopped,
        )

    async def _bury(self, row: Row[Any], error: str) -> None:
        now = self._clock.now()
        notice = notice_row(
            notice_id=self._ids.new(),
            chat_id=row.of_chat_id,
            turn_id=row.turn_id,
            adapter=row.of_chat_adapter,
            sends_from=SendsFrom.OWNER.value,
            kind=NoticeKind.FAILED,
            text=UNREADABLE_REPLY_TEXT,
            reply_to=row.reply_to,
            now=now,
        )
        async with self._database.write() as connection:
            # A stored reply that is given up leaves the context; the chat's row is locked before the turn's.
            await connection.execute(CHANGE_CONTEXT, {"chat": row.of_chat_id})
            if (await connection.execute(_STILL_STORED, {"turn": row.turn_id})).first() is None:
                return
            await bury(connection, now, row.turn_id, error)
            await connection.execute(_BURY, {"turn": row.turn_id, "finished_at": now})
            await connection.execute(ADD_NOTICES, [notice])


def _locked(row: Row[Any], why: str) -> LockedReply:
    return LockedReply(turn_id=row.turn_id, ord=row.ord, chat=chat_from(row), why=why)
