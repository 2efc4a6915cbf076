"""What every record store promises an adapter: append-only streams, each key once, positions that grow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from adapters.records import RecordStore, RecordsUnavailable
from adapters.records_memory import MemoryRecordStore
from bot.chat.memory_vault import EphemeralVault
from bot.errors import SealBroken
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.tables import Base
from tests.fixtures.clocks import ManualClock


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(
    request: pytest.FixtureRequest, clock: ManualClock, make_database: Callable
) -> AsyncIterator[RecordStore]:
    if request.param == "memory":
        yield MemoryRecordStore(clock.now)
        return
    async with Database(await make_database(request.param)) as database:
        yield SqlRecordStore(database, EphemeralVault(), "terminal", clock)


async def test_records_come_back_as_they_were_stored(store: RecordStore, clock: ManualClock) -> None:
    body = "äöü \x00 \U0001f600 \ud800"
    stored = await store.append("room", "k1", body)
    assert (stored.position, stored.key, stored.body) == (1, "k1", body)
    assert stored.stored_at == clock.now()
    assert await store.after("room", 0, 10) == [stored]
    assert await store.by_key("room", "k1") == stored


async def test_the_same_key_again_changes_nothing(store: RecordStore) -> None:
    first = await store.append("room", "k1", "one")
    assert await store.append("room", "k1", "two") == first
    assert await store.latest("room", 10) == [first]


async def test_streams_are_apart(store: RecordStore) -> None:
    await store.append("room", "k1", "one")
    other = await store.append("other", "k1", "two")
    assert (other.position, other.body) == (1, "two")
    assert await store.after("nowhere", 0, 10) == []
    assert await store.latest("nowhere", 10) == []
    assert await store.by_key("nowhere", "k1") is None


@pytest.mark.parametrize(
    ("read", "positions"),
    [
        pytest.param(lambda s: s.after("room", 0, 2), [1, 2], id="from the start"),
        pytest.param(lambda s: s.after("room", 3, 10), [4, 5], id="from a cursor"),
        pytest.param(lambda s: s.after("room", 5, 10), [], id="from the end"),
        pytest.param(lambda s: s.after("room", 0, 0), [], id="none of it"),
        pytest.param(lambda s: s.latest("room", 2), [4, 5], id="the newest"),
        pytest.param(lambda s: s.latest("room", 99), [1, 2, 3, 4, 5], id="more than there is"),
        pytest.param(lambda s: s.latest("room", 0), [], id="none of the newest"),
    ],
)
async def test_what_a_read_gives(store: RecordStore, read: Callable, positions: list[int]) -> None:
    for n in range(1, 6):
        await store.append("room", f"k{n}", str(n))
    assert [record.position for record in await read(store)] == positions


async def test_concurrent_appends_each_have_a_position(store: RecordStore) -> None:
    records = await asyncio.gather(*(store.append("room", f"k{n % 8}", str(n % 8)) for n in range(16)))
    assert sorted({record.position for record in records}) == list(range(1, 9))
    assert len(await store.latest("room", 99)) == 8


async def test_two_processes_append_to_one_stream(database: Database, database_url: str) -> None:
    vault, clock = EphemeralVault(), ManualClock()
    async with Database(database_url) as other:
        stores = [SqlRecordStore(each, vault, "terminal", clock) for each in (database, other)]
        await asyncio.gather(*(stores[n % 2].append("room", f"k{n}", str(n)) for n in range(12)))
        found = await stores[0].latest("room", 99)
    assert [record.position for record in found] == list(range(1, 13))


async def test_adapters_do_not_see_each_other(database: Database, clock: ManualClock) -> None:
    vault = EphemeralVault()
    await SqlRecordStore(database, vault, "terminal", clock).append("room", "k", "x")
    assert await SqlRecordStore(database, vault, "webchat", clock).latest("room", 10) == []


async def test_a_record_moved_to_another_stream_does_not_open(database: Database, clock: ManualClock) -> None:
    store = SqlRecordStore(database, EphemeralVault(), "terminal", clock)
    await store.append("room", "k", "x")
    async with database.write() as connection:
        await connection.execute(Base.metadata.tables["adapter_records"].update().values(stream="other"))
    with pytest.raises(SealBroken):
        await store.latest("other", 1)


async def test_an_outage_is_told_in_the_adapters_words(tmp_path, clock: ManualClock) -> None:
    async with Database(f"postgresql://postgres@/x?host={tmp_path}") as database:
        store = SqlRecordStore(database, EphemeralVault(), "terminal", clock)
        with pytest.raises(RecordsUnavailable, match="cannot be reached"):
            await store.append("room", "k", "x")
        with pytest.raises(RecordsUnavailable):
            await store.latest("room", 1)


async def test_a_memory_store_has_the_machines_time_by_itself() -> None:
    before = datetime.now(UTC)
    record = await MemoryRecordStore().append("room", "k", "x")
    assert before <= record.stored_at <= datetime.now(UTC)
