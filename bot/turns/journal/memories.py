"""What chats asked to have remembered, in the record: how it is sealed, read and taken away."""

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, String, bindparam, delete, insert, null, select, update

from bot.chat.card import card_of
from bot.chat.vault import Vault
from bot.errors import SealBroken, WrittenByNewer
from bot.store.transaction import Transaction
from bot.turns.journal.burying import memories
from bot.turns.journal.rows import CHAT_COLUMNS, chat_from, chats
from bot.turns.journal.sealed import card_place, memory_place
from bot.turns.model import Chat, Memory

logger = logging.getLogger(__name__)

_VERSION = 1
_CHAT = bindparam("chat", type_=String())
_OF_CHAT = (
    select(memories.c.id, memories.c.number, memories.c.sender_id, memories.c.text_sealed)
    .where(memories.c.chat_id == _CHAT)
    .order_by(memories.c.number)
)
_ADD = insert(memories)
_DROP = delete(memories).where(memories.c.chat_id == _CHAT, memories.c.id == bindparam("memory"))
_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_CHATS_WITH_ANY = select(memories.c.chat_id).distinct().order_by(memories.c.chat_id).limit(bindparam("most"))
_LOCK = select(chats.c.id).where(chats.c.id.in_(_THESE)).order_by(chats.c.id).with_for_update()
_DROP_ALL = delete(memories).where(memories.c.chat_id.in_(_THESE))
_NO_CARD = (
    update(chats)
    .where(chats.c.id.in_(_THESE))
    .values(card_sealed=null(), context_version=chats.c.context_version + 1)
)
_READ = select(*CHAT_COLUMNS).where(chats.c.id.in_(_THESE))
_DROP_PERSONS = delete(memories).where(
    memories.c.chat_id == _CHAT, memories.c.sender_id == bindparam("person", type_=String())
)


def seal_memory(vault: Vault, key: bytes, chat_id: str, memory: Memory) -> bytes:
    """Seal what somebody wants remembered, with the name of who asked."""
    body = json.dumps({"v": _VERSION, "text": memory.text, "sender_name": memory.sender_name})
    return vault.seal(key, body, memory_place(chat_id, memory.id))


async def read_memories(connection: Transaction, vault: Vault, chat: Chat) -> list[Memory]:
    """Read what a chat asked to have remembered, the oldest first.

    What is damaged is told in the log, and has no text: it can still be deleted. Raises `KeyMissing` and
    `WrittenByNewer`.
    """
    rows = await connection.execute(_OF_CHAT, {"chat": chat.id})
    return [_opened(vault, chat, row) for row in rows.all()]


async def add_memory(
    connection: Transaction, vault: Vault, chat: Chat, memory: Memory, now: datetime
) -> None:
    """Keep one more thing that a chat asked to have remembered."""
    row = {
        "id": memory.id,
        "chat_id": chat.id,
        "number": memory.number,
        "sender_id": memory.sender_id,
        "text_sealed": seal_memory(vault, chat.key, chat.id, memory),
        "created_at": now,
    }
    await connection.execute(_ADD, row)


async def drop_memories(connection: Transaction, chat_id: str, ids: Iterable[str]) -> None:
    """Delete some things of a chat; what is gone already stays gone."""
    if binds := [{"chat": chat_id, "memory": one} for one in ids]:
        await connection.execute(_DROP, binds)


async def drop_all_memories(
    connection: Transaction, *, most: int, chat_id: str | None = None
) -> tuple[Chat, ...]:
    """Delete everything that a chat, or some chats at a time, asked to have remembered; returns these as they are now.

    None where nothing is left to delete.
    """
    asked = _CHATS_WITH_ANY if chat_id is None else _CHATS_WITH_ANY.where(memories.c.chat_id == _CHAT)
    binds = {"most": most} if chat_id is None else {"most": most, "chat": chat_id}
    ids = list((await connection.execute(asked, binds)).scalars())
    if not ids:
        return ()
    for statement in (_LOCK, _DROP_ALL, _NO_CARD):
        await connection.execute(statement, {"ids": ids})
    return tuple(chat_from(row) for row in await connection.execute(_READ, {"ids": ids}))


async def without_memories_of(
    connection: Transaction, vault: Vault, chat: Chat, sender_id: str, new_key: bytes
) -> bytes | None:
    """Delete what one person asked a chat to remember; returns its card without that, sealed under a new key.

    None where nothing is left. What stays is still sealed under the chat's old key. Raises `KeyMissing`.
    """
    await connection.execute(_DROP_PERSONS, {"chat": chat.id, "person": sender_id})
    card = card_of(await read_memories(connection, vault, chat), chat.kind)
    return vault.seal(new_key, card, card_place(chat.id)) if card else None


def _opened(vault: Vault, chat: Chat, row: Row[Any]) -> Memory:
    try:
        body = json.loads(vault.open(chat.key, row.text_sealed, memory_place(chat.id, row.id)))
    except SealBroken as exc:
        logger.error("something that a chat asked to have remembered is lost: %s", exc)  # noqa: TRY400 - the cause says no more
        body = {"v": _VERSION, "text": None, "sender_name": ""}
    if body["v"] > _VERSION:
        raise WrittenByNewer(f"memory {row.id} is of version {body['v']}, this program knows {_VERSION}")
    return Memory(
        id=row.id,
        number=row.number,
        text=body["text"],
        sender_id=row.sender_id,
        sender_name=body["sender_name"],
    )
