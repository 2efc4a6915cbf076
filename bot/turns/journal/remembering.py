"""Remembering: what a chat wants every later prompt to hold, changed together with the reply that tells of it."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from bot.chat.vault import Vault
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.memories import add_memory, drop_memories, read_memories
from bot.turns.journal.rows import chats
from bot.turns.journal.sealed import card_place
from bot.turns.model import Chat, Memory, MemoryChange

_LAST = select(chats.c.last_memory).where(chats.c.id == bindparam("chat"))
_CARD = update(chats).where(chats.c.id == bindparam("chat"))


class Remembered(NamedTuple):
    """What a chat asked to have remembered."""

    #: The oldest first.
    memories: tuple[Memory, ...]
    #: Of the next thing that it asks for.
    next_number: int


class Remembering(JournalBase):
    """What stands on a chat's card."""

    async def memories(self, chat: Chat) -> Remembered:
        """Read what a chat asked to have remembered.

        Whoever holds the chat's turn may rely on it until that is stored: whatever else changes it takes the turn out
        of every hand. Raises `StoreUnavailable`, `KeyMissing` and `WrittenByNewer`.
        """
        async with self._database.read() as connection:
            last = (await connection.execute(_LAST, {"chat": chat.id})).scalar_one()
            found = await read_memories(connection, self._vault, chat)
        return Remembered(memories=tuple(found), next_number=last + 1)


async def settle_memories(
    connection: Transaction, vault: Vault, chat: Chat, change: MemoryChange | None, now: datetime
) -> None:
    """Write down what a reply adds to what its chat remembers, or takes away, and the card that shows it."""
    if change is None:
        return
    values: dict[str, object] = {
        "card_sealed": vault.seal(chat.key, change.card, card_place(chat.id)) if change.card else None
    }
    await drop_memories(connection, chat.id, change.drops)
    if change.adds is not None:
        values["last_memory"] = change.adds.number
        await add_memory(connection, vault, chat, change.adds, now)
    await connection.execute(_CARD, {"chat": chat.id, **values})
