"""The record's database: one door to write, one to read, over SQLite or PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import SettingsError
from bot.store.failures import translated
from bot.store.sqlite_connection import SqliteDoor, pragmas
from bot.store.transaction import Transaction

#: Opens a transaction.
Begin = Callable[[], AbstractAsyncContextManager[Transaction]]

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
#: A process that is frozen between the parsing of a statement and its execution is not "idle in transaction" to
#: PostgreSQL, and no statement's timeout ends it; only the timeout for whole transactions does, from PostgreSQL 17 on.
_BOUND_TRANSACTIONS = (
    "SELECT set_config('transaction_timeout', '{milliseconds}', false)"
    " WHERE current_setting('server_version_num')::int >= 170000"
)
#: How much of a lease a transaction may last: more than a statement, and less than is left of a lease at its renewal.
_TRANSACTION_SHARE = 0.6
#: How many transactions may read SQLite beside the one that writes.
_SQLITE_READERS = 4


class Database:
    """Transactions on the record. What a `write()` stored is durable when it has been left.

    `busy_timeout_s` bounds how long a write waits for its turn. `lease_s` is the schedule's lease: PostgreSQL
    ends a transaction that stands still sooner, so that a frozen worker holds no row longer than its chat.
    None lets statements and transactions last: for migrations.
    """

    def __init__(
        self, url: str, *, busy_timeout_s: float = 5.0, lease_s: float | None = 15.0, connections: int = 8
    ) -> None:
        self.url = parse_url(url)
        self._busy_timeout_s = busy_timeout_s
        self._lease_s = lease_s
        self._connections = connections
        self._opened = AsyncExitStack()
        self._writer: Begin | None = None
        self._hasty_writer: Begin | None = None
        self._reader: Begin | None = None
        self._surveyor: Begin | None = None
        self._connect: Callable[[], AsyncConnection] | None = None

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    async def __aenter__(self) -> Self:
        if self.dialect == "sqlite":
            _private_file(Path(str(self.url.database)))
            writer = self._sqlite_door(writes=True, connections=1)
            self._writer = writer.transaction
            self._hasty_writer = partial(writer.transaction, durable=False)
            self._reader = self._sqlite_door(writes=False, connections=_SQLITE_READERS).transaction
            self._surveyor = self._survey_engine().begin
        else:
            engine = self._postgres_engine()
            self._opened.push_async_callback(engine.dispose)
            self._writer = self._hasty_writer = self._reader = self._surveyor = engine.begin
            self._connect = engine.connect
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()
        self._writer = self._hasty_writer = self._reader = self._surveyor = None
        self._connect = None

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[Transaction]:
        """Open a transaction that commits on leaving. Raises `StoreUnavailable` with nothing stored.

        On SQLite one transaction writes at a time, and has the file's write lock from its first statement on.
        One that need not be `durable` survives every crash of ours, but perhaps not the loss of power: for what
        means nothing after everybody has died.
        """
        begin = self._writer if durable else self._hasty_writer
        assert begin is not None, "the database is not open"
        with translated():
            async with begin() as transaction:
                yield transaction

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """Open a transaction for reading a few rows by an index; SQLite refuses a write in it.

        Raises `StoreUnavailable`.
        """
        assert self._reader is not None, "the database is not open"
        with translated():
            async with self._reader() as transaction:
                yield transaction

    @asynccontextmanager
    async def survey(self) -> AsyncIterator[Transaction]:
        """Open a transaction for reading that may take long: counts and lists. Raises `StoreUnavailable`."""
        assert self._surveyor is not None, "the database is not open"
        with translated():
            async with self._surveyor() as transaction:
                yield transaction

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection to PostgreSQL whose transactions the caller begins and ends: for migrations.

        Raises `StoreUnavailable`.
        """
        assert self._connect is not None, "only PostgreSQL lends connections, while it is open"
        with translated():
            async with self._connect() as connection:
                yield connection

    def _sqlite_door(self, *, writes: bool, connections: int) -> SqliteDoor:
        door = SqliteDoor(
            self.url, writes=writes, connections=connections, busy_timeout_s=self._busy_timeout_s
        )
        self._opened.push_async_callback(door.close)
        return door

    def _survey_engine(self) -> AsyncEngine:
        """Make the one connection to SQLite whose statements may take long: aiosqlite has a thread for them."""
        engine = create_async_engine(
            self.url,
            pool_size=1,
            max_overflow=0,
            pool_timeout=self._busy_timeout_s,
            # A failed statement's error would quote them.
            hide_parameters=True,
            connect_args={"timeout": self._busy_timeout_s},
        )
        self._opened.push_async_callback(engine.dispose)

        @event.listens_for(engine.sync_engine, "connect")
        def prepare(dbapi_connection: Any, _record: object) -> None:
            # Python's sqlite3 would begin transactions by itself, deferred and only before writes.
            dbapi_connection.isolation_level = None
            cursor = dbapi_connection.cursor()
            for pragma in pragmas(writes=False):
                cursor.execute(pragma)
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def begin_explicitly(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")

        return engine

    def _postgres_engine(self) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            pool_size=self._connections,
            max_overflow=0,
            pool_timeout=self._busy_timeout_s,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "timeout": self._busy_timeout_s,
                "command_timeout": self._lease_s,
                "server_settings": self._server_settings(),
            },
        )
        if self._lease_s is not None:
            _bound_transactions(engine, round(self._lease_s * 1000 * _TRANSACTION_SHARE))
        return engine

    def _server_settings(self) -> dict[str, str]:
        # 0 is PostgreSQL's word for no limit.
        below_lease_ms = str(round((self._lease_s or 0.0) * 1000 / 2))
        return {
            "application_name": "aside",
            "idle_in_transaction_session_timeout": below_lease_ms,
            "statement_timeout": below_lease_ms,
            "lock_timeout": str(round(self._busy_timeout_s * 1000)),
            "jit": "off",
        }


def _bound_transactions(engine: AsyncEngine, most_ms: int) -> None:
    """Have PostgreSQL end every transaction of an engine that lasts longer."""
    bound = _BOUND_TRANSACTIONS.format(milliseconds=most_ms)

    @event.listens_for(engine.sync_engine, "connect")
    def bound_transactions(dbapi_connection: Any, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute(bound)
        cursor.close()
        # Or the setting would go with the connection's first transaction, should that be undone.
        dbapi_connection.commit()


def parse_url(url: str) -> URL:
    """Read a database URL, with or without a driver. Raises `SettingsError`, which never repeats it."""
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise SettingsError(
            "the database URL cannot be read: write sqlite:///PATH or postgresql://…"
        ) from exc
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise SettingsError(
            f"the database URL begins with {parsed.drivername}: write sqlite:///PATH or postgresql://…"
        )
    if driver.startswith("sqlite") and (not parsed.database or ":memory:" in parsed.database):
        raise SettingsError("the database URL names no file: write sqlite:///PATH")
    return parsed.set(drivername=driver)


def _private_file(path: Path) -> None:
    """Have the file exist for its owner alone; SQLite gives the files beside it the same mode."""
    with translated():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
