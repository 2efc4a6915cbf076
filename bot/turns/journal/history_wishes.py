"""What the adapters' own histories still have to forget: written down with the forgetting itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Table, bindparam, delete, insert, select

from bot.store.database import Database
from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.model import Chat

_wishes: Table = Base.metadata.tables["history_wishes"]
_ADD = insert(_wishes)
_MINE = _wishes.c.adapter.in_(bindparam("adapters", expanding=True))
_PENDING = select(_wishes).where(_MINE).order_by(_wishes.c.adapter, _wishes.c.id).limit(bindparam("most"))
_DONE = delete(_wishes).where(_wishes.c.id == bindparam("wish"))


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWish:
    """One thing to forget."""

    id: str
    adapter: str
    conversation: str
    #: None is everybody.
    sender_id: str | None
    #: What was said up to then is meant.
    asked_at: datetime


class HistoryWishes:
    """The wishes that wait. Every call raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, adapters: Collection[str], most: int = 100) -> list[HistoryWish]:
        """Read what waits for some adapters, the oldest first."""
        asked = {"adapters": sorted(adapters), "most": most}
        async with self._database.read() as connection:
            rows = (await connection.execute(_PENDING, asked)).mappings().all()
        return [HistoryWish(**row) for row in rows]

    async def done(self, wish_id: str) -> None:
        """Cross a wish off; one that is not there is fine."""
        async with self._database.write() as connection:
            await connection.execute(_DONE, {"wish": wish_id})


async def wish(
    connection: Transaction, wish_id: str, chat: Chat, sender_id: str | None, asked_at: datetime
) -> None:
    """Write down that an adapter's own history is to forget a chat, or a person in it."""
    row = {
        "id": wish_id,
        "adapter": chat.adapter,
        "conversation": chat.conversation,
        "sender_id": sender_id,
        "asked_at": asked_at,
    }
    await connection.execute(_ADD, [row])
