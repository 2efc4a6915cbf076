"""Finding what there is to be forgotten: chats, people's words, and events that were forgotten before."""

from typing import Any

from sqlalchemy import (
    CompoundSelect,
    String,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
    union_all,
)

from bot.chat.tombstones import tombstone
from bot.chat.vault import Vault
from bot.store.database import Database
from bot.turns.journal.burying import memories, tombstones
from bot.turns.journal.rows import CHAT_COLUMNS, chat_from, chats, inbounds, turns
from bot.turns.model import Chat

CHAT = bindparam("chat", type_=String())
PERSON = bindparam("person", type_=String())
IN_CHAT = turns.c.chat_id == CHAT
HAS_WORDS = exists().where(inbounds.c.turn_id == turns.c.id)
READ = select(*CHAT_COLUMNS).where(chats.c.id == CHAT)
# What somebody asked to have remembered outlives the turn that asked.
_CHATS_OF = union(
    select(turns.c.chat_id).where(turns.c.adapter == bindparam("adapter"), turns.c.sender_id == PERSON),
    select(memories.c.chat_id)
    .join(chats, chats.c.id == memories.c.chat_id)
    .where(chats.c.adapter == bindparam("adapter"), memories.c.sender_id == PERSON),
)
_KNOWN: CompoundSelect[Any] = union_all(
    select(literal_column("1")).where(
        inbounds.c.adapter == bindparam("adapter"),
        inbounds.c.account == bindparam("account"),
        inbounds.c.event_key == bindparam("event"),
    ),
    select(literal_column("1")).where(tombstones.c.digest == bindparam("digest")),
)
_COUNT = select(func.count()).select_from(turns).where(IN_CHAT, HAS_WORDS)


class Finding:
    """Reads the record. Every call raises `StoreUnavailable`."""

    def __init__(self, database: Database, vault: Vault) -> None:
        """Keep the collaborators."""
        self._database = database
        self._vault = vault

    async def knows(self, adapter: str, account: str, event_key: str) -> bool:
        """Tell whether an event was accepted before, or was and is forgotten."""
        digest = tombstone(self._vault, adapter, account, event_key)
        asked = {"adapter": adapter, "account": account, "event": event_key, "digest": digest}
        async with self._database.read() as connection:
            return (await connection.execute(_KNOWN, asked)).first() is not None

    async def chat(self, chat_id: str) -> Chat | None:
        """Read a chat."""
        async with self._database.read() as connection:
            row = (await connection.execute(READ, {"chat": chat_id})).one_or_none()
        return chat_from(row) if row else None

    async def count(self, chat_id: str, sender_id: str | None = None) -> int:
        """Count the turns of a chat, or of one person in it, whose words are kept."""
        query, asked = _COUNT, {"chat": chat_id}
        if sender_id is not None:
            query, asked = _COUNT.where(turns.c.sender_id == PERSON), {"chat": chat_id, "person": sender_id}
        async with self._database.survey() as connection:
            return int((await connection.execute(query, asked)).scalar_one())

    async def chats_of(
        self, adapter: str, account: str, sender_id: str, *, asked_in: str | None = None
    ) -> list[Chat]:
        """Find the chats in which something is kept that a person said or had remembered; reads through all turns.

        The conversation that is `asked_in` is among them, whatever is kept of it: its words may stand elsewhere yet.
        """
        asked = {"adapter": adapter, "person": sender_id, "account": account, "asked_in": asked_in}
        is_asked_in = and_(
            chats.c.adapter == bindparam("adapter"), chats.c.conversation == bindparam("asked_in")
        )
        query = select(*CHAT_COLUMNS).where(
            or_(chats.c.id.in_(_CHATS_OF), is_asked_in), chats.c.account == bindparam("account")
        )
        async with self._database.survey() as connection:
            return [chat_from(row) for row in await connection.execute(query, asked)]
