"""The doors to the record: private files, real transactions, and every outage told as one kind of error."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.chat.memory_vault import EphemeralVault
from bot.errors import SettingsError, StoreUnavailable
from bot.store.database import Database, parse_url
from bot.store.failures import POSTGRES_SENTENCES, SQLITE_SENTENCES, sentence_for
from bot.store.schema import migrate
from bot.turns.acceptance import Caps
from bot.turns.journal import Journal
from tests.fixtures.clocks import ManualClock
from tests.fixtures.databases import PostgresServer
from tests.fixtures.turns import acceptance

HOLD_THE_FILE = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
async def sqlite_path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "aside.db"
    await migrate(f"sqlite:///{path}")
    return path


class DriverError(Exception):
    def __init__(self, sentence: str = "", **codes: object) -> None:
        super().__init__(sentence)
        self.__dict__.update(codes)


def driver_error(**codes: object) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, DriverError(**codes))


@pytest.mark.parametrize(("code", "sentence"), SQLITE_SENTENCES.items())
def test_every_sqlite_code_of_the_table_has_its_sentence(code: int, sentence: str) -> None:
    assert sentence_for(driver_error(sqlite_errorcode=code)) == sentence


@pytest.mark.parametrize(("state", "sentence"), POSTGRES_SENTENCES.items())
def test_every_postgres_state_of_the_table_has_its_sentence(state: str, sentence: str) -> None:
    assert sentence_for(driver_error(sqlstate=state)) == sentence


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (driver_error(sqlite_errorcode=sqlite3.SQLITE_BUSY_SNAPSHOT), "another process holds the database"),
        (driver_error(sqlite_errorcode=sqlite3.SQLITE_IOERR_FSYNC), "the disk reports an error"),
        (driver_error(sqlstate="40P01"), "the database asks to try the transaction again"),
        (driver_error(sqlstate="57P01"), "the database is shutting down or starting"),
        (driver_error(sentence="connection is closed"), "the connection to the database was lost"),
        (
            driver_error(sentence="cannot switch to state 11; another operation (2) is in progress"),
            "the connection to the database was lost",
        ),
        (
            DBAPIError("", {}, DriverError(), connection_invalidated=True),
            "the connection to the database was lost",
        ),
        (ConnectionRefusedError(), "the database cannot be reached"),
        (TimeoutError(), "the database cannot be reached"),
        (PoolTimeoutError(), "every connection to the database is in use"),
        (driver_error(sqlite_errorcode=sqlite3.SQLITE_CONSTRAINT_UNIQUE), None),
        (driver_error(sqlite_errorcode=sqlite3.SQLITE_ERROR), None),
        (driver_error(sqlstate="23505"), None),
        (driver_error(sqlstate="42703"), None),
        (driver_error(), None),
        (ValueError(), None),
    ],
)
def test_what_other_errors_mean(error: Exception, sentence: str | None) -> None:
    assert sentence_for(error) == sentence


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///aside.db", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////var/aside.db", "sqlite+aiosqlite"),
        ("postgresql://a:b@c/d", "postgresql+asyncpg"),
        ("postgres://a:b@c/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://a:b@c/d", "postgresql+asyncpg"),
    ],
)
def test_urls_need_no_driver(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize("url", ["mysql://me:secret@x/y", "secret", "sqlite://", "sqlite:///:memory:"])
def test_another_url_is_an_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(SettingsError, match="write sqlite:///PATH") as caught:
        parse_url(url)
    assert "secret" not in str(caught.value)


async def test_the_file_and_what_lies_beside_it_are_private(sqlite_path: Path) -> None:
    async with Database(f"sqlite:///{sqlite_path}") as database, database.write() as connection:
        await connection.execute(text("CREATE TABLE t (x)"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in sqlite_path.parent.iterdir()}
    assert modes == {"aside.db": 0o600, "aside.db-wal": 0o600, "aside.db-shm": 0o600}
    assert stat.S_IMODE(sqlite_path.parent.stat().st_mode) == 0o700


async def test_sqlite_is_set_up_to_keep_promises(sqlite_path: Path) -> None:
    async with Database(f"sqlite:///{sqlite_path}") as database, database.write() as connection:
        found = {
            name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }


async def test_a_write_has_the_file_before_its_first_statement(sqlite_path: Path) -> None:
    """`BEGIN IMMEDIATE` is really sent: another connection cannot begin to write meanwhile."""
    other = sqlite3.connect(sqlite_path, timeout=0, isolation_level=None)
    async with Database(f"sqlite:///{sqlite_path}") as database, database.write():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.close()


async def test_a_read_refuses_to_write_to_sqlite(sqlite_path: Path) -> None:
    async with Database(f"sqlite:///{sqlite_path}") as database:
        with pytest.raises(StoreUnavailable, match="cannot be written"):
            async with database.read() as connection:
                await connection.execute(text("DELETE FROM chats"))


async def test_an_error_in_the_body_undoes_the_transaction(database: Database) -> None:
    async def half() -> None:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE half (x INTEGER)"))
            raise KeyError

    with pytest.raises(KeyError):
        await half()
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE half (x INTEGER)"))


async def test_a_cancelled_write_leaves_nothing_and_frees_the_door(database: Database) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def stuck() -> None:
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE half (x INTEGER)"))
            begun.set()
            await never.wait()

    task = asyncio.create_task(stuck())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE half (x INTEGER)"))


async def test_a_fault_of_ours_passes_through(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.read() as connection:
            await connection.execute(text("SELECT no_such_column FROM chats"))
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO adapter_keys (adapter) VALUES ('x')"))


async def test_a_file_held_by_another_process_is_an_outage(sqlite_path: Path, clock: ManualClock) -> None:
    with subprocess.Popen(  # noqa: ASYNC220 - it only has to stand there
        [sys.executable, "-c", HOLD_THE_FILE, sqlite_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        async with Database(f"sqlite:///{sqlite_path}", busy_timeout_s=0.1) as database:
            journal = Journal(database, EphemeralVault(), clock)
            with pytest.raises(StoreUnavailable, match="another process holds the database"):
                await journal.accept([acceptance(event="e1")])
            assert await journal.chat_by_conversation("fake", "main", "room") is None
            holder.communicate()
            await journal.accept([acceptance(event="e1")])


async def test_a_writer_that_never_leaves_is_an_outage_for_the_next(sqlite_path: Path) -> None:
    async with Database(f"sqlite:///{sqlite_path}", busy_timeout_s=0.05) as database, database.write():
        with pytest.raises(StoreUnavailable, match="writes wait in line"):
            async with database.write():
                pass


async def test_a_full_disk_is_an_outage_and_stores_no_half(sqlite_path: Path, clock: ManualClock) -> None:
    async with Database(f"sqlite:///{sqlite_path}") as database:
        journal = Journal(database, EphemeralVault(), clock, Caps(per_chat=100))
        async with database.write() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
        batch = [acceptance("x" * 5_000, sender=f"s{n}") for n in range(8)]
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await journal.accept(batch)
        assert await journal.unfinished() == []
        async with database.write() as connection:
            await connection.execute(text("PRAGMA max_page_count = 100000"))
        await journal.accept(batch)
        assert (await journal.counts()).waiting == 8


async def test_a_path_that_cannot_be_made_is_an_outage() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        async with Database("sqlite:////proc/nowhere/aside.db"):
            pass


async def test_a_lost_connection_is_an_outage_and_the_next_call_works(postgres: PostgresServer) -> None:
    url = await postgres.migrated("lost")
    async with Database(url) as database:

        async def lose() -> None:
            async with database.write() as connection:
                pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
                async with database.read() as other:
                    await other.execute(text(f"SELECT pg_terminate_backend({pid})"))
                await connection.execute(text("SELECT 1"))

        with pytest.raises(StoreUnavailable, match=r"shutting down|connection to the database was lost"):
            await lose()
        async with database.read() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
    await postgres.drop("lost")


async def test_a_server_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    async with Database(f"postgresql://postgres@/x?host={tmp_path}") as database:
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            async with database.read():
                pass


async def test_a_database_that_is_not_there_is_an_outage(postgres: PostgresServer) -> None:
    async with Database(postgres.url("nowhere")) as database:
        with pytest.raises(StoreUnavailable, match="does not exist"):
            async with database.write():
                pass


async def test_postgres_ends_a_transaction_that_was_frozen_between_parsing_and_executing(
    postgres: PostgresServer,
) -> None:
    """To the server it is neither idle nor running: only the timeout for whole transactions ends it."""
    url = await postgres.create("frozen")
    async with Database(url, lease_s=60) as other, Database(url, lease_s=0.5) as freezing:
        async with other.write() as connection:
            await connection.execute(text("CREATE TABLE held (x int)"))
        frozen = freezing.write()
        connection = await frozen.__aenter__()
        await connection.execute(text("LOCK TABLE held"))
        raw = (await connection.get_raw_connection()).driver_connection
        await raw.prepare("SELECT x FROM held")
        async with other.write() as waiting:
            await waiting.execute(text("LOCK TABLE held"))
        with pytest.raises(StoreUnavailable):
            await frozen.__aexit__(None, None, None)
    await postgres.drop("frozen")


async def test_postgres_ends_what_stands_still_before_the_lease_does(postgres: PostgresServer) -> None:
    url = await postgres.migrated("timeouts")
    async with Database(url, lease_s=8) as database, database.read() as connection:
        found = [
            (await connection.execute(text(f"SHOW {name}"))).scalar_one()
            for name in ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")
        ]
    assert found == ["4s", "4s", "5s"]
    await postgres.drop("timeouts")


async def test_the_bound_of_transactions_outlives_one_that_is_undone(postgres: PostgresServer) -> None:
    """A pool's first transaction may well be one that fails: the connection keeps its setting."""
    url = await postgres.migrated("undone")
    async with Database(url, lease_s=10, connections=1) as database:

        async def undone() -> None:
            async with database.write() as connection:
                await connection.execute(text("SELECT 1"))
                raise KeyError

        with pytest.raises(KeyError):
            await undone()
        async with database.read() as connection:
            found = (await connection.execute(text("SHOW transaction_timeout"))).scalar_one()
    assert found == "6s"
    await postgres.drop("undone")


async def test_a_statement_that_takes_too_long_is_an_outage(postgres: PostgresServer) -> None:
    url = await postgres.migrated("slow")
    async with Database(url, lease_s=0.2) as database:
        with pytest.raises(StoreUnavailable, match=r"in time|cannot be reached"):
            async with database.read() as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))
    await postgres.drop("slow")
