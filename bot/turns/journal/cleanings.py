"""What is still to be cleaned out of caches and files: written down with the forgetting itself."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, select

from bot.clock import Clock
from bot.store.database import Database
from bot.store.ids import Ids
from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.journal.rows import CHAT_COLUMNS, chat_from, chats, turns
from bot.turns.model import Chat

#: Turns whose live snapshot may still be kept.
_RECENT = 50

_owed: Table = Base.metadata.tables["owed_cleanings"]
_ADD = insert(_owed)
_OWED = (
    select(_owed.c.id.label("cleaning"), chats.c.id.label("found"), *CHAT_COLUMNS)
    .select_from(_owed.outerjoin(chats, chats.c.id == _owed.c.chat_id))
    .order_by(_owed.c.owed_at)
    .limit(100)
)
_OLD = _OWED.where(_owed.c.owed_at <= bindparam("instant"))
_DONE = delete(_owed).where(_owed.c.id.in_(bindparam("these", expanding=True)))
_NEWEST_IN_CHAT = (
    select(turns.c.id).where(turns.c.chat_id == bindparam("chat")).order_by(turns.c.ord.desc()).limit(_RECENT)
)


class Cleanings:
    """The cleanings that are owed. Every call raises `StoreUnavailable`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def owe(self) -> str:
        """Write down that files are to be cleaned; returns the id."""
        async with self._database.write() as connection:
            return await owe(connection, self._clock, None)

    async def owed(self, age: timedelta | None = None) -> dict[str, Chat | None]:
        """Read what is owed (for that long at least), and which chat's caches are meant, too; by id."""
        query, asked = _OWED, {}
        if age is not None:
            query, asked = _OLD, {"instant": self._clock.now() - age}
        async with self._database.read() as connection:
            rows = (await connection.execute(query, asked)).all()
        return {row.cleaning: chat_from(row) if row.found is not None else None for row in rows}

    async def done(self, cleanings: Collection[str]) -> None:
        """Cross some off; one that is not there is fine."""
        if cleanings:
            async with self._database.write() as connection:
                await connection.execute(_DONE, {"these": sorted(cleanings)})

    async def recent(self, chat_id: str) -> tuple[str, ...]:
        """Name the turns of a chat of which a live snapshot may still be kept."""
        async with self._database.read() as connection:
            return await recent(connection, chat_id)


async def owe(connection: Transaction, clock: Clock, chat_id: str | None) -> str:
    """Write down in a transaction that files are to be cleaned, and a chat's caches; returns the id."""
    row: dict[str, Any] = {"id": Ids(clock).new(), "chat_id": chat_id, "owed_at": clock.now()}
    await connection.execute(_ADD, [row])
    return str(row["id"])


async def recent(connection: Transaction, chat_id: str) -> tuple[str, ...]:
    """Name the turns of a chat of which a live snapshot may still be kept."""
    return tuple((await connection.execute(_NEWEST_IN_CHAT, {"chat": chat_id})).scalars())
