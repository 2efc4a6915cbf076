"""Exporting: what the record keeps of one person, opened for that person."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, String, bindparam, case, null, select, union

from bot.chat.vault import Vault
from bot.errors import SealBroken
from bot.store.database import Database
from bot.store.transaction import Transaction
from bot.turns.journal.burying import memories
from bot.turns.journal.memories import read_memories
from bot.turns.journal.rows import CHAT_COLUMNS, chat_from, chats, inbounds, turns
from bot.turns.journal.sealed import reply_place, said_place
from bot.turns.model import Chat, Skill

_PERSON = bindparam("person", type_=String())
_CHAT = bindparam("chat", type_=String())
# What somebody asked to have remembered outlives the turn that asked.
_THEIRS = union(
    select(turns.c.chat_id).where(turns.c.adapter == bindparam("adapter"), turns.c.sender_id == _PERSON),
    select(memories.c.chat_id)
    .join(chats, chats.c.id == memories.c.chat_id)
    .where(chats.c.adapter == bindparam("adapter"), memories.c.sender_id == _PERSON),
)
_CHATS = select(*CHAT_COLUMNS).where(chats.c.id.in_(_THEIRS), chats.c.account == bindparam("account"))
_TURNS = (
    select(
        turns.c.id,
        turns.c.accepted_at,
        # An export answered with what stands here anyway.
        case((turns.c.skill == Skill.EXPORT.value, null()), else_=turns.c.reply_sealed).label("reply_sealed"),
        inbounds.c.id.label("inbound_id"),
        inbounds.c.said_sealed,
    )
    .select_from(turns.join(inbounds, inbounds.c.turn_id == turns.c.id))
    .where(turns.c.chat_id == _CHAT, turns.c.sender_id == _PERSON, ~inbounds.c.withdrawn)
    .order_by(turns.c.ord.desc(), inbounds.c.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """One message of a person, and what was answered."""

    said: str
    said_at: datetime
    accepted_at: datetime
    #: What the person replied to, where that was kept.
    quoted: str
    #: None where there is no answer, or it answered an earlier message of the same turn.
    answered: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptChat:
    """What is kept of a person in one chat."""

    chat: Chat
    messages: tuple[KeptMessage, ...]
    #: What the person asked to have remembered; in the chat that is the person's own, everything.
    memories: tuple[str, ...]


class Exporting:
    """Opens what is kept of one person. Every call raises `StoreUnavailable` and `KeyMissing`."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def kept_of(
        self, adapter: str, account: str, sender_id: str, *, direct_chat: str, most: int
    ) -> list[KeptChat]:
        """Read what is kept of a person in every chat of an account: the newest messages of each.

        `direct_chat` is the chat that is the person's own. Reads through all turns; what is damaged is left out.
        """
        asked = {"adapter": adapter, "account": account, "person": sender_id}
        async with self._database.survey() as connection:
            found = [chat_from(row) for row in await connection.execute(_CHATS, asked)]
            return [
                await self._kept(connection, chat, sender_id, most, is_own=chat.id == direct_chat)
                for chat in found
            ]

    async def _kept(
        self, connection: Transaction, chat: Chat, sender_id: str, most: int, *, is_own: bool
    ) -> KeptChat:
        asked = {"chat": chat.id, "person": sender_id, "most": most}
        rows = (await connection.execute(_TURNS, asked)).all()
        asked_for = await read_memories(connection, self._vault, chat)
        mine = (one for one in asked_for if is_own or one.sender_id == sender_id)
        return KeptChat(
            chat=chat,
            messages=self._messages(chat, rows),
            memories=tuple(one.text for one in mine if one.text is not None),
        )

    def _messages(self, chat: Chat, rows: Any) -> tuple[KeptMessage, ...]:
        found, answered = list[KeptMessage](), set[str]()
        for row in rows:
            body = self._opened(chat, row.said_sealed, said_place(chat.id, row.inbound_id))
            if body is not None:
                found.append(self._message(chat, row, json.loads(body), is_first=row.id not in answered))
                answered.add(row.id)
        return tuple(found)

    def _message(self, chat: Chat, row: Row[Any], said: dict[str, Any], *, is_first: bool) -> KeptMessage:
        reply = None
        if is_first and row.reply_sealed is not None:
            reply = self._opened(chat, row.reply_sealed, reply_place(chat.id, row.id))
        return KeptMessage(
            said=said["text"],
            said_at=datetime.fromisoformat(said["sent_at"]),
            accepted_at=row.accepted_at,
            quoted=said["quoted_text"],
            answered=reply,
        )

    def _opened(self, chat: Chat, sealed: bytes, place: Any) -> str | None:
        try:
            return self._vault.open(chat.key, sealed, place)
        except SealBroken:
            return None
