"""Forgetting: what was said is in no row and no file afterwards, and nothing that stays opens a copy of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from adapters.base import ConversationKind, LivePhase, LiveSnapshot, Outcome, Quoted
from bot.chat.aes_vault import AesVault
from bot.chat.ambient import Heard
from bot.chat.ambient_memory import MemoryAmbient
from bot.chat.ambient_redis import RedisAmbient
from bot.chat.card import card_of
from bot.chat.context import Context
from bot.chat.forgetting import Forgetter, Traces
from bot.chat.key_ring import KeyRing
from bot.chat.memory_context import MemoryContext
from bot.chat.redis_context import RedisContext
from bot.chat.unquoting import Person, prompt_without, said_without
from bot.chat.vault import Place, SealedField
from bot.errors import ContextUnavailable, Fenced, ScheduleUnavailable, StoreUnavailable, VaultError
from bot.store.database import Database
from bot.store.redis_client import open_redis
from bot.store.redis_scrubbing import rewrite_log
from bot.store.scrubbing import scrub, tidy
from bot.store.tables import Base
from bot.turns.journal import Change, Journal
from bot.turns.journal.burying import bury_words
from bot.turns.journal.cleanings import Cleanings
from bot.turns.journal.forgetting import Forgetting
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.live_redis import RedisLiveBus
from bot.turns.model import Chat, Exchange, Memory, MemoryChange, Skill, Summary, Turn, TurnState
from tests.fixtures.clocks import ManualClock
from tests.fixtures.eventually import eventually
from tests.fixtures.turns import acceptance, reply
from tests.fixtures.valkey import RealServer

RING = KeyRing.fresh()
ASKED, ANSWERED, SUMMED = "walrus-asked", "walrus-answered", "walrus-summed"


@dataclass(kw_only=True)
class World:
    """A record with chats in it, and what forgets them."""

    database: Database
    journal: Journal
    vault: AesVault
    clock: ManualClock
    forgetting: Forgetting
    token: int = 0
    stopped: list[str] = field(default_factory=list)

    @property
    def cleanings(self) -> Cleanings:
        return Cleanings(self.database, self.clock)

    async def ask(self, words: str, room: str = "room", sender: str = "ann", **more: object) -> str:
        """Have somebody ask something; returns the chat's id."""
        wanted = acceptance(words, conversation=room, sender=sender, **more)
        [receipt] = await self.journal.accept([wanted])
        assert receipt.chat_id
        return receipt.chat_id

    async def claim(self, chat_id: str) -> Turn:
        self.token += 10
        turn = await self.journal.claim(chat_id, self.token, "epoch")
        assert turn is not None
        return turn

    async def talk(
        self, words: str, answer: str, room: str = "room", sender: str = "ann", **more: object
    ) -> str:
        """Have somebody ask something and be answered, as it is in a chat's memory."""
        chat_id = await self.ask(words, room, sender, **more)
        await self.answer(chat_id, words, answer)
        return chat_id

    async def answer(self, chat_id: str, prompt: str, answer: str) -> Turn:
        turn = await self.claim(chat_id)
        turn = await self.journal.store_reply(turn, reply(answer, prompt=prompt))
        await self.journal.start_part(turn, 0)
        await self.journal.part_sent(turn, 0, "message")
        await self.journal.finish(turn)
        return turn

    async def remember(self, chat_id: str, what: str, sender: str = "ann") -> None:
        """Have somebody's wish stand on the chat's card."""
        await self.ask(f"/remember {what}", sender=sender, skill=Skill.REMEMBER)
        turn = await self.claim(chat_id)
        known = await self.journal.memories(turn.chat)
        new = Memory(
            id=turn.id, number=known.next_number, text=what, sender_id=sender, sender_name=sender.title()
        )
        change = MemoryChange(adds=new, card=card_of([*known.memories, new], turn.chat.kind))
        told = replace(reply("remembered", prompt=None), memories=change)
        turn = await self.journal.store_reply(turn, told)
        await self.journal.part_sent(turn, 0, "message")
        await self.journal.finish(turn)

    async def remembered(self, chat_id: str) -> list[tuple[str, str]]:
        chat = await self.forgetting.chat(chat_id)
        assert chat is not None
        return [(one.prompt, one.reply) for one in await self.journal.exchanges(chat, 99)]

    async def blobs(self) -> list[bytes]:
        """Read every sealed value of the record."""
        found: list[bytes] = []
        async with self.database.read() as connection:
            for table in Base.metadata.tables.values():
                for column in table.columns:
                    if column.name.endswith("_sealed"):
                        found += (
                            await connection.execute(column.table.select().with_only_columns(column))
                        ).scalars()
        return [blob for blob in found if blob]

    async def keys(self) -> list[bytes]:
        async with self.database.read() as connection:
            return list((await connection.execute(text("SELECT data_key FROM chats"))).scalars())


@pytest.fixture
def world(database: Database, clock: ManualClock) -> World:
    vault = AesVault(RING, organisation="test")
    return World(
        database=database,
        journal=Journal(database, vault, clock),
        vault=vault,
        clock=clock,
        forgetting=Forgetting(database, vault, clock),
    )


def copies_open(world: World, keys: list[bytes], blobs: list[bytes], chat_id: str, items: list[str]) -> int:
    """Try every key that remains on every old copy, at every place that it could be of."""
    opened = 0
    for key in keys:
        for blob in blobs:
            for item in items:
                for what in SealedField:
                    with contextlib.suppress(VaultError):
                        world.vault.open(key, blob, Place(chat=chat_id, item=item, field=what))
                        opened += 1
    return opened


async def items_of(world: World) -> list[str]:
    async with world.database.read() as connection:
        ids = list((await connection.execute(text("SELECT id FROM turns"))).scalars())
        ids += (await connection.execute(text("SELECT id FROM inbounds"))).scalars()
        ids += (await connection.execute(text("SELECT op_id FROM reply_parts"))).scalars()
    return [*ids, "1", "card"]


async def test_nothing_of_a_chat_is_left_and_no_copy_opens(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    await world.talk("kept", "kept too", room="other")
    old = await world.forgetting.chat(chat_id)
    assert await world.journal.store_summary(old, Summary(ord=1, text=SUMMED))
    copies, items = await world.blobs(), await items_of(world)
    assert copies_open(world, [old.key], copies, chat_id, items) >= 5
    forgotten = await world.forgetting.forget_chat(chat_id)
    assert forgotten.turns == 1
    assert await world.remembered(chat_id) == []
    assert copies_open(world, await world.keys(), copies, chat_id, items) == 0
    assert set(await world.blobs()) == set(copies) & set(await world.blobs())
    assert len(await world.blobs()) == 4
    assert old.salt_epoch + 1 == forgotten.chat.salt_epoch
    assert old.context_version < forgotten.chat.context_version


async def test_a_backup_opens_until_the_next_epoch_and_not_after(world: World) -> None:
    """Who has a copy of rows and wrapped keys needs the key of that epoch, which the rotation destroys."""
    chat_id = await world.talk(ASKED, ANSWERED)
    [old_key], copies, items = await world.keys(), await world.blobs(), await items_of(world)
    await world.forgetting.forget_chat(chat_id)
    assert copies_open(world, [old_key], copies, chat_id, items) >= 4
    later = RING.with_next_epoch(world.clock.now()).without([RING.current])
    world.vault = AesVault(later, organisation="test")
    assert copies_open(world, [old_key], copies, chat_id, items) == 0


async def test_who_said_it_is_forgotten_too(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    await world.forgetting.forget_chat(chat_id)
    async with world.database.read() as connection:
        assert list((await connection.execute(text("SELECT sender_id FROM turns"))).scalars()) == [""]
        assert not list(await connection.execute(text("SELECT * FROM inbounds")))


async def test_a_forgotten_event_makes_no_second_turn(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED, event="once")
    await world.forgetting.forget_chat(chat_id)
    [receipt] = await world.journal.accept([acceptance(ASKED, conversation="room", event="once")])
    assert (receipt.outcome, receipt.turn_id) == (Outcome.DUPLICATE, None)
    assert await world.forgetting.knows("fake", "main", "once")
    assert not await world.forgetting.knows("fake", "main", "another")


async def test_no_event_key_is_left(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED, event="walrus-event")
    await world.forgetting.forget_chat(chat_id)
    async with world.database.read() as connection:
        for table in Base.metadata.tables.values():
            assert "walrus-event" not in str((await connection.execute(table.select())).all())


async def test_an_old_event_leaves_no_tombstone(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    world.clock.advance(timedelta(days=8).total_seconds())
    await world.forgetting.forget_chat(chat_id)
    async with world.database.read() as connection:
        assert not list(await connection.execute(text("SELECT * FROM tombstones")))


async def test_a_chat_goes_on_with_a_new_key(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    await world.forgetting.forget_chat(chat_id)
    await world.talk("and now?", "anew")
    assert await world.remembered(chat_id) == [("and now?", "anew")]


async def test_who_works_on_a_forgotten_turn_can_store_nothing(world: World) -> None:
    chat_id = await world.ask(ASKED)
    turn = await world.claim(chat_id)
    await world.journal.placeholder_posted(turn, "placeholder")
    forgotten = await world.forgetting.forget_chat(chat_id)
    assert forgotten.held == (turn.id,)
    with pytest.raises(Fenced):
        await world.journal.store_reply(turn, reply(ANSWERED))
    notice = await world.journal.claim_notice(world.clock.now(), 5.0)
    assert (notice.text, notice.placeholder) == ("Stopped.", "placeholder")


async def test_a_late_edit_of_a_forgotten_reply_is_not_said_again(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    async with world.database.read() as connection:
        turn_id = (await connection.execute(text("SELECT id FROM turns"))).scalar_one()
    await world.forgetting.forget_chat(chat_id)
    await world.journal.mark_restate(turn_id)
    assert await world.journal.claim(chat_id, 999, "epoch") is None


async def test_many_turns_are_forgotten(world: World) -> None:
    for number in range(230):
        chat_id = await world.ask(f"{ASKED} {number}", event=f"many-{number}", sender=f"person-{number}")
        await world.journal.request_cancel(chat_id)
    assert (await world.forgetting.forget_chat(chat_id)).turns == 230
    assert await world.blobs() == []


# One person in a group


async def test_the_others_stay_and_one_person_goes(world: World) -> None:
    chat_id = await world.talk("bob before", "to bob", sender="bob")
    await world.talk(ASKED, ANSWERED, sender="ann")
    await world.talk("bob after", "to bob again", sender="bob")
    old, copies, items = await world.forgetting.chat(chat_id), await world.blobs(), await items_of(world)
    forgotten = await world.forgetting.forget_person(chat_id, "ann")
    assert forgotten.turns == 1
    assert await world.remembered(chat_id) == [("bob before", "to bob"), ("bob after", "to bob again")]
    assert copies_open(world, [old.key], copies, chat_id, items) >= 12
    assert copies_open(world, await world.keys(), copies, chat_id, items) == 0


async def test_summaries_go_and_the_card_stays_readable(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    old = await world.forgetting.chat(chat_id)
    assert await world.journal.store_summary(old, Summary(ord=1, text=SUMMED))
    await world.remember(chat_id, "a wish", sender="bob")
    new = (await world.forgetting.forget_person(chat_id, "ann")).chat
    background = await world.journal.background(new)
    assert (background.card, background.summary, background.next_summary) == ("- Bob: a wish", None, None)


async def test_what_the_person_asked_to_have_remembered_goes_and_no_copy_of_it_opens(world: World) -> None:
    chat_id = await world.talk("before", "answered", sender="bob")
    for sender, what in (("ann", "walrus-of-ann"), ("bob", "a wish"), ("ann", "walrus-again")):
        await world.remember(chat_id, what, sender=sender)
    old, copies, items = await world.forgetting.chat(chat_id), await world.blobs(), await items_of(world)
    assert copies_open(world, [old.key], copies, chat_id, items) == len(copies)
    new = (await world.forgetting.forget_person(chat_id, "ann")).chat
    assert [one.text for one in (await world.journal.memories(new)).memories] == ["a wish"]
    assert (await world.journal.background(new)).card == "- Bob: a wish"
    assert copies_open(world, await world.keys(), copies, chat_id, items) == 0
    assert not set(copies) & set(await world.blobs())


async def test_nothing_a_chat_asked_to_have_remembered_is_left(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    await world.remember(chat_id, "walrus")
    new = (await world.forgetting.forget_chat(chat_id)).chat
    known = await world.journal.memories(new)
    assert (known.memories, (await world.journal.background(new)).card) == ((), "")


async def test_a_summary_that_comes_late_does_not_come_back(world: World) -> None:
    chat_id = await world.talk(ASKED, ANSWERED)
    old = await world.forgetting.chat(chat_id)
    await world.forgetting.forget_person(chat_id, "ann")
    assert not await world.journal.store_summary(old, Summary(ord=1, text=SUMMED))


async def test_anothers_running_turn_is_begun_anew_under_the_new_key(world: World) -> None:
    await world.talk(ASKED, ANSWERED, sender="ann")
    chat_id = await world.ask("bob asks", sender="bob")
    turn = await world.claim(chat_id)
    assert (await world.forgetting.forget_person(chat_id, "ann")).held == (turn.id,)
    with pytest.raises(Fenced):
        await world.journal.store_reply(turn, reply("with the old key"))
    again = await world.claim(chat_id)
    assert (again.id, again.attempts, again.state) == (turn.id, 0, TurnState.WAITING)
    assert [said.text for said in again.said] == ["bob asks"]


async def test_a_stored_reply_to_another_is_still_sent(world: World) -> None:
    await world.talk(ASKED, ANSWERED, sender="ann")
    chat_id = await world.ask("bob asks", sender="bob")
    stored = await world.journal.store_reply(await world.claim(chat_id), reply("for bob", parts=("for bob",)))
    await world.forgetting.forget_person(chat_id, "ann")
    again = await world.claim(chat_id)
    assert (again.id, again.reply, again.parts[0].text) == (stored.id, "for bob", "for bob")


async def test_quotes_of_the_person_leave_what_others_said(world: World) -> None:
    await world.talk(ASKED, ANSWERED, sender="ann")
    quoting = acceptance("what does she mean?", conversation="room", sender="bob")
    quoted = Quoted(ref="m", author="Ann", text=ASKED, by_assistant=False)
    [receipt] = await world.journal.accept(
        [replace(quoting, inbound=replace(quoting.inbound, quoted=quoted))]
    )
    await world.forgetting.forget_person(receipt.chat_id, "ann")
    turn = await world.claim(receipt.chat_id)
    assert [(said.text, said.quoted_author, said.quoted_text) for said in turn.said] == [
        ("what does she mean?", "", "")
    ]


async def test_a_person_is_found_in_every_chat_of_an_account(world: World) -> None:
    mine = await world.talk("direct", "answer", room="direct", kind=ConversationKind.DIRECT)
    group = await world.talk(ASKED, ANSWERED, room="group")
    await world.talk("bob", "to bob", room="bobs", sender="bob")
    found = await world.forgetting.chats_of("fake", "main", "ann")
    assert {chat.id for chat in found} == {mine, group}


@pytest.mark.parametrize(
    ("prompt", "left"),
    [
        pytest.param("‹from Bob, time now› hello", "‹from Bob, time now› hello", id="nothing of hers"),
        pytest.param(
            "‹quote by Ann›\nher words\nin lines\n‹end of quote›\n‹from Bob› why?",
            "‹from Bob› why?",
            id="quote",
        ),
        pytest.param(
            "‹quote by Cid›\nhis\n‹end of quote›\n‹from Bob› why?",
            "‹quote by Cid›\nhis\n‹end of quote›\n‹from Bob› why?",
            id="another's quote",
        ),
        pytest.param(
            "‹quote by Old Name›\nwalrus\n‹end of quote›\n‹from Bob› why?",
            "‹from Bob› why?",
            id="by the words",
        ),
        pytest.param(
            "‹recent from Ann› one\nand more\n‹recent from Cid› two\n‹end of recent messages›\n‹from Bob› ok",
            "‹recent from Cid› two\n‹end of recent messages›\n‹from Bob› ok",
            id="overheard",
        ),
        pytest.param(
            "‹recent from Ann› one\n‹end of recent messages›\n‹from Bob› ok",
            "‹from Bob› ok",
            id="all overheard",
        ),
    ],
)
def test_a_prompt_without_a_person(prompt: str, left: str) -> None:
    assert prompt_without(prompt, Person.of({"Ann"}, {"walrus"})) == left


def test_a_person_without_a_name_takes_nobodys_quotes() -> None:
    body = '{"quoted_author": "", "quoted_text": "", "text": "x"}'
    assert said_without(body, Person.of({""}, {""})) == body


# The files


def raw(*directories: Path) -> bytes:
    return b"".join(
        each.read_bytes() for folder in directories for each in sorted(folder.rglob("*")) if each.is_file()
    )


async def test_no_file_of_sqlite_holds_what_was_sealed(
    make_database, clock: ManualClock, tmp_path: Path
) -> None:
    async with Database(await make_database("sqlite")) as database:
        world = World(
            database=database,
            journal=Journal(database, AesVault(RING, organisation="test"), clock),
            vault=AesVault(RING, organisation="test"),
            clock=clock,
            forgetting=Forgetting(database, AesVault(RING, organisation="test"), clock),
        )
        chat_id = await world.talk(ASKED, ANSWERED, event="walrus-event", sender="walrus-sender")
        canaries = [*await world.blobs(), *await world.keys(), b"walrus-event", b"walrus-sender"]
        assert all(canary in raw(tmp_path / "record") for canary in canaries)
        await world.forgetting.forget_chat(chat_id)
        await scrub(database)
        found = raw(tmp_path / "record")
        assert [canary for canary in canaries if canary in found] == []


async def test_a_reader_delays_the_end_of_the_log_but_not_for_ever(
    make_database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.scrubbing._WAIT_S", 0.0)
    monkeypatch.setattr("bot.store.scrubbing._TRIES", 2)
    monkeypatch.setattr("bot.store.scrubbing._PAUSE_S", 0.0)
    async with Database(await make_database("sqlite")) as database:
        async with database.read() as reader:
            await reader.execute(text("SELECT * FROM chats"))
            async with database.write() as connection:
                await connection.execute(text("DELETE FROM tombstones"))
                await connection.execute(
                    Base.metadata.tables["tombstones"].insert(),
                    [{"digest": "x", "ends_at": ManualClock().now()}],
                )
            with pytest.raises(StoreUnavailable, match="is being read"):
                await scrub(database)
        await scrub(database)


async def test_no_table_of_postgresql_holds_the_old_key(make_database, clock: ManualClock, postgres) -> None:
    async with Database(await make_database("postgresql")) as database:
        vault = AesVault(RING, organisation="test")
        world = World(
            database=database,
            journal=Journal(database, vault, clock),
            vault=vault,
            clock=clock,
            forgetting=Forgetting(database, vault, clock),
        )
        chat_id = await world.talk(ASKED, ANSWERED)
        [old] = await world.keys()
        await world.forgetting.forget_chat(chat_id)
        await scrub(database)
        assert old not in await _bytes_of_chats(database)
        [new] = await world.keys()
        assert new in await _bytes_of_chats(database)


async def test_an_older_reader_keeps_postgresql_from_being_called_clean(
    make_database, monkeypatch: pytest.MonkeyPatch, postgres
) -> None:
    monkeypatch.setattr("bot.store.vacuuming._TRIES", 2)
    monkeypatch.setattr("bot.store.vacuuming._PAUSE_S", 0.0)
    async with Database(await make_database("postgresql")) as database:
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        reader = await asyncpg.connect(url)
        try:
            async with reader.transaction(isolation="repeatable_read", readonly=True):
                await reader.fetch("SELECT 1 FROM turns")
                async with database.write() as connection:
                    await connection.execute(text("SELECT pg_current_xact_id()"))
                with pytest.raises(StoreUnavailable, match="is open for long"):
                    await scrub(database)
            await scrub(database)
        finally:
            await reader.close()


@pytest.mark.parametrize("clean", [scrub, tidy])
async def test_a_role_that_may_not_clean_a_table_is_told(make_database, postgres, clean) -> None:
    async with Database(await make_database("postgresql")) as database:
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        owner = await asyncpg.connect(url)
        role = f"app_{clean.__name__}"
        try:
            await owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'")
            await owner.execute(f"GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
            theirs = database.url.set(username=role, password=role).render_as_string(hide_password=False)
            async with Database(theirs) as poor:
                with pytest.raises(StoreUnavailable, match="has to own the tables"):
                    await clean(poor)
            await owner.execute(f"DROP OWNED BY {role}")
            await owner.execute(f"DROP ROLE {role}")
        finally:
            await owner.close()


async def _bytes_of_chats(database: Database) -> bytes:
    """Read the table's file as it is on disk, through the server: it belongs to another user."""
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CHECKPOINT")
        path = await connection.fetchval("SELECT pg_relation_filepath('chats')")
        return await connection.fetchval("SELECT pg_read_binary_file($1)", path)
    finally:
        await connection.close()


# Redis, and who asks


@dataclass(kw_only=True)
class Cached:
    """What one forgetter has to do with."""

    world: World
    redis: Redis
    forgetter: Forgetter
    contexts: RedisContext
    ambient: RedisAmbient
    bus: RedisLiveBus


@pytest.fixture
async def cached(make_database, clock: ManualClock, own_valkey: RealServer) -> AsyncIterator[Cached]:
    vault = AesVault(RING, organisation="test")
    async with Database(await make_database("sqlite")) as database, open_redis(own_valkey.url) as redis:
        world = World(
            database=database,
            journal=Journal(database, vault, clock),
            vault=vault,
            clock=clock,
            forgetting=Forgetting(database, vault, clock),
        )
        contexts = RedisContext(redis, vault=vault, names_key=bytes(32))
        ambient, bus = RedisAmbient(redis, vault=vault), RedisLiveBus(redis, vault)
        traces = Traces(
            contexts=contexts,
            ambient=ambient,
            live=bus,
            scrub=lambda: scrub(database),
            rewrite_log=lambda: rewrite_log(redis),
            cleanings=Cleanings(database, clock),
        )
        yield Cached(
            world=world,
            redis=redis,
            forgetter=Forgetter(world.forgetting, traces, settle_s=0.0, pace_s=0.0),
            contexts=contexts,
            ambient=ambient,
            bus=bus,
        )


async def _fill_redis(cached: Cached, chat: Chat, turn_id: str) -> list[bytes]:
    """Put everything into Redis that ever is there of a chat, and return its bytes."""
    exchange = Exchange(ord=1, prompt=ASKED, reply=ANSWERED)
    await cached.contexts.save(chat, Context(version=1, context_from=0, exchanges=(exchange,)))
    listening = replace(chat, recent_messages=5, recent_hours=1)
    heard = Heard(message="m", sender_id="a", sender_name="A", text=ASKED, at=cached.world.clock.now())
    await cached.ambient.add(listening, heard)
    snapshot = LiveSnapshot(
        turn_id=turn_id,
        account="main",
        conversation="room",
        reply_to=None,
        phase=LivePhase.STREAMING,
        text=ANSWERED,
        number=1,
    )
    await cached.bus.publish(chat, snapshot)
    values: list[bytes] = []
    for key in await cached.redis.keys("*"):
        kind = await cached.redis.type(key)
        if kind == b"list":
            values += await cached.redis.lrange(key, 0, -1)
        elif kind == b"string":
            values.append(await cached.redis.get(key))
        elif kind == b"hash" and key.endswith(b":kept"):
            values += (await cached.redis.hgetall(key)).values()
    assert len(values) == 3
    return values


async def test_nothing_is_left_in_redis_nor_in_its_file(cached: Cached, own_valkey: RealServer) -> None:
    world = cached.world
    chat_id = await world.talk(ASKED, ANSWERED)
    async with world.database.read() as connection:
        turn_id = (await connection.execute(text("SELECT id FROM turns"))).scalar_one()
    values = await _fill_redis(cached, await world.forgetting.chat(chat_id), turn_id)
    folder = own_valkey.socket.parent
    await cached.redis.set("mark", "x" * 2000)

    async def is_written() -> bool:
        """Redis writes its log later while an older part of it goes to the disk."""
        return all(value in raw(folder / "appendonlydir") for value in values)

    await eventually(is_written)
    await cached.forgetter.chat(chat_id)
    await cached.forgetter.clean()
    found = raw(folder / "appendonlydir")
    assert [value for value in values if value in found] == []
    left = [key for key in await cached.redis.keys("*") if b"chat:" in key]
    assert [key for key in left if not key.endswith(b":deaf")] == []


async def test_what_cannot_be_cleaned_now_is_cleaned_later(cached: Cached, own_valkey: RealServer) -> None:
    chat_id = await cached.world.talk(ASKED, ANSWERED)
    own_valkey.stop()
    await cached.forgetter.chat(chat_id)
    with pytest.raises(ContextUnavailable, match="Redis cannot be used now"):
        await cached.forgetter.clean()
    own_valkey.start()
    chat = await cached.world.forgetting.chat(chat_id)
    await cached.contexts.save(chat, Context(version=9, context_from=0, exchanges=()))
    await cached.forgetter.clean()
    assert await cached.contexts.load(chat) is None


async def test_it_cleans_by_itself(world: World) -> None:
    cleaned = asyncio.Event()
    forgetter = Forgetter(world.forgetting, _in_memory(world, cleaned), settle_s=0.0)
    running = asyncio.create_task(forgetter.run())
    await forgetter.chat(await world.talk(ASKED, ANSWERED))
    async with asyncio.timeout(10):
        await cleaned.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_a_crash_left_is_cleaned_at_the_start(world: World) -> None:
    await world.forgetting.forget_chat(await world.talk(ASKED, ANSWERED))
    await _runs_until_clean(world)
    assert await world.cleanings.owed() == {}


async def test_what_another_process_left_uncleaned_is_cleaned_by_one_that_runs(world: World) -> None:
    cleaned, looked = asyncio.Event(), asyncio.Event()

    class Noting(Cleanings):
        async def owed(self, age: timedelta | None = None) -> dict[str, Chat | None]:
            found = await super().owed(age)
            if age is not None:
                looked.set()
            return found

    traces = replace(_in_memory(world, cleaned), cleanings=Noting(world.database, world.clock))
    looks = Forgetter(world.forgetting, traces, settle_s=0.0, look_s=0.01)
    running = asyncio.create_task(looks.run())
    async with asyncio.timeout(10):
        await looked.wait()
    await world.forgetting.forget_chat(await world.talk(ASKED, ANSWERED))
    world.clock.advance(3600.0)
    async with asyncio.timeout(10):
        await cleaned.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_what_is_adopted_goes_out_of_the_caches_too(world: World) -> None:
    forgotten = await world.forgetting.forget_chat(await world.talk(ASKED, ANSWERED))
    traces = _in_memory(world, asyncio.Event())
    await traces.contexts.save(forgotten.chat, Context(version=9, context_from=0, exchanges=()))
    await _runs_until_clean(world, traces)
    assert await traces.contexts.load(forgotten.chat) is None


async def test_the_files_are_not_cleaned_again_because_the_redis_log_could_not_be(world: World) -> None:
    cleanings: list[str] = []

    async def scrubbed() -> None:
        cleanings.append("files")

    async def refused() -> None:
        cleanings.append("log")
        raise ScheduleUnavailable("NOPERM")

    traces = replace(_in_memory(world, asyncio.Event()), scrub=scrubbed, rewrite_log=refused)
    forgetter = Forgetter(world.forgetting, traces, settle_s=0.0)
    await forgetter.chat(await world.talk(ASKED, ANSWERED))
    for _ in range(2):
        with pytest.raises(ScheduleUnavailable):
            await forgetter.clean()
    assert cleanings == ["files", "log", "log"]
    assert len(await world.cleanings.owed()) == 1


async def _runs_until_clean(world: World, traces: Traces | None = None) -> None:
    """Start as after a crash, and go on until nothing is owed."""
    crossed_off = asyncio.Event()

    class Noting(Cleanings):
        async def done(self, cleanings: Collection[str]) -> None:
            await super().done(cleanings)
            crossed_off.set()

    traces = traces or _in_memory(world, asyncio.Event())
    traces = replace(traces, cleanings=Noting(world.database, world.clock))
    running = asyncio.create_task(Forgetter(world.forgetting, traces, settle_s=0.0).run())
    async with asyncio.timeout(10):
        await crossed_off.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def _in_memory(world: World, cleaned: asyncio.Event) -> Traces:
    async def scrubbed() -> None:
        cleaned.set()

    return Traces(
        contexts=MemoryContext(),
        ambient=MemoryAmbient(world.clock.monotonic),
        live=MemoryLiveBus(world.clock),
        scrub=scrubbed,
        rewrite_log=None,
        cleanings=world.cleanings,
    )


async def test_everywhere_is_all_of_a_direct_chat_and_the_person_alone_in_groups(world: World) -> None:
    direct = await world.talk(ASKED, ANSWERED, room="direct", kind=ConversationKind.DIRECT)
    group = await world.talk(ASKED, ANSWERED, room="group")
    await world.talk("bob asks", "to bob", room="group", sender="bob")
    forgetter = Forgetter(world.forgetting, _in_memory(world, asyncio.Event()))
    assert len(await forgetter.everywhere("fake", "main", "ann")) == 2
    assert await world.remembered(direct) == []
    assert await world.remembered(group) == [("bob asks", "to bob")]


async def test_an_edit_during_forgetting_is_sealed_by_the_key_that_stays(
    make_database, clock: ManualClock, postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def held(*arguments: object) -> None:
        begun.set()
        await go_on.wait()
        await bury_words(*arguments)

    monkeypatch.setattr("bot.turns.journal.forgetting.bury_words", held)
    async with Database(await make_database("postgresql")) as database:
        vault = AesVault(RING, organisation="test")
        journal, forgetting = Journal(database, vault, clock), Forgetting(database, vault, clock)
        await journal.accept([acceptance("to be forgotten", sender="ann")])
        before = acceptance("before", sender="bob", event="bobs")
        [receipt] = await journal.accept([before])
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            tasks.create_task(forgetting.forget_person(receipt.chat_id, "ann"))
            await begun.wait()
            edit = tasks.create_task(journal.amend(replace(before, text="after")))
            await _somebody_waits_for_a_lock(database)
            go_on.set()
        assert edit.result().change is Change.CHANGED
        turn = await journal.claim(receipt.chat_id, 10, "epoch")
        assert turn is not None
        assert [said.text for said in turn.said] == ["after"]


async def _somebody_waits_for_a_lock(database: Database) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while True:
        async with database.read() as connection:
            if (await connection.execute(waiting)).scalar_one():
                return
        await asyncio.sleep(0.01)


async def test_everywhere_is_also_where_it_is_asked_for_whatever_is_kept_there(world: World) -> None:
    """Retention empties who asked; the room that shows the messages may still have them."""
    direct = await world.talk(ASKED, ANSWERED, room="direct", kind=ConversationKind.DIRECT)
    await world.forgetting.forget_chat(direct)
    forgetter = Forgetter(world.forgetting, _in_memory(world, asyncio.Event()))
    assert await forgetter.everywhere("fake", "main", "ann") == []
    forgotten = await forgetter.everywhere("fake", "main", "ann", asked_in="direct")
    assert [one.chat.id for one in forgotten] == [direct]


async def test_no_export_keeps_a_copy_of_what_is_forgotten_elsewhere(world: World) -> None:
    await world.talk("/export", ASKED, room="direct", kind=ConversationKind.DIRECT, skill=Skill.EXPORT)
    await world.forgetting.forget_chat(await world.talk(ASKED, ANSWERED, room="group"))
    # What is left is the message that asked for the export.
    assert len(await world.blobs()) == 1
