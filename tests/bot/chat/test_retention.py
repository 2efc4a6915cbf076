"""Retention: words go when they are too old, everywhere, and nothing else does."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from adapters.base import Outcome
from bot.chat.believing import TRUST_AFTER_S
from bot.chat.context import Context
from bot.chat.memory_context import MemoryContext
from bot.chat.memory_vault import EphemeralVault
from bot.chat.retention import AT_ONCE_S, Elsewhere, OwnStore, Retention
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.scrubbing import tidy
from bot.store.tables import Base
from bot.turns.dead_letters import Which
from bot.turns.journal import Journal
from bot.turns.journal.dead import DeadLetters
from bot.turns.journal.retaining import Due, Retaining
from bot.turns.model import Chat, Memory, MemoryChange, NoticeKind, Skill, Summary, Turn, TurnState
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply

DAY_S = timedelta(days=1).total_seconds()
DAYS = 30


@dataclass(kw_only=True)
class World:
    """A record in which time passes, and what sweeps it."""

    database: Database
    journal: Journal
    vault: EphemeralVault
    clock: ManualClock
    contexts: MemoryContext = field(default_factory=MemoryContext)
    scrubbed: int = 0
    token: int = 0

    @property
    def retaining(self) -> Retaining:
        return Retaining(self.database, self.vault)

    def retention(self, days: int = DAYS) -> Retention:
        async def scrub() -> None:
            self.scrubbed += 1

        terminal = SqlRecordStore(self.database, self.vault, "terminal", self.clock)

        async def drop(before: datetime) -> int:
            return await terminal.forget_before("", before)

        elsewhere = Elsewhere(drop_context=self.contexts.drop, scrub=scrub, stores=(OwnStore(drop=drop),))
        return Retention(self.retaining, elsewhere, self.clock, days=days)

    async def claim(self, chat_id: str) -> Turn:
        self.token += 10
        turn = await self.journal.claim(chat_id, self.token, "epoch")
        assert turn is not None
        return turn

    async def ask(self, room: str = "room", **more: object) -> str:
        [receipt] = await self.journal.accept([acceptance("asked", conversation=room, **more)])
        return receipt.chat_id

    async def talk(self, answer: str = "answered", room: str = "room", **more: object) -> str:
        chat_id = await self.ask(room, **more)
        turn = await self.journal.store_reply(await self.claim(chat_id), reply(answer, prompt="asked"))
        await self.journal.start_part(turn, 0)
        await self.journal.part_sent(turn, 0, "message")
        await self.journal.finish(turn)
        return chat_id

    async def cut(self, *, begin: int, takes: int) -> None:
        """Answer a question whose prompt began later, with a summary of what was before."""
        turn = await self.claim(await self.ask())
        cutting = replace(reply("cut", prompt="asked"), context_from=begin, takes_summary=takes)
        turn = await self.journal.store_reply(turn, cutting)
        await self.journal.start_part(turn, 0)
        await self.journal.part_sent(turn, 0, "message")
        await self.journal.finish(turn)

    async def chat(self, room: str = "room") -> Chat:
        found = await self.journal.chat_by_conversation("fake", "main", room)
        assert found is not None
        return found

    async def remembered(self, room: str = "room") -> list[str]:
        return [one.reply for one in await self.journal.exchanges(await self.chat(room), 9999)]

    async def words(self) -> int:
        """Count the sealed values of the record."""
        found = 0
        async with self.database.read() as connection:
            for table in Base.metadata.tables.values():
                for column in table.columns:
                    if column.name.endswith("_sealed"):
                        rows = await connection.execute(table.select().with_only_columns(column))
                        found += sum(1 for value in rows.scalars() if value)
        return found


@pytest.fixture
def world(database: Database, clock: ManualClock) -> World:
    vault = EphemeralVault()
    return World(database=database, journal=Journal(database, vault, clock), vault=vault, clock=clock)


async def test_words_go_after_their_days_and_not_before(world: World) -> None:
    await world.talk()
    world.clock.advance(DAYS * DAY_S - 1)
    assert await world.retention().sweep() == 0
    world.clock.advance(2)
    assert await world.retention().sweep() == 1
    assert (await world.words(), await world.remembered()) == (0, [])


async def test_rows_stay_for_counts_without_who_asked(world: World) -> None:
    await world.talk()
    world.clock.advance(31 * DAY_S)
    await world.retention().sweep()
    assert (await world.journal.counts()).done == 1
    async with world.database.read() as connection:
        assert list((await connection.execute(text("SELECT sender_id FROM turns"))).scalars()) == [""]


async def test_what_is_younger_is_still_remembered(world: World) -> None:
    await world.talk("old")
    world.clock.advance(20 * DAY_S)
    await world.talk("young")
    world.clock.advance(15 * DAY_S)
    before = await world.chat()
    await world.contexts.save(before, Context(version=before.context_version, context_from=0, exchanges=()))
    assert await world.retention().sweep() == 1
    after = await world.chat()
    assert await world.remembered() == ["young"]
    assert after.context_version > before.context_version
    assert await world.contexts.load(after) is None


async def test_a_summary_goes_with_the_oldest_turn_it_tells_of(world: World) -> None:
    await world.talk("one")
    world.clock.advance(20 * DAY_S)
    await world.talk("two")
    assert await world.journal.store_summary(await world.chat(), Summary(ord=2, text="about one and two"))
    world.clock.advance(9 * DAY_S)
    await world.retention().sweep()
    assert (await world.journal.background(await world.chat())).next_summary is not None
    world.clock.advance(2 * DAY_S)
    await world.retention().sweep()
    assert (await world.journal.background(await world.chat())).next_summary is None
    assert await world.remembered() == ["two"]


async def test_a_summary_made_of_an_older_one_goes_with_the_oldest_turn_of_that(world: World) -> None:
    await world.talk("one")
    assert await world.journal.store_summary(await world.chat(), Summary(ord=1, text="about one"))
    world.clock.advance(20 * DAY_S)
    await world.cut(begin=2, takes=1)
    assert await world.journal.store_summary(await world.chat(), Summary(ord=2, text="about one and two"))
    late = await world.chat()
    world.clock.advance(11 * DAY_S)
    await world.retention().sweep()
    background = await world.journal.background(await world.chat())
    assert (background.summary, background.next_summary) == (None, None)
    # One that was being made of it meanwhile does not come back.
    assert not await world.journal.store_summary(late, Summary(ord=3, text="about one, two and three"))
    assert (await world.chat()).salt_epoch == late.salt_epoch + 1
    assert await world.journal.store_summary(await world.chat(), Summary(ord=3, text="about two and three"))
    world.clock.advance(10)
    await world.retention().sweep()
    assert (await world.journal.background(await world.chat())).next_summary is not None


async def test_running_turns_keep_their_words(world: World) -> None:
    chat_id = await world.ask()
    world.clock.advance(31 * DAY_S)
    assert await world.retention().sweep() == 0
    assert (await world.claim(chat_id)).said[0].text == "asked"


async def test_a_stored_reply_that_is_not_sent_keeps_its_words(world: World) -> None:
    chat_id = await world.ask()
    await world.journal.store_reply(await world.claim(chat_id), reply("answer"))
    world.clock.advance(31 * DAY_S)
    assert await world.retention().sweep() == 0


async def test_dead_letters_lose_their_words_and_leave_the_list(world: World) -> None:
    chat_id = await world.ask()
    await world.journal.give_up(
        await world.claim(chat_id), TurnState.DEAD, NoticeKind.FAILED, "Sorry.", error="X"
    )
    letters = DeadLetters(world.database, world.clock)
    assert await letters.count(Which()) == 1
    world.clock.advance(31 * DAY_S)
    await world.retention().sweep()
    assert (await letters.count(Which()), await world.words()) == (0, 0)


async def test_a_chat_may_keep_less_but_not_more(world: World) -> None:
    strict, lax = await world.talk(room="strict"), await world.talk(room="lax")
    assert await world.retaining.set_days(strict, 2)
    assert await world.retaining.set_days(lax, 400)
    world.clock.advance(3 * DAY_S)
    assert await world.retention().sweep() == 1
    assert (await world.remembered("strict"), await world.remembered("lax")) == ([], ["answered"])
    world.clock.advance(28 * DAY_S)
    assert await world.retention().sweep() == 1
    assert not await world.retaining.set_days("no-chat", 1)


async def test_nothing_beyond_the_running_turn(world: World) -> None:
    await world.talk(event="once")
    world.clock.advance(AT_ONCE_S + 1)
    assert await world.retention(days=0).sweep() == 1
    assert await world.words() == 0
    [receipt] = await world.journal.accept([acceptance("asked", conversation="room", event="once")])
    assert receipt.outcome is Outcome.DUPLICATE


async def test_tombstones_end_with_the_platforms_horizon(world: World) -> None:
    await world.talk(event="once")
    world.clock.advance(AT_ONCE_S + 1)
    await world.retention(days=0).sweep()
    world.clock.advance(8 * DAY_S)
    await world.retention(days=0).sweep()
    async with world.database.read() as connection:
        assert not list(await connection.execute(text("SELECT * FROM tombstones")))


async def test_many_turns_go_in_steps(world: World) -> None:
    for number in range(450):
        chat_id = await world.ask(
            room=f"room-{number % 7}", sender=f"person-{number}", event=f"many-{number}"
        )
        await world.journal.request_cancel(chat_id)
    world.clock.advance(31 * DAY_S)
    assert await world.retention().due() == Due(turns=450, chats=7)
    assert await world.retention().sweep() == 450
    assert await world.retention().due() == Due(turns=0, chats=0)


async def test_a_sweep_that_takes_nothing_leaves_the_files_alone(world: World) -> None:
    await world.talk()
    await world.retention().sweep()
    assert world.scrubbed == 0
    world.clock.advance(31 * DAY_S)
    await world.retention().sweep()
    assert world.scrubbed == 1


async def test_the_terminals_own_history_goes_too(world: World) -> None:
    store = SqlRecordStore(world.database, world.vault, "terminal", world.clock)
    await store.append("room", "old", "words")
    world.clock.advance(31 * DAY_S)
    await store.append("room", "young", "words")
    await world.retention().sweep()
    assert [record.key for record in await store.latest("room", 9)] == ["young"]


async def test_a_clock_that_jumps_expires_nothing(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweeper waits for an hour of even running; set right meanwhile, nothing was lost."""
    await world.talk()
    steps = iter(
        [
            lambda: world.clock.advance(240.0),
            lambda: setattr(world.clock, "instant", world.clock.instant + timedelta(days=400)),
            lambda: world.clock.advance(240.0),
            lambda: setattr(world.clock, "instant", world.clock.instant - timedelta(days=400)),
            lambda: world.clock.advance(TRUST_AFTER_S),
            lambda: world.clock.advance(240.0),
        ]
    )

    async def sleep(seconds: float) -> None:
        if seconds < AT_ONCE_S:
            return  # within a sweep
        step = next(steps, None)
        if step is None:
            raise asyncio.CancelledError
        step()

    monkeypatch.setattr("bot.chat.retention.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await world.retention().run()
    assert await world.remembered() == ["answered"]
    assert caplog.text.count("ahead of where it should be: nothing is swept for 60 minutes") == 1


async def test_a_start_after_quiet_days_accuses_no_clock(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether nobody was here or the clock is ahead cannot be told: it waits, and says exactly that."""
    await world.talk()
    world.clock.advance(2 * DAY_S)

    async def sleep(_seconds: float) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("bot.chat.retention.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await world.retention().run()
    [line] = [line.getMessage() for line in caplog.records if line.name == "bot.chat.retention"]
    assert line == (
        "nothing was written here for more than a day: nothing is swept for 60 minutes, in case the clock is ahead; "
        "if it is right, there is nothing to do"
    )


async def _looks(world: World, monkeypatch: pytest.MonkeyPatch, *between: float) -> None:
    """Run retention from its start, with so many seconds between its looks, and end it."""
    waits = iter(between)

    async def sleep(seconds: float) -> None:
        if seconds < AT_ONCE_S:
            return  # within a sweep
        wait_s = next(waits, None)
        if wait_s is None:
            raise asyncio.CancelledError
        world.clock.advance(wait_s)

    monkeypatch.setattr("bot.chat.retention.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await world.retention().run()


async def test_a_restart_after_quiet_days_sweeps_at_once(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever swept through the quiet days knows what time it was."""
    await world.talk()
    await _looks(world, monkeypatch, *([43_200.0] * 6))
    assert await world.remembered() == ["answered"]
    world.clock.advance(600)
    await _looks(world, monkeypatch)
    assert "in case the clock is ahead" not in caplog.text
    await _looks(world, monkeypatch, *([43_200.0] * 56))
    assert await world.remembered() == []


async def test_a_clock_that_is_not_believed_does_not_vouch_for_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.talk()
    await _looks(world, monkeypatch)
    world.clock.instant += timedelta(days=400)
    for _ in range(3):
        await _looks(world, monkeypatch, 240.0, 240.0)
    assert await world.remembered() == ["answered"]


async def test_it_sweeps_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.talk()
    world.clock.advance(31 * DAY_S)
    await world.ask(room="other")

    async def sleep(seconds: float) -> None:
        if seconds < AT_ONCE_S:
            return  # within a sweep
        raise asyncio.CancelledError

    monkeypatch.setattr("bot.chat.retention.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await world.retention().run()
    assert await world.remembered() == []


async def test_an_edit_of_what_went_is_not_said_again(world: World) -> None:
    chat_id = await world.talk()
    world.clock.advance(31 * DAY_S)
    async with world.database.read() as connection:
        turn_id = (await connection.execute(text("SELECT id FROM turns"))).scalar_one()
    await world.retention().sweep()
    await world.journal.mark_restate(turn_id)
    assert await world.journal.claim(chat_id, 9999, "epoch") is None


@pytest.mark.parametrize(
    ("own_days", "days", "left_after"),
    [
        pytest.param(0, 30, 30, id="as the deployment"),
        pytest.param(7, 30, 7, id="fewer"),
        pytest.param(90, 30, 30, id="never more"),
        pytest.param(0, 0, 1, id="a day at least, for people to read"),
        pytest.param(7, 0, 1, id="a day where nothing else is kept"),
    ],
)
async def test_how_long_an_adapters_own_store_is_kept(
    world: World, own_days: int, days: int, left_after: int
) -> None:
    asked: list[datetime] = []

    async def drop(before: datetime) -> int:
        asked.append(before)
        return len(asked)

    async def scrub() -> None:
        world.scrubbed += 1

    stores = (OwnStore(drop=drop, days=own_days),)
    elsewhere = Elsewhere(drop_context=world.contexts.drop, scrub=scrub, stores=stores)
    await Retention(world.retaining, elsewhere, world.clock, days=days).sweep()
    assert asked == [world.clock.now() - timedelta(days=left_after)]
    assert world.scrubbed == 1


@pytest.mark.parametrize(
    ("chats_days", "left_after"),
    [
        pytest.param(7, 7, id="fewer"),
        pytest.param(0, 1, id="a day at least"),
        pytest.param(90, None, id="no more"),
    ],
)
async def test_a_chat_that_keeps_less_keeps_less_in_an_adapters_own_store(
    world: World, chats_days: int, left_after: int | None
) -> None:
    asked: list[tuple[str, datetime]] = []

    async def drop(before: datetime) -> int:
        return 0

    async def drop_in(conversation: str, before: datetime) -> int:
        asked.append((conversation, before))
        return 1

    async def scrub() -> None:
        world.scrubbed += 1

    await world.talk(room="another")
    await world.retaining.set_days(await world.talk(), chats_days)
    stores = (
        OwnStore(drop=drop, drop_in=drop_in, adapter="fake"),
        OwnStore(drop=drop, drop_in=drop_in, adapter="elsewhere"),
    )
    elsewhere = Elsewhere(drop_context=world.contexts.drop, scrub=scrub, stores=stores)
    await Retention(world.retaining, elsewhere, world.clock, days=30).sweep()
    wanted = [] if left_after is None else [("room", world.clock.now() - timedelta(days=left_after))]
    assert asked == wanted


async def test_what_an_export_answered_goes_within_minutes(world: World) -> None:
    await world.talk("a copy", skill=Skill.EXPORT)
    await world.talk("an answer")
    every = await world.words()
    await world.retention().sweep()
    assert await world.words() == every
    world.clock.advance(AT_ONCE_S + 1)
    await world.retention().sweep()
    # Its reply, the part that was sent, and the prompt that this test gave it.
    assert (await world.words(), await world.remembered()) == (every - 3, ["an answer"])


async def test_an_export_that_is_not_sent_yet_keeps_its_words(world: World) -> None:
    chat_id = await world.ask(skill=Skill.EXPORT)
    await world.journal.store_reply(await world.claim(chat_id), reply("a copy", prompt=None))
    every = await world.words()
    world.clock.advance(DAY_S)
    await world.retention().sweep()
    assert await world.words() == every


# What is to be remembered until somebody deletes it


async def remember(world: World, room: str = "room") -> Chat:
    turn = await world.claim(await world.ask(room))
    memory = Memory(id=turn.id, number=1, text="tea", sender_id="ann", sender_name="Ann")
    told = replace(reply("told", prompt=None), memories=MemoryChange(adds=memory, card="- Ann: tea"))
    turn = await world.journal.store_reply(turn, told)
    await world.journal.part_sent(turn, 0, "message")
    await world.journal.finish(turn)
    return turn.chat


async def asked_for(world: World, room: str = "room") -> list[str]:
    chat = await world.chat(room)
    known = await world.journal.memories(chat)
    card = (await world.journal.background(chat)).card
    assert bool(card) == bool(known.memories)
    return [one.text for one in known.memories]


async def test_what_a_chat_asked_to_have_remembered_outlives_its_words(world: World) -> None:
    await remember(world)
    world.clock.advance(31 * DAY_S)
    assert await world.retention().sweep() == 1
    assert await asked_for(world) == ["tea"]


async def test_it_goes_where_nothing_is_kept_any_more(world: World) -> None:
    for room in ("room", "other"):
        await remember(world, room)
    before = await world.chat()
    await world.retaining.set_days(before.id, 0)
    await world.retention().sweep()
    assert (await asked_for(world), await asked_for(world, "other")) == ([], ["tea"])
    assert (await world.chat()).context_version == before.context_version + 1
    assert world.scrubbed == 1
    await world.retention(days=0).sweep()
    assert (await asked_for(world, "other"), world.scrubbed) == ([], 2)
    await world.retention(days=0).sweep()
    assert world.scrubbed == 2


async def test_files_are_cleaned_once_in_a_while_and_nothing_is_left_out(world: World) -> None:
    async def scrub() -> None:
        world.scrubbed += 1

    elsewhere = Elsewhere(drop_context=world.contexts.drop, scrub=scrub, scrub_every_s=3600.0)
    retention = Retention(world.retaining, elsewhere, world.clock, days=1)
    counts = []
    for waits_s, swept in ((0.0, 1), (600.0, 1), (3600.0, 0), (3600.0, 0)):
        for _ in range(swept):
            await world.talk()
            world.clock.instant += timedelta(days=2)
        world.clock.seconds += waits_s
        assert await retention.sweep() == swept
        counts.append(world.scrubbed)
    assert counts == [1, 1, 2, 2]


async def test_rows_that_became_too_old_leave_the_tables_of_postgresql(
    make_database, clock: ManualClock, postgres
) -> None:
    async with Database(await make_database("postgresql")) as database:
        store = SqlRecordStore(database, EphemeralVault(), "terminal", clock)
        for number in range(5):
            await store.append("room", f"k{number}", "said")
        clock.advance(1)
        await store.forget_before("", clock.now())
        await tidy(database)
        dead = text("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'adapter_records'")
        async with database.read() as connection:
            assert (await connection.execute(dead)).scalar_one() == 0
            vacuumed = text("SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'inbounds'")
            assert (await connection.execute(vacuumed)).scalar_one() == 1
