"""The record of a run: the real tables and statements on SQLite in memory, a transaction at a time, reached by wire."""

import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any

from sqlalchemy import StaticPool, create_engine

from bot.errors import StoreUnavailable
from bot.store.failures import translated
from bot.store.ids import Ids
from bot.store.sqlite_connection import SqliteConnection
from bot.store.tables import Base
from tests.simulation.schedule import Harm, Seam
from tests.simulation.wire import Wire

AWAY = "the database is away"
_OPEN_TURNS = (
    "SELECT EXISTS (SELECT 1 FROM turns"
    " WHERE (state = 'waiting' OR state = 'replied' OR state = 'sending' OR restate)"
)
_OWED_NOTICES = "SELECT EXISTS (SELECT 1 FROM notices WHERE state != 'sent')"


@cache
def _memory() -> tuple[SqliteConnection, sqlite3.Connection]:
    """Open one database for all runs, for the sake of SQLAlchemy's compiled statements, and an empty one beside it."""
    engine = create_engine("sqlite://", poolclass=StaticPool, isolation_level="AUTOCOMMIT")
    connection = engine.connect()
    Base.metadata.create_all(connection)
    opened, empty = SqliteConnection(connection), sqlite3.connect(":memory:")
    opened.driver.execute("PRAGMA foreign_keys = ON")
    opened.driver.backup(empty)
    return opened, empty


class MemoryDatabase:
    """Stands in for `bot.store.database.Database`: a transaction happens at once, between two ways on the wire."""

    dialect = "sqlite"

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._connection, empty = _memory()
        empty.backup(self._connection.driver)
        self._busy = False
        #: Name the journal's method with every call; only a timeline needs it.
        self.named = False

    @property
    def driver(self) -> sqlite3.Connection:
        """The connection itself, for who looks at the record from outside."""
        return self._connection.driver

    def has_open(self, only: str = "TRUE") -> bool:
        """Tell whether any turn needs anybody, of those that a condition names."""
        return bool(self.driver.execute(f"{_OPEN_TURNS} AND {only})").fetchone()[0])

    @property
    def has_owed_notices(self) -> bool:
        """Whether any notice is not known to have arrived."""
        return bool(self.driver.execute(_OWED_NOTICES).fetchone()[0])

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[SqliteConnection]:
        """Open a transaction; a fault may hide that it was committed."""
        what = _caller() if self.named else "a write"
        number = await self._wire.leave(Seam.STORE, what)
        harm = self._wire.harm(Seam.STORE)
        if harm is Harm.REFUSED:
            raise StoreUnavailable(AWAY)
        with self._transaction():
            yield self._connection
        await self._wire.come_back(Seam.STORE, what, number)
        if harm is not None:
            raise StoreUnavailable("the connection to the database was lost")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqliteConnection]:
        """Open a transaction for reading."""
        what = _caller() if self.named else "a read"
        await self._wire.leave(Seam.STORE, what)
        if self._wire.harm(Seam.STORE) is not None:
            raise StoreUnavailable(AWAY)
        assert not self._busy, "a transaction waited for something else"
        with translated():
            yield self._connection  # nothing else runs meanwhile: that is as good as a transaction

    survey = read

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # Were something awaited inside, others would see what is not committed.
        assert not self._busy, "a transaction waited for something else"
        driver, self._busy = self._connection.driver, True
        try:
            with translated():
                driver.execute("BEGIN IMMEDIATE")
                yield
                driver.commit()
        finally:
            self._busy = False
            driver.rollback()  # does nothing behind a commit


class SeededIds(Ids):
    """Identifiers whose chance comes from the run's seed, so that ties fall the same way every time."""

    def __init__(self, clock: Any, chance: Any) -> None:
        super().__init__(clock)
        self._chance = chance

    def several(self, count: int) -> list[str]:
        return [f"{number[:16]}{self._chance.getrandbits(64):016x}" for number in super().several(count)]


def _caller() -> str:
    """Name the journal's method that opens a transaction."""
    frame = sys._getframe(2)
    name = ""
    while frame is not None:
        if "/bot/turns/journal/" in frame.f_code.co_filename and not frame.f_code.co_name.startswith("_"):
            name = frame.f_code.co_name
        frame = frame.f_back
    return f"journal.{name}" if name else "a transaction"
