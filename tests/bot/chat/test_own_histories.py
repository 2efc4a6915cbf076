"""Adapters' own histories forget with the record: in the same transaction it is written down, and it is carried out."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, text

from adapters.base import Person
from adapters.own_history import OwnHistory
from adapters.records import RecordsUnavailable
from adapters.terminal.entries import entry_of
from adapters.terminal.history import History as TerminalHistory
from adapters.webchat.history import RoomHistory
from adapters.webchat.house import House, HouseRules
from bot.chat.aes_vault import AesVault
from bot.chat.ambient_memory import MemoryAmbient
from bot.chat.forgetting import Forgetter, Traces
from bot.chat.key_ring import KeyRing
from bot.chat.memory_context import MemoryContext
from bot.chat.own_histories import OwnHistories
from bot.chat.vault import Place, SealedField
from bot.errors import StoreUnavailable, VaultError, WrittenByNewer
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.scrubbing import scrub
from bot.store.tables import Base
from bot.turns.journal import Journal
from bot.turns.journal.cleanings import Cleanings
from bot.turns.journal.forgetting import Forgetting
from bot.turns.journal.history_wishes import HistoryWishes
from bot.turns.live_memory import MemoryLiveBus
from tests.fixtures.clocks import ManualClock
from tests.fixtures.houses import HouseKit
from tests.fixtures.turns import acceptance

WEBCHAT, TERMINAL = "webchat", "terminal"
CANARY = "walrus"


class RecordingHistory:
    """An `OwnHistory` that notes what it is told, and fails as a test says."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []
        self.failure: Exception | None = None
        self.happened = asyncio.Event()

    async def forget_all(self, conversation: str, before: datetime) -> None:
        await self._note(conversation, None)

    async def forget_person(self, conversation: str, person: str, before: datetime) -> None:
        await self._note(conversation, person)

    async def _note(self, conversation: str, person: str | None) -> None:
        if self.failure is not None:
            raise self.failure
        self.told.append((conversation, person))
        self.happened.set()


@dataclass(kw_only=True)
class World:
    """A record, and what forgets in it."""

    database: Database
    clock: ManualClock
    vault: AesVault
    scrubbed: int = 0

    @property
    def forgetting(self) -> Forgetting:
        return Forgetting(self.database, self.vault, self.clock, {WEBCHAT})

    @property
    def wishes(self) -> HistoryWishes:
        return HistoryWishes(self.database)

    async def ask(self, room: str = "room", sender: str = "ann", adapter: str = WEBCHAT) -> str:
        journal = Journal(self.database, self.vault, self.clock)
        wanted = acceptance(CANARY, conversation=room, sender=sender, adapter=adapter)
        [receipt] = await journal.accept([wanted])
        assert receipt.chat_id
        return receipt.chat_id

    def forgetter(self, history: OwnHistory, *, keeps: bool = True, **more: float) -> Forgetter:
        async def scrubbed() -> None:
            self.scrubbed += 1
            await scrub(self.database)

        traces = Traces(
            contexts=MemoryContext(),
            ambient=MemoryAmbient(self.clock.monotonic),
            live=MemoryLiveBus(self.clock),
            scrub=scrubbed,
            rewrite_log=None,
            cleanings=Cleanings(self.database, self.clock),
            histories=OwnHistories(self.wishes, {WEBCHAT: history}, keeps=keeps),
        )
        return Forgetter(self.forgetting, traces, settle_s=0.0, **more)


@pytest.fixture
def world(database: Database, clock: ManualClock) -> World:
    return World(database=database, clock=clock, vault=AesVault(KeyRing.fresh(), organisation="test"))


async def test_a_history_forgets_what_the_record_forgot_and_is_told_once(world: World) -> None:
    history = RecordingHistory()
    forgetter = world.forgetter(history)
    await forgetter.chat(await world.ask("one"))
    group = await world.ask("two", sender="ann")
    chat = await world.forgetting.chat(group)
    assert chat is not None
    await forgetter.person(chat, "ann")
    await forgetter.clean()
    await forgetter.clean()
    assert history.told == [("one", None), ("two", "ann")]


async def test_a_platform_that_keeps_its_own_messages_is_told_nothing(world: World) -> None:
    await world.forgetting.forget_chat(await world.ask(adapter="telegram"))
    assert await world.wishes.pending({"telegram", WEBCHAT}) == []


async def test_a_command_takes_the_words_and_leaves_the_wish_to_who_shows_them(world: World) -> None:
    command, keeper = RecordingHistory(), RecordingHistory()
    beside = world.forgetter(command, keeps=False)
    await beside.chat(await world.ask())
    await beside.clean()
    running = asyncio.create_task(world.forgetter(keeper, look_s=0.01).run())
    async with asyncio.timeout(10):
        await keeper.happened.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert command.told == keeper.told == [("room", None)]


async def test_a_wish_outlives_a_crash(world: World) -> None:
    await world.forgetting.forget_chat(await world.ask())
    history = RecordingHistory()
    await OwnHistories(world.wishes, {WEBCHAT: history}).carry_out()
    assert history.told == [("room", None)]
    assert await world.wishes.pending({WEBCHAT}) == []


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        pytest.param(RecordsUnavailable("away"), StoreUnavailable, id="store away"),
        pytest.param(ValueError("newer"), WrittenByNewer, id="newer records"),
    ],
)
async def test_a_history_that_fails_is_asked_again_and_the_files_are_cleaned(
    world: World, failure: Exception, told: type[Exception]
) -> None:
    history = RecordingHistory()
    history.failure = failure
    forgetter = world.forgetter(history)
    await forgetter.chat(await world.ask())
    with pytest.raises(told):
        await forgetter.clean()
    with pytest.raises(told):
        await forgetter.clean()
    assert world.scrubbed == 1
    history.failure = None
    await forgetter.clean()
    assert history.told == [("room", None)]


# Damage


async def _damage(database: Database, key_like: str) -> None:
    async with database.write() as connection:
        spoilt = text("UPDATE adapter_records SET body_sealed = :no WHERE key LIKE :keys")
        changed = await connection.execute(spoilt, {"no": b"x" * 40, "keys": key_like})
        assert changed.rowcount == 1


@pytest.mark.parametrize("everybody", [True, False])
async def test_a_damaged_record_of_a_terminals_room_keeps_nothing_from_being_forgotten(
    world: World, caplog: pytest.LogCaptureFixture, everybody: bool
) -> None:
    store = SqlRecordStore(world.database, world.vault, TERMINAL, world.clock)
    history = TerminalHistory(store, "assistant", world.clock.now)
    for person, words in (("bob", "an old line"), ("ann", CANARY), ("cid", "stays")):
        await history.say("room", Person(id=person, name=person), "c", words, reply_to=None)
    await _damage(world.database, "said:bob:%")
    await history.forget_person("room", "ann", world.clock.now())
    assert [entry_of(each).text for each in await history.latest("room", 9)] == ["stays"]
    if everybody:
        await history.forget_all("room", world.clock.now())
        assert await history.latest("room", 9) == []
    assert caplog.text.count("damaged and were dropped: [1]") == 1


async def test_a_damaged_record_of_the_page_keeps_nothing_from_being_forgotten(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    kit = HouseKit(HouseRules(), SqlRecordStore(world.database, world.vault, WEBCHAT, world.clock))
    kit.clock = world.clock
    house = kit.opened()
    ann = await kit.guest("Ann")
    room, [ben] = await kit.group(ann, "Ben")
    said = await kit.say(ben, room, "an old line")
    asked = await kit.say(ann, room, f"{CANARY}?")
    answer = await kit.reply(room, CANARY, "o1", reply_to=asked.ref)
    await kit.reply(room, "stays", "o2", reply_to=said.ref)
    await house.rate(ben.id, room.id, answer.ref, "up")
    await _damage(world.database, said.ref)
    await _damage(world.database, f"{answer.ref}:%")
    await house.forget_said(room.id, ann.id, world.clock.now())
    left = await kit.opened().since(room.id, 0, 99)
    assert [each.text or each.markdown for each in left if each.is_message] == ["stays"]
    assert caplog.text.count("are damaged and were dropped") == 2


async def test_a_wish_is_carried_out_and_crossed_off_whatever_is_damaged(world: World) -> None:
    store = SqlRecordStore(world.database, world.vault, WEBCHAT, world.clock)
    history = TerminalHistory(store, "assistant", world.clock.now)
    await history.say("room", Person(id="ann", name="Ann"), "c", CANARY, reply_to=None)
    await _damage(world.database, "said:%")
    forgetter = world.forgetter(history)
    await forgetter.chat(await world.ask())
    await forgetter.clean()
    assert await world.wishes.pending({WEBCHAT}) == []


# The bytes


async def _sealed(database: Database) -> list[bytes]:
    async with database.read() as connection:
        column = Base.metadata.tables["adapter_records"].c.body_sealed
        return [bytes(blob) for blob in (await connection.execute(select(column))).scalars() if blob]


async def _keys(database: Database) -> list[bytes]:
    found: list[bytes] = []
    async with database.read() as connection:
        for table in ("adapter_stream_keys", "adapter_keys", "chats"):
            column = Base.metadata.tables[table].c.data_key
            found += (await connection.execute(select(column))).scalars()
    return found


async def _talked(world: World) -> tuple[House, str, str]:
    """Have somebody talk on the page; returns its house, the room's chat, and who it was."""
    kit = HouseKit(HouseRules(), SqlRecordStore(world.database, world.vault, WEBCHAT, world.clock))
    kit.clock = world.clock
    house = kit.opened()
    ann = await kit.guest("Ann")
    room, _ = await kit.group(ann, "Ben")
    said = await kit.say(ann, room, f"{CANARY}?")
    await kit.reply(room, f"{CANARY}!", "o1", reply_to=said.ref)
    return house, await world.ask(room.id, ann.id), ann.id


async def test_no_file_of_sqlite_holds_what_was_said_on_the_page(
    make_database: Callable, clock: ManualClock, tmp_path: Path
) -> None:
    async with Database(await make_database("sqlite")) as database:
        world = World(database=database, clock=clock, vault=AesVault(KeyRing.fresh(), organisation="test"))
        house, chat_id, person = await _talked(world)
        blobs, keys = await _sealed(database), await _keys(database)
        chat = await world.forgetting.chat(chat_id)
        assert chat is not None
        forgetter = world.forgetter(RoomHistory(house))
        await forgetter.person(chat, person)
        await forgetter.clean()
        files = b"".join(each.read_bytes() for each in (tmp_path / "record").rglob("*") if each.is_file())
        left = await _sealed(database)
        talk = [blob for blob in blobs if blob not in left]
        assert len(talk) >= 3
        assert [blob for blob in talk if blob in files] == []
        gone = [key for key in keys if key not in await _keys(database)]
        assert gone
        assert [key for key in gone if key in files] == []
        assert all(
            CANARY not in entry.text + entry.markdown for entry in await house.since(chat.conversation, 0, 99)
        )


async def test_no_key_of_postgresql_opens_what_was_said_on_the_page(
    make_database: Callable, clock: ManualClock, postgres: object
) -> None:
    async with Database(await make_database("postgresql")) as database:
        world = World(database=database, clock=clock, vault=AesVault(KeyRing.fresh(), organisation="test"))
        house, chat_id, _ = await _talked(world)
        chat = await world.forgetting.chat(chat_id)
        assert chat is not None
        stream = f"log/{chat.conversation}"
        records = Base.metadata.tables["adapter_records"]
        async with database.read() as connection:
            rows = (await connection.execute(records.select().where(records.c.stream == stream))).all()
        assert len(rows) >= 2
        old = await _keys(database)
        forgetter = world.forgetter(RoomHistory(house))
        await forgetter.chat(chat_id)
        await forgetter.clean()
        left = await _keys(database)
        for row in rows:
            place = Place(chat=f"{WEBCHAT}/{stream}", item=row.key, field=SealedField.RECORD)
            assert sum(_opens(world, key, row.body_sealed, place) for key in old) == 1
            assert sum(_opens(world, key, row.body_sealed, place) for key in left) == 0
        on_disk = await _bytes_of(database, "adapter_stream_keys")
        assert [key for key in old if key not in left and key in on_disk] == []


def _opens(world: World, key: bytes, blob: bytes, place: Place) -> bool:
    try:
        world.vault.open(key, blob, place)
    except VaultError:
        return False
    return True


async def _bytes_of(database: Database, table: str) -> bytes:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
        path = await connection.fetchval("SELECT pg_relation_filepath($1)", table)
        return bytes(await connection.fetchval("SELECT pg_read_binary_file($1)", path))
    finally:
        await connection.close()
