"""The record grows for ever, what the journal asks of it does not: no statement reads its way through what is finished.

A journal lives through everything it can be asked, on a record of many finished turns; then the database is asked how
it finds the rows of each statement.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Engine, event

from bench.finished_turns import add_finished
from bot.chat.memory_vault import EphemeralVault
from bot.store.database import Database
from bot.store.sqlite_connection import SqliteConnection
from bot.store.tables import Base
from bot.turns.acceptance import Caps, Quotas
from bot.turns.journal import MOST_COUNTED, Journal
from bot.turns.journal.dead import DeadLetters
from tests.fixtures.clocks import ManualClock
from tests.fixtures.journal_life import Life

#: Enough to be told from the few that are not finished.
TURNS = 20_000
#: Indexes of a part of a table stay small, so that reading a whole one is no matter; all but that of what is finished.
SMALL = {
    str(index.name)
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None and index.name != "ix_turns_finished"
}


@pytest.fixture
async def old_database(database: Database) -> Database:
    """A record with many finished turns in it."""
    await add_finished(database, TURNS, chats=TURNS // 4, adapter="fake", key=b"")
    return database


@pytest.fixture
def life(database: Database, clock: ManualClock) -> Life:
    """A life under every limit there is, so that all of them are asked for."""
    caps = Caps(
        per_chat=3,
        per_person=100,
        quotas=Quotas(person_hourly=99, person_daily=99, chat_hourly=99, chat_daily=99),
    )
    return Life(Journal(database, EphemeralVault(), clock, caps), DeadLetters(database, clock), clock)


@contextmanager
def overheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Collect the statements that are carried out, each with values it was once given."""
    said: dict[str, Any] = {}

    def before(_conn: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        said.setdefault(statement, values[0] if many and isinstance(values, list) else values)

    def note(name: str, values: Any) -> None:
        plain = getattr(SqliteConnection, name)

        def noting(self: SqliteConnection, statement: str, given: Any) -> Any:
            given = given if name == "rows" else list(given)
            said.setdefault(statement, values(given))
            return plain(self, statement, given)

        monkeypatch.setattr(SqliteConnection, name, noting)

    note("rows", lambda binds: binds)
    note("many", lambda rows: rows[0])
    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", before)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _reads_all(node: dict[str, Any]) -> bool:
    """Tell whether a node of PostgreSQL's plan reads a whole table, or a whole index that grows with it."""
    kind, index = node["Node Type"], node.get("Index Name")
    if kind == "Seq Scan":
        return True
    return "Index" in kind and index not in SMALL and index is not None and "Index Cond" not in node


def _step(node: dict[str, Any]) -> str:
    return f"{node['Node Type']} on {node.get('Relation Name')} {node.get('Index Name', '')}"


async def _postgres_scans(url: str, statements: dict[str, Any]) -> list[str]:
    # Of a table of a few thousand rows it would rather read all, where it can: what matters is that it need not.
    connection = await asyncpg.connect(url, server_settings={"enable_seqscan": "off"})
    try:
        found = []
        for statement, values in statements.items():
            plans = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values))
            found += [f"{_step(node)}: {statement}" for node in _nodes(plans[0]["Plan"]) if _reads_all(node)]
        return found
    finally:
        await connection.close()


async def _sqlite_scans(database: Database, statements: dict[str, Any]) -> list[str]:
    async with database.read() as connection:
        assert isinstance(connection, SqliteConnection)
        found = []
        for statement, values in statements.items():
            plan = connection.driver.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            found += [f"{step}: {statement}" for *_, step in plan if _scans(step)]
        return found


def _scans(step: str) -> bool:
    """Tell whether a step of SQLite's plan reads a whole table; `claimed` is a name of ours for one."""
    scanned = re.match(r"SCAN (\w+)", step)
    is_table = scanned is not None and scanned[1] in {*Base.metadata.tables, "claimed"}
    return is_table and not any(index in step for index in SMALL)


async def _scans_of(database: Database, statements: dict[str, Any]) -> list[str]:
    if database.dialect == "sqlite":
        return await _sqlite_scans(database, statements)
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await _postgres_scans(url, statements)


async def test_no_statement_reads_through_what_is_finished(
    old_database: Database, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    with overheard(monkeypatch) as statements:
        await life.live()
    queries = {
        statement: values
        for statement, values in statements.items()
        if re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)", statement)
    }
    assert len(queries) > 30
    assert await _scans_of(old_database, queries) == []


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT id FROM turns WHERE last_error = 'Broken'", id="no index"),
        pytest.param("SELECT id FROM turns WHERE attempts = 3 ORDER BY id LIMIT 1", id="a whole index"),
        pytest.param("UPDATE notices SET state = 'sent' WHERE kind = 'x'", id="an update"),
        pytest.param(
            "SELECT count(*) FROM turns WHERE state <> 'sent'", id="not the partial index's condition"
        ),
    ],
)
async def test_a_statement_that_does_is_found(old_database: Database, statement: str) -> None:
    assert await _scans_of(old_database, {statement: ()})


@pytest.mark.parametrize("record", [Journal, DeadLetters])
async def test_everything_a_record_can_be_asked_is_looked_at(
    record: type, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = set()

    def noting(name: str) -> Callable[..., Any]:
        plain = getattr(record, name)

        async def note(self: object, *args: Any, **kwargs: Any) -> Any:
            asked.add(name)
            return await plain(self, *args, **kwargs)

        return note

    public = {
        name
        for name, _ in inspect.getmembers(record, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    for name in public:
        monkeypatch.setattr(record, name, noting(name))
    await life.live()
    assert public - asked == set(), "tests/fixtures/journal_life.py does not ask these"


async def test_ended_turns_are_counted_up_to_a_bound(
    database: Database, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_finished(database, MOST_COUNTED + 2_000, chats=100, adapter="fake", key=b"")
    counts = await journal.counts()
    assert (counts.done, counts.refused, counts.cancelled) == (MOST_COUNTED, 120, 120)
