"""Introducing: who came to a chat later and was told what the assistant is, once each and not too often."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, Table, bindparam, delete, func, insert, select, update

from bot.chat.tombstones import Digester, tombstone
from bot.store.tables import Base, UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.rows import chats
from bot.turns.model import Chat

introductions: Table = Base.metadata.tables["introductions"]

#: A chat that many people join is told no more often than this.
LEAST_PAUSE = timedelta(hours=1)

_CHAT = bindparam("chat", type_=String())
_LOCK = select(chats.c.met_at).where(chats.c.id == _CHAT).with_for_update()
_TOLD = select(introductions.c.person, introductions.c.event).where(
    introductions.c.chat_id == _CHAT, introductions.c.person == bindparam("who", type_=String())
)
_LAST = select(func.max(introductions.c.told_at, type_=UtcDateTime())).where(introductions.c.chat_id == _CHAT)
_ADD = insert(introductions)
_MEET = update(chats).where(chats.c.id == _CHAT)
_DROP = delete(introductions).where(introductions.c.chat_id == _CHAT)
_DROP_PERSONS = _DROP.where(introductions.c.person == bindparam("who", type_=String()))
_DROP_OLD = _DROP.where(introductions.c.told_at < bindparam("before", type_=UtcDateTime()))


class Introducing(JournalBase):
    """Whom a chat introduced the assistant to. Every call raises `StoreUnavailable`."""

    async def claim_introduction(self, chat: Chat, person_id: str, event_key: str) -> bool:
        """Tell whether somebody who joined is to be told now, and keep that; the same event is told the same again.

        Nobody is told twice, and no chat within `LEAST_PAUSE` of the last time.
        """
        now = self._clock.now()
        event = tombstone(self._vault, chat.adapter, chat.account, event_key)
        this: dict[str, Any] = {"chat": chat.id, "who": _person(self._vault, chat.id, person_id)}
        async with self._database.write() as connection:
            met = (await connection.execute(_LOCK, this)).one_or_none()
            if met is None or met.met_at is None:
                # The chat's first reply is still to come, and tells everybody.
                return False
            if (told := (await connection.execute(_TOLD, this)).one_or_none()) is not None:
                return bool(told.event == event)
            last = (await connection.execute(_LAST, this)).scalar_one()
            if now - max(met.met_at, last or met.met_at) < LEAST_PAUSE:
                return False
            row = {"chat_id": chat.id, "person": this["who"], "event": event, "told_at": now}
            await connection.execute(_ADD, row)
        return True

    async def met(self, chat_id: str) -> None:
        """Write down that a chat was told just now what the assistant is. Safe to repeat."""
        async with self._database.write() as connection:
            await connection.execute(_MEET, {"chat": chat_id, "met_at": self._clock.now()})


async def drop_introductions(connection: Transaction, chat_id: str) -> None:
    """Forget who was told in a chat."""
    await connection.execute(_DROP, {"chat": chat_id})


async def drop_introductions_of(
    connection: Transaction, digester: Digester, chat_id: str, sender_id: str
) -> None:
    """Forget that one person was told in a chat."""
    await connection.execute(_DROP_PERSONS, {"chat": chat_id, "who": _person(digester, chat_id, sender_id)})


async def drop_old_introductions(
    connection: Transaction, chat_ids: Collection[str], before: datetime
) -> None:
    """Forget who was told in some chats before an instant."""
    for chat_id in chat_ids:
        await connection.execute(_DROP_OLD, {"chat": chat_id, "before": before})


def _person(digester: Digester, chat_id: str, sender_id: str) -> str:
    return digester.digest("joined", chat_id, sender_id)
