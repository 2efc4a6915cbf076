"""Rooms of an older version, sealed by one key of their adapter: nothing that stays opens an old copy of them."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest
from sqlalchemy import select, text

from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.chat.vault import Place, SealedField
from bot.errors import KeyMissing, SealBroken, StoreUnavailable
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.scrubbing import scrub
from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.journal import old_streams
from bot.turns.journal.cleanings import Cleanings
from bot.turns.journal.old_streams import OldStreams
from tests.fixtures.clocks import ManualClock
from tests.fixtures.old_streams import store_old

ADAPTER = "webchat"
KEYS = ["a", "b", "c", "d", "e"]


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_streams, "_BATCH", 2)
    monkeypatch.setattr(old_streams, "_PAUSE_S", 0.0)


@dataclass(kw_only=True)
class World:
    """A record in which an older version stored two rooms."""

    database: Database
    vault: AesVault
    clock: ManualClock

    @property
    def store(self) -> SqlRecordStore:
        return SqlRecordStore(self.database, self.vault, ADAPTER, self.clock)

    def renewal(self, database: Database | None = None) -> OldStreams:
        return OldStreams(database or self.database, self.vault, self.clock)

    async def bodies(self, stream: str) -> list[str]:
        return [record.body for record in await self.store.latest(stream, 99)]

    async def column(self, table: str, column: str) -> list[bytes]:
        async with self.database.read() as connection:
            asked = select(Base.metadata.tables[table].c[column])
            return [bytes(found) for found in (await connection.execute(asked)).scalars()]

    async def keys(self) -> list[bytes]:
        keys = await self.column("adapter_keys", "data_key")
        return keys + await self.column("adapter_stream_keys", "data_key")

    def opened(self, keys: list[bytes], blobs: list[bytes]) -> int:
        """Count on which blobs some key fits, at whatever place."""
        opened = 0
        for key in keys:
            for blob in blobs:
                for stream in ("one", "two"):
                    for item in KEYS:
                        place = Place(chat=f"{ADAPTER}/{stream}", item=item, field=SealedField.RECORD)
                        with contextlib.suppress(SealBroken):
                            self.vault.open(key, blob, place)
                            opened += 1
        return opened


@pytest.fixture
async def world(database: Database, clock: ManualClock) -> World:
    vault = AesVault(KeyRing.fresh(), organisation="test")
    for stream in ("one", "two"):
        await store_old(database, vault, clock, stream, KEYS)
    return World(database=database, vault=vault, clock=clock)


class Killed(Database):
    """A database whose process dies at its n-th write."""

    def __init__(self, database: Database, writes: int) -> None:
        self._alive, self._left = database, writes
        self.survey, self.read = database.survey, database.read

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[Transaction]:
        if self._left == 0:
            raise StoreUnavailable("killed")
        self._left -= 1
        async with self._alive.write(durable=durable) as connection:
            yield connection


async def test_no_key_that_stays_opens_an_old_copy_and_nothing_is_lost(world: World) -> None:
    copies = await world.column("adapter_records", "body_sealed")
    assert world.opened(await world.keys(), copies) == 2 * len(KEYS)
    await world.renewal().renew()
    assert world.opened(await world.keys(), copies) == 0
    assert await world.column("adapter_keys", "data_key") == [b""]
    for stream in ("one", "two"):
        assert await world.bodies(stream) == [f"body of {key}" for key in KEYS]
    assert len(await Cleanings(world.database, world.clock).owed()) == 1


async def test_what_a_kill_between_any_two_steps_left_is_finished_by_the_next_start(world: World) -> None:
    copies, kills = await world.column("adapter_records", "body_sealed"), 0
    while await world.column("adapter_keys", "data_key") != [b""]:
        with contextlib.suppress(StoreUnavailable):
            await world.renewal(Killed(world.database, 1)).renew()
        kills += 1
        assert await world.bodies("one") == await world.bodies("two") == [f"body of {key}" for key in KEYS]
    # Three steps for each room, and the last that destroys the key and owes the cleaning.
    assert kills == 7
    assert world.opened(await world.keys(), copies) == 0
    assert len(await Cleanings(world.database, world.clock).owed()) == 1


async def test_a_half_renewed_room_is_written_amended_and_redacted(world: World) -> None:
    with contextlib.suppress(StoreUnavailable):
        await world.renewal(Killed(world.database, 1)).renew()
    for stream in ("one", "two"):
        await world.store.append(stream, "new", "body of new")
        await world.store.amend(stream, "d", "amended", note_key="note", note_body="body of note")
        await world.store.redact(stream, {"a": None})
        wanted = ["body of b", "body of c", "amended", "body of e", "body of new", "body of note"]
        assert await world.bodies(stream) == wanted
    copies = await world.column("adapter_records", "body_sealed")
    await world.renewal().renew()
    assert await world.bodies("one") == wanted
    # A redaction seals all that stays by the stream's key: nothing is left to be done.
    assert await world.column("adapter_records", "body_sealed") == copies


async def test_a_second_start_has_nothing_to_do(world: World) -> None:
    await world.renewal().renew()
    copies, keys = await world.column("adapter_records", "body_sealed"), await world.keys()
    await world.renewal(Killed(world.database, 0)).renew()
    assert (await world.column("adapter_records", "body_sealed"), await world.keys()) == (copies, keys)


async def test_a_new_adapter_has_no_key_of_its_own_to_destroy(database: Database, clock: ManualClock) -> None:
    world = World(database=database, vault=AesVault(KeyRing.fresh(), organisation="test"), clock=clock)
    await world.store.append("room", "k", "body")
    await world.renewal(Killed(database, 0)).renew()
    assert await world.bodies("room") == ["body"]


async def test_a_damaged_record_keeps_no_key(world: World) -> None:
    async with world.database.write() as connection:
        await connection.execute(
            text("UPDATE adapter_records SET body_sealed = :no WHERE key = 'b' AND stream = 'one'"),
            {"no": b"\x01" * 60},
        )
    await world.renewal().renew()
    assert await world.column("adapter_keys", "data_key") == [b""]
    assert len(await world.bodies("two")) == len(KEYS)
    assert await world.store.drop_damaged("one") == 1
    assert await world.bodies("one") == [f"body of {key}" for key in KEYS if key != "b"]


async def test_without_the_key_that_wraps_it_nothing_is_destroyed(world: World) -> None:
    keys = await world.column("adapter_keys", "data_key")
    without = AesVault(KeyRing.fresh(), organisation="test")
    with pytest.raises(KeyMissing):
        await OldStreams(world.database, without, world.clock).renew()
    assert await world.column("adapter_keys", "data_key") == keys


async def test_it_goes_on_when_the_database_is_back(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(old_streams, "_AGAIN_S", 60.0)
    caplog.set_level(logging.INFO)
    dying = Killed(world.database, 0)

    async def pause(seconds: float) -> None:
        dying._left = 2 if seconds < 1.0 else 99

    monkeypatch.setattr(asyncio, "sleep", pause)
    await world.renewal(dying).run()
    lines = [each.getMessage() for each in caplog.records if each.name == old_streams.__name__]
    assert lines == [
        "rooms of an older version keep the key of that version for now: killed",
        "webchat: 10 records of an older version are sealed by keys of their streams",
    ]


async def test_no_table_of_postgresql_holds_the_old_key(
    make_database, clock: ManualClock, postgres: object
) -> None:
    async with Database(await make_database("postgresql")) as database:
        vault = AesVault(KeyRing.fresh(), organisation="test")
        world = World(database=database, vault=vault, clock=clock)
        await store_old(database, vault, clock, "one", KEYS)
        [old] = await world.column("adapter_keys", "data_key")
        assert old in await _bytes_of(database, "adapter_keys")
        await world.renewal().renew()
        await scrub(database)
        assert old not in await _bytes_of(database, "adapter_keys")


async def _bytes_of(database: Database, table: str) -> bytes:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
        path = await connection.fetchval("SELECT pg_relation_filepath($1)", table)
        return bytes(await connection.fetchval("SELECT pg_read_binary_file($1)", path))
    finally:
        await connection.close()
