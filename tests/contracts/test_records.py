"""What every record store promises an adapter: append-only streams, each key once, positions that grow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import product

import pytest
from sqlalchemy import select, text

from adapters.records import RecordStore, RecordsUnavailable
from adapters.records_memory import MemoryRecordStore
from bot.chat.memory_vault import EphemeralVault
from bot.chat.vault import Place, SealedField
from bot.errors import KeyMissing, SealBroken
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.tables import Base
from tests.fixtures.clocks import ManualClock
from tests.fixtures.old_streams import store_old


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


async def _filled(store: RecordStore, *keys: str, stream: str = "room") -> None:
    for key in keys:
        await store.append(stream, key, f"body of {key}")


def _shape(records: list) -> list[tuple[int, str, str]]:
    return [(record.position, record.key, record.body) for record in records]


@pytest.mark.parametrize(
    ("position", "limit", "positions"),
    [
        pytest.param(4, 2, [2, 3], id="the newest below"),
        pytest.param(99, 2, [4, 5], id="below a position there is none of"),
        pytest.param(1, 9, [], id="below the first"),
        pytest.param(9, 99, [1, 2, 3, 4, 5], id="more than there is"),
        pytest.param(5, 0, [], id="none of it"),
    ],
)
async def test_a_page_of_the_past(
    store: RecordStore, position: int, limit: int, positions: list[int]
) -> None:
    await _filled(store, *"abcde")
    assert [record.position for record in await store.before("room", position, limit)] == positions


async def test_put_leaves_one_record_of_a_key_at_the_end(store: RecordStore, clock: ManualClock) -> None:
    await _filled(store, "a", "b")
    clock.advance(5)
    put = await store.put("room", "a", "anew")
    assert (put.position, put.body, put.stored_at) == (3, "anew", clock.now())
    assert _shape(await store.latest("room", 9)) == [(2, "b", "body of b"), (3, "a", "anew")]
    assert await store.by_key("room", "a") == put


async def test_put_of_the_newest_record_gives_a_new_position(store: RecordStore) -> None:
    assert [(await store.put("room", "a", str(n))).position for n in range(3)] == [1, 2, 3]
    assert _shape(await store.after("room", 0, 9)) == [(3, "a", "2")]


async def test_amend_changes_a_record_in_its_place_and_notes_it_at_the_end(
    store: RecordStore, clock: ManualClock
) -> None:
    await _filled(store, "a", "b")
    written_at = clock.now()
    clock.advance(5)
    note = await store.amend("room", "a", "better", note_key="n", note_body="a is better")
    assert note is not None
    assert (note.position, note.key, note.body) == (3, "n", "a is better")
    shape = [(1, "a", "better"), (2, "b", "body of b"), (3, "n", "a is better")]
    assert _shape(await store.after("room", 0, 9)) == shape
    assert (await store.latest("room", 9))[0].stored_at == written_at
    again = await store.amend("room", "a", "best", note_key="n", note_body="a is best")
    assert again is not None
    assert again.position == 4
    assert _shape(await store.after("room", 2, 9)) == [(4, "n", "a is best")]


async def test_amend_of_nothing_stores_nothing(store: RecordStore) -> None:
    await _filled(store, "a")
    assert await store.amend("room", "b", "better", note_key="n", note_body="b is better") is None
    assert _shape(await store.latest("room", 9)) == [(1, "a", "body of a")]


async def test_a_forgotten_stream_is_gone_and_begins_anew(store: RecordStore) -> None:
    await _filled(store, "a", "b")
    await _filled(store, "a", stream="other")
    await store.forget("room")
    await store.forget("nowhere")
    assert await store.latest("room", 9) == []
    assert await store.by_key("room", "a") is None
    assert len(await store.latest("other", 9)) == 1
    assert (await store.append("room", "a", "again")).position == 1


async def test_forgetting_what_is_old_leaves_the_rest_and_other_streams(
    store: RecordStore, clock: ManualClock
) -> None:
    for stream in ("log/a", "log/b", "LOG/a", "log_a", "person/a"):
        await _filled(store, "old", "older", stream=stream)
    clock.advance(60)
    then = clock.now()
    await _filled(store, "new", stream="log/a")
    assert await store.forget_before("log/", then) == 4
    assert _shape(await store.latest("log/a", 9)) == [(3, "new", "body of new")]
    assert await store.latest("log/b", 9) == []
    assert await store.by_key("log/b", "old") is None
    for stream in ("LOG/a", "log_a", "person/a"):
        assert len(await store.latest(stream, 9)) == 2
    assert await store.forget_before("log/", then) == 0


async def test_forgetting_what_is_old_in_one_stream_leaves_all_others(
    store: RecordStore, clock: ManualClock
) -> None:
    for stream in ("room", "room 2"):
        await _filled(store, "old", "older", stream=stream)
    clock.advance(60)
    then = clock.now()
    await _filled(store, "new")
    assert await store.forget_older("room", then) == 2
    assert _shape(await store.latest("room", 9)) == [(3, "new", "body of new")]
    assert len(await store.latest("room 2", 9)) == 2
    assert (await store.forget_older("room", then), await store.forget_older("nowhere", then)) == (0, 0)


async def test_positions_are_not_given_out_again_after_forgetting(
    store: RecordStore, clock: ManualClock
) -> None:
    for _ in range(3):
        await _filled(store, "a", "b")
        clock.advance(60)
        assert await store.forget_before("", clock.now()) == 2
        assert await store.after("room", 0, 9) == []
        assert await store.before("room", 99, 9) == []
    assert (await store.put("room", "a", "again")).position == 7
    assert _shape(await store.latest("room", 9)) == [(7, "a", "again")]


async def test_more_is_forgotten_than_one_transaction_takes(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.records._FORGET_BATCH", 3)
    store = SqlRecordStore(database, EphemeralVault(), "webchat", clock)
    await _filled(store, *"abcdefg")
    clock.advance(60)
    assert await store.forget_before("room", clock.now()) == 7
    assert (await store.append("room", "a", "again")).position == 8


async def test_nothing_of_what_was_forgotten_stays_in_its_row(database: Database, clock: ManualClock) -> None:
    store = SqlRecordStore(database, EphemeralVault(), "webchat", clock)
    await _filled(store, "a", "b")
    clock.advance(60)
    await store.forget_before("", clock.now())
    async with database.read() as connection:
        rows = (await connection.execute(Base.metadata.tables["adapter_records"].select())).all()
    assert [(row.position, row.key, row.body_sealed) for row in rows] == [(2, "", b"")]


async def test_concurrent_puts_leave_one_record_a_key(store: RecordStore) -> None:
    await asyncio.gather(*(store.put("room", f"k{n % 3}", str(n)) for n in range(12)))
    records = await store.latest("room", 99)
    assert sorted(record.key for record in records) == ["k0", "k1", "k2"]
    assert records[-1].position == 12


async def test_records_are_redacted_where_they_stand(store: RecordStore) -> None:
    await _filled(store, "a", "b", "c", "d")
    await _filled(store, "a", stream="other")
    await store.redact("room", {"b": "less", "c": None, "unknown": None})
    assert _shape(await store.latest("room", 9)) == [
        (1, "a", "body of a"),
        (2, "b", "less"),
        (4, "d", "body of d"),
    ]
    assert _shape(await store.latest("other", 9)) == [(1, "a", "body of a")]
    await store.redact("room", {"b": "less", "c": None, "unknown": None})
    assert len(await store.latest("room", 9)) == 3


async def test_positions_are_not_given_out_again_after_redacting(store: RecordStore) -> None:
    await _filled(store, "a", "b")
    await store.redact("room", {"a": None, "b": None})
    assert await store.after("room", 0, 9) == []
    assert (await store.append("room", "b", "again")).position == 3
    await store.redact("nowhere", {"a": None})
    assert (await store.append("nowhere", "a", "first")).position == 1


async def test_what_was_redacted_opens_with_no_key_that_is_left(
    database: Database, clock: ManualClock
) -> None:
    vault = EphemeralVault()
    store = SqlRecordStore(database, vault, "webchat", clock)
    await _filled(store, "a", "b")
    blobs = await _column(database, "adapter_records", "body_sealed")
    await store.redact("room", {"a": None})
    left = await _column(database, "adapter_keys", "data_key")
    left += await _column(database, "adapter_stream_keys", "data_key")
    for key, blob, item in product(left, blobs, "ab"):
        with pytest.raises(SealBroken):
            vault.open(key, blob, Place(chat="webchat/room", item=item, field=SealedField.RECORD))


async def test_a_stream_from_before_streams_had_keys_is_read_written_and_redacted(
    database: Database, clock: ManualClock
) -> None:
    vault = EphemeralVault()
    store = SqlRecordStore(database, vault, "webchat", clock)
    await _filled(store, "a")
    await store_old(database, vault, clock, "old", ["a"])
    assert (await store.append("old", "b", "new")).position == 2
    assert _shape(await store.latest("old", 9)) == [(1, "a", "body of a"), (2, "b", "new")]
    await store.redact("old", {"a": None})
    assert _shape(await store.latest("old", 9)) == [(2, "b", "new")]
    assert (await store.append("old", "c", "newer")).position == 3
    assert [record.body for record in await store.latest("old", 9)] == ["new", "newer"]


async def test_a_damaged_record_does_not_keep_others_from_being_redacted(
    database: Database, clock: ManualClock
) -> None:
    store = SqlRecordStore(database, EphemeralVault(), "webchat", clock)
    await _filled(store, "a", "b", "c")
    async with database.write() as connection:
        await connection.execute(
            text("UPDATE adapter_records SET body_sealed = :no WHERE key = 'b'"), {"no": b"x" * 40}
        )
    await store.redact("room", {"a": None})
    assert await store.by_key("room", "a") is None
    found = await store.by_key("room", "c")
    assert found is not None
    assert found.body == "body of c"
    with pytest.raises(SealBroken):
        await store.by_key("room", "b")


async def test_damaged_records_are_dropped_with_one_line_of_ids_and_the_rest_stays(
    database: Database, clock: ManualClock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.records._REDACT_BATCH", 2)
    store = SqlRecordStore(database, EphemeralVault(), "webchat", clock)
    await _filled(store, *"abcdef")
    async with database.write() as connection:
        await connection.execute(
            text("UPDATE adapter_records SET body_sealed = :no WHERE key IN ('b', 'c', 'f')"),
            {"no": b"x" * 40},
        )
    assert await store.drop_damaged("room") == 3
    assert [record.key for record in await store.latest("room", 9)] == ["a", "d", "e"]
    assert (await store.append("room", "g", "next")).position == 7
    [line] = [each.getMessage() for each in caplog.records if each.name == "bot.store.records"]
    assert line == "records of stream room of webchat are damaged and were dropped: [2, 3, 6]"


async def test_nothing_is_dropped_where_nothing_is_damaged(store: RecordStore) -> None:
    await _filled(store, "a", "b")
    assert (await store.drop_damaged("room"), await store.drop_damaged("nowhere")) == (0, 0)
    assert len(await store.latest("room", 9)) == 2


async def test_a_record_whose_key_is_missing_is_not_taken_for_a_damaged_one(
    database: Database, clock: ManualClock
) -> None:
    await _filled(SqlRecordStore(database, EphemeralVault(), "webchat", clock), "a")
    another = SqlRecordStore(database, EphemeralVault(), "webchat", clock)
    with pytest.raises(KeyMissing):
        await another.drop_damaged("room")
    assert len(await _column(database, "adapter_records", "body_sealed")) == 1


async def _column(database: Database, table: str, column: str) -> list[bytes]:
    async with database.read() as connection:
        asked = select(Base.metadata.tables[table].c[column])
        return [bytes(blob) for blob in (await connection.execute(asked)).scalars()]
