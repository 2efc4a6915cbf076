"""SQLite without a thread in between: statements run where they are called, and nothing waits on the event loop.

A statement on an indexed table takes microseconds; a thread costs ten times that to hand it over and back. What may
take long is kept from the loop: a commit waits for the disk in a thread, and a write that finds the file held by
another process asks again after a pause, which can be cancelled.
"""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import URL, Connection, CursorResult, Dialect, NullPool, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.sql.base import Executable

from bot.errors import StoreUnavailable
from bot.store.busy import is_busy, pauses_s
from bot.store.one_thread import OneThread

logger = logging.getLogger(__name__)


class SqliteConnection:
    """One connection, and while it is lent the open transaction on it."""

    def __init__(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self.driver = driver
        self._connection = connection
        self._durable = True

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's dialect."""
        return self._connection.dialect

    def set_durable(self, durable: bool) -> None:  # noqa: FBT001 - the very value
        """Choose whether commits wait for the disk; between transactions only."""
        if durable is not self._durable:
            self.driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}").close()
            self._durable = durable

    async def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[Any]:
        """Carry out a statement, here and now."""
        return self._connection.execute(statement, parameters)

    def rows(self, text: str, binds: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Read what a statement written for the driver finds, as the driver gives it."""
        return self.driver.execute(text, binds).fetchall()

    def many(self, text: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement written for the driver with every row. Raises SQLAlchemy's `IntegrityError`."""
        try:
            self.driver.executemany(text, rows).close()
        except sqlite3.IntegrityError as exc:
            raise IntegrityError(text, None, exc) from exc

    async def run_sync(self, fn: Callable[[Connection], Any], /) -> Any:
        """Call what knows only the blocking connection, here and now."""
        return fn(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class SqliteDoor:
    """Lends connections to one file, each for one transaction at a time, and keeps them open in between.

    Raises the driver's own errors, and `StoreUnavailable` where every connection stays lent for too long.
    """

    def __init__(self, url: URL, *, writes: bool, connections: int, busy_timeout_s: float) -> None:
        """Prepare; a door that `writes` begins every transaction with the file's write lock."""
        self._begin_with = "BEGIN IMMEDIATE" if writes else "BEGIN"
        self._writes = writes
        self._busy_timeout_s = busy_timeout_s
        # SQLite is built to be called from several threads; sqlite3 only has to be told that we know.
        how = {"timeout": busy_timeout_s, "check_same_thread": False}
        # Transactions are begun and ended here: SQLAlchemy does neither.
        self._engine = create_engine(
            url.set(drivername="sqlite"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args=how,
            # A failed statement's error would quote them.
            hide_parameters=True,
        )
        event.listen(self._engine, "connect", self._prepare)
        self._free = asyncio.Semaphore(connections)
        self._idle: list[SqliteConnection] = []
        self._thread = OneThread("sqlite-commits" if writes else "sqlite-opens")
        self._closed = False

    @contextlib.asynccontextmanager
    async def transaction(self, *, durable: bool = True) -> AsyncIterator[SqliteConnection]:
        """Open a transaction; it is committed on leaving, and undone by an error or a cancellation.

        A cancellation that meets the commit itself waits for it: then everything is stored. The commit of one
        that need not be `durable` does not wait for the disk.
        """
        await self._take_turn()
        try:
            connection = self._idle.pop() if self._idle else await self._connect()
            try:
                connection.set_durable(durable)
                await self._begin(connection.driver)
                changes = connection.driver.total_changes
                yield connection
                await self._commit(connection.driver, changes)
            finally:
                self._put_back(connection)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Close what is not lent; what is lent closes when it comes back."""
        self._closed = True
        idle, self._idle = self._idle, []
        for connection in idle:
            await self._thread.call(connection.close)
        self._thread.stop()

    async def _take_turn(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        try:
            async with asyncio.timeout(self._busy_timeout_s):
                await self._free.acquire()
        except TimeoutError as exc:
            what = "writes" if self._writes else "reads"
            raise StoreUnavailable(f"the database is too slow: {what} wait in line") from exc

    async def _connect(self) -> SqliteConnection:
        # Where another process opens or leaves the file as its first or last, SQLite itself does not wait.
        for pause_s in pauses_s(self._busy_timeout_s):
            try:
                return await self._open()
            except OperationalError as exc:
                if not is_busy(exc.orig):
                    raise
            await asyncio.sleep(pause_s)
        return await self._open()

    async def _open(self) -> SqliteConnection:
        opened: list[SqliteConnection] = []
        try:
            await self._thread.call(lambda: opened.append(SqliteConnection(self._engine.connect())))
        except asyncio.CancelledError:
            self._idle += opened
            raise
        return opened[0]

    async def _begin(self, driver: sqlite3.Connection) -> None:
        for pause_s in pauses_s(self._busy_timeout_s):
            try:
                driver.execute(self._begin_with)
            except sqlite3.OperationalError as exc:
                if not is_busy(exc):
                    raise
            else:
                return
            await asyncio.sleep(pause_s)
        driver.execute(self._begin_with)

    async def _commit(self, driver: sqlite3.Connection, changes_before: int) -> None:
        if driver.total_changes == changes_before:
            driver.commit()  # nothing goes to the disk
        else:
            await self._thread.call(driver.commit)

    def _put_back(self, connection: SqliteConnection) -> None:
        """Undo what was not committed and keep the connection, unless it cannot even do that."""
        try:
            connection.driver.rollback()  # does nothing behind a commit
        except sqlite3.Error as exc:
            # What led here is on its way up, and may be a cancellation: nothing may take its place.
            logger.warning("a connection to the database was given up (%s)", type(exc).__name__)
            connection.close()
            return
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _prepare(self, driver: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas(writes=self._writes):
            driver.execute(pragma).close()
        if self._writes:
            # From here on `_begin` waits for other processes, not SQLite, which would stop the loop.
            driver.execute("PRAGMA busy_timeout = 0").close()


def pragmas(*, writes: bool) -> tuple[str, ...]:
    """Name what every connection to the file is set to."""
    return (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA secure_delete = ON",
        f"PRAGMA query_only = {'OFF' if writes else 'ON'}",
    )
