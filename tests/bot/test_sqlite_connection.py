"""SQLite without a thread in between: where things run, what waits, and what a cancellation leaves behind."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreUnavailable
from bot.store.sqlite_connection import SqliteConnection, SqliteDoor

_LONG_S = 30
ADD = text("INSERT INTO t VALUES (1)")
COUNT = text("SELECT count(*) FROM t")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE t (x)")
        made.execute("CREATE TABLE p (id PRIMARY KEY)")
        made.execute("CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
    made.close()
    return path


def door_to(file: Path, *, writes: bool = True, busy_timeout_s: float = _LONG_S) -> SqliteDoor:
    url = make_url(f"sqlite+aiosqlite:///{file}")
    return SqliteDoor(url, writes=writes, connections=1, busy_timeout_s=busy_timeout_s)


@pytest.fixture
async def door(file: Path) -> AsyncIterator[SqliteDoor]:
    opened = door_to(file)
    yield opened
    await opened.close()


@pytest.fixture
async def reading(file: Path) -> AsyncIterator[SqliteDoor]:
    opened = door_to(file, writes=False, busy_timeout_s=0.05)
    yield opened
    await opened.close()


async def add(door: SqliteDoor) -> None:
    async with door.transaction() as connection:
        await connection.execute(ADD)


async def rows(door: SqliteDoor) -> int:
    async with door.transaction() as connection:
        return int((await connection.execute(COUNT)).scalar_one())


async def turns_of_the_loop() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class SlowCommit:
    """A commit that stands in its thread until it may go on."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_go_on = threading.Event()
        self._loop = asyncio.get_running_loop()

    def on(self, connection: SqliteConnection) -> None:
        connection.driver.set_trace_callback(self._statement)

    def _statement(self, statement: str) -> None:
        if statement == "COMMIT" and threading.current_thread() is not threading.main_thread():
            self._loop.call_soon_threadsafe(self.began.set)
            self.may_go_on.wait(_LONG_S)


async def add_slowly(door: SqliteDoor, slow: SlowCommit) -> None:
    async with door.transaction() as connection:
        slow.on(connection)
        await connection.execute(ADD)


async def test_only_what_reaches_the_disk_leaves_the_loops_thread(door: SqliteDoor) -> None:
    where: dict[str, threading.Thread] = {}

    def note(statement: str) -> None:
        where[statement.split(maxsplit=1)[0]] = threading.current_thread()

    async with door.transaction() as connection:
        connection.driver.set_trace_callback(note)
    await add(door)
    here = threading.current_thread()
    assert (where["BEGIN"], where["INSERT"]) == (here, here)
    assert where["COMMIT"] is not here
    await rows(door)
    assert where["COMMIT"] is here


async def test_only_a_write_that_need_not_be_durable_skips_the_disk_and_the_next_one_does_not(
    door: SqliteDoor,
) -> None:
    levels = []
    for durable in (True, False, True):
        async with door.transaction(durable=durable) as connection:
            levels.append(connection.driver.execute("PRAGMA synchronous").fetchone()[0])
    full, normal = 2, 1
    assert levels == [full, normal, full]


async def test_the_loop_goes_on_while_another_process_has_the_file(door: SqliteDoor, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    adding = asyncio.create_task(add(door))
    await turns_of_the_loop()
    assert not adding.done()
    other.execute("ROLLBACK")
    other.close()
    await adding
    assert await rows(door) == 1


async def test_a_file_that_is_held_while_it_is_opened_is_waited_for(door: SqliteDoor, file: Path) -> None:
    """Until its first opening it keeps no write-ahead log, and SQLite would refuse to begin one at once."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError), closing(sqlite3.connect(file)) as hasty:
        hasty.execute("PRAGMA journal_mode = WAL")
    adding = asyncio.create_task(add(door))
    await turns_of_the_loop()
    other.execute("ROLLBACK")
    other.close()
    await adding
    assert await rows(door) == 1


async def test_a_cancellation_ends_the_wait_for_the_file(door: SqliteDoor, file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    adding = asyncio.create_task(add(door))
    await turns_of_the_loop()
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    other.execute("ROLLBACK")
    other.close()
    await add(door)
    assert await rows(door) == 1


async def test_a_file_that_stays_held_is_the_drivers_busy_error(file: Path) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    impatient = door_to(file, busy_timeout_s=0.02)
    await rows(impatient)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as caught:
        await add(impatient)
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_BUSY
    other.close()
    await add(impatient)
    await impatient.close()


async def test_a_cancellation_that_meets_the_commit_waits_for_it(door: SqliteDoor) -> None:
    """Neither half done nor handed on: the next transaction finds the row and a connection without one."""
    slow = SlowCommit()
    adding = asyncio.create_task(add_slowly(door, slow))
    await slow.began.wait()
    for _ in range(2):
        adding.cancel()
        await turns_of_the_loop()
        assert not adding.done()
    slow.may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await adding
    async with door.transaction() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 1


async def test_nobody_else_gets_the_connection_while_it_commits(door: SqliteDoor) -> None:
    slow = SlowCommit()
    adding = asyncio.create_task(add_slowly(door, slow))
    await slow.began.wait()
    counting = asyncio.create_task(rows(door))
    await turns_of_the_loop()
    assert not counting.done()
    slow.may_go_on.set()
    await adding
    assert await counting == 1


async def test_a_commit_that_fails_stores_nothing_and_the_connection_goes_on(door: SqliteDoor) -> None:
    async def orphan() -> None:
        async with door.transaction() as connection:
            await connection.execute(ADD)
            await connection.execute(text("INSERT INTO c VALUES ('nobody')"))

    with pytest.raises(sqlite3.IntegrityError):
        await orphan()
    assert await rows(door) == 0


async def test_a_statement_that_fails_undoes_what_came_before_it(door: SqliteDoor) -> None:
    async def half() -> None:
        async with door.transaction() as connection:
            await connection.execute(ADD)
            await connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    with pytest.raises(DBAPIError):
        await half()
    assert await rows(door) == 0


async def test_a_table_alone_is_committed_too(door: SqliteDoor, file: Path) -> None:
    async with door.transaction() as connection:
        await connection.execute(text("CREATE TABLE other (x)"))
    other = sqlite3.connect(file)
    assert other.execute("SELECT count(*) FROM other").fetchone() == (0,)
    other.close()


async def test_a_connection_that_broke_is_not_lent_again(door: SqliteDoor) -> None:
    async def break_it() -> None:
        async with door.transaction() as connection:
            connection.driver.close()

    with pytest.raises(sqlite3.ProgrammingError):
        await break_it()
    await add(door)
    assert await rows(door) == 1


async def test_a_cancellation_while_the_file_is_opened_leaves_a_door_that_works(door: SqliteDoor) -> None:
    adding = asyncio.create_task(add(door))
    await asyncio.sleep(0)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await rows(door) == 0


async def test_a_read_sees_one_state_of_the_file(door: SqliteDoor, reading: SqliteDoor) -> None:
    async with reading.transaction() as connection:
        before = (await connection.execute(COUNT)).scalar_one()
        await add(door)
        assert (await connection.execute(COUNT)).scalar_one() == before
    assert await rows(reading) == before + 1


async def test_readers_wait_in_line_for_so_long(reading: SqliteDoor) -> None:
    async with reading.transaction():
        with pytest.raises(StoreUnavailable, match="reads wait in line"):
            await rows(reading)
    assert await rows(reading) == 0


@pytest.mark.parametrize("leave", [pytest.param(add, id="a write"), pytest.param(rows, id="a read")])
async def test_closing_ends_the_thread_and_closes_the_file(file: Path, leave: Callable) -> None:
    before = set(threading.enumerate())
    door = door_to(file)
    await leave(door)
    async with door.transaction() as connection:
        driver = connection.driver
    await door.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(_LONG_S)
        assert not thread.is_alive()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        driver.execute("SELECT 1")


async def test_what_is_lent_at_the_close_is_closed_when_it_comes_back(file: Path) -> None:
    door = door_to(file, writes=False)
    async with door.transaction() as connection:
        await door.close()
        assert (await connection.execute(COUNT)).scalar_one() == 0
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.driver.execute("SELECT 1")


async def test_a_connection_that_cannot_roll_back_hides_no_cancellation(door: SqliteDoor) -> None:
    begun = asyncio.Event()

    async def broken_and_stuck() -> None:
        async with door.transaction() as connection:
            connection.driver.close()
            begun.set()
            await asyncio.Event().wait()

    stuck = asyncio.create_task(broken_and_stuck())
    await begun.wait()
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck
    assert await rows(door) == 0
