"""Summaries beside the turns: behind everybody who waits, told when they fail, overtaken by whatever comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.chat.budget import Limits
from bot.chat.keeper import ContextKeeper
from bot.chat.memory_context import MemoryContext
from bot.chat.prompt import Persona
from bot.chat.summariser import Summariser
from bot.errors import StoreUnavailable
from bot.telemetry.events import Details, SummaryFailed, SummaryProblem, SummaryStored
from bot.turns.model import Background, Chat, Exchange, Summary
from engine.base import EngineLoad
from engine.errors import EngineError, EngineFailed, EngineMisbehaved, EngineNotReady, RequestRejected
from engine.scripted import ScriptedEngine
from tests.fixtures.remembered import a_chat, an_exchange

CHAT = a_chat(context_version=3)
LIMITS = Limits(max_model_len=2048)
PATIENCE_S = 10.0


class Engine(ScriptedEngine):
    """An engine that says how busy it is as a test tells it to."""

    def __init__(self, said: str = "Ann: tea", load: EngineLoad | EngineError | None = None) -> None:
        super().__init__(lambda _request: said)
        self._load = load or EngineLoad(running=3, waiting=0)

    async def load(self) -> EngineLoad:
        if isinstance(self._load, EngineError):
            raise self._load
        return self._load


class Record:
    """What SQL says of chats, and the summaries that it was given."""

    def __init__(self) -> None:
        self.now: Chat | None = CHAT
        self.stored: list[tuple[Chat, Summary]] = []
        self.still_fits = True
        self.background_now = Background()
        self.out = False

    async def chat_by_conversation(self, _adapter: str, _account: str, conversation: str) -> Chat | None:
        return self.now and replace(self.now, id=f"c of {conversation}", conversation=conversation)

    async def store_summary(self, chat: Chat, summary: Summary) -> bool:
        if self.out:
            raise StoreUnavailable("gone")
        self.stored.append((chat, summary))
        return self.still_fits

    async def exchanges(self, _chat: Chat, _before: int) -> list[Exchange]:
        return [an_exchange(n) for n in range(3)]

    async def background(self, _chat: Chat) -> Background:
        return self.background_now


async def limits() -> Limits:
    return LIMITS


def a_summariser(engine: ScriptedEngine, record: Record, events: list[Details], **more) -> Summariser:
    keeper = ContextKeeper(store=MemoryContext(), exchanges=record.exchanges, background=record.background)
    return Summariser(
        engine=engine,
        keeper=keeper,
        record=record,
        limits=limits,
        persona=Persona(),
        salt=lambda chat: f"salt of {chat.conversation}",
        hooks=(events.append,),
        **more,
    )


@asynccontextmanager
async def running(summariser: Summariser) -> AsyncIterator[None]:
    task = asyncio.ensure_future(summariser.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def told(events: list[Details], number: int = 1) -> list[Details]:
    async with asyncio.timeout(PATIENCE_S):
        while len(events) < number:
            await asyncio.sleep(0)
    return events


async def outcome(engine: ScriptedEngine, record: Record) -> Details:
    """Ask for one summary and return what is told of it."""
    events: list[Details] = []
    summariser = a_summariser(engine, record, events)
    async with running(summariser):
        summariser.ask(CHAT)
        [event] = await told(events)
    return event


async def test_a_summary_is_asked_for_behind_replies_under_the_chats_salt():
    engine, record = Engine(), Record()
    event = await outcome(engine, record)
    [request], [(_, summary)] = engine.requests, record.stored
    assert (request.cache_salt, request.priority, request.temperature) == ("salt of room", 1, 0.0)
    assert request.max_tokens == LIMITS.summary_tokens
    assert summary == Summary(ord=2, text="Ann: tea")
    assert isinstance(event, SummaryStored)
    assert event.prompt_tokens > 0


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        pytest.param(Engine(load=EngineLoad(running=3, waiting=1)), SummaryProblem.BUSY, id="busy"),
        pytest.param(Engine(load=EngineNotReady("starts")), SummaryProblem.ENGINE, id="not-ready"),
        pytest.param(Engine(" ‹from Ann›\n"), SummaryProblem.EMPTY, id="nothing-said"),
    ],
)
async def test_a_summary_that_is_not_made_is_told(engine: Engine, reason: SummaryProblem):
    record = Record()
    assert await outcome(engine, record) == SummaryFailed(chat_id="c1", reason=reason)
    assert record.stored == []


@pytest.mark.parametrize("after", [0, 1], ids=["refused", "broken-off"])
async def test_a_failing_engine_is_told(after: int):
    engine = Engine("one two three")
    engine.fail_next(EngineFailed("gone"), after=after)
    assert await outcome(engine, Record()) == SummaryFailed(chat_id="c1", reason=SummaryProblem.ENGINE)


async def test_an_engine_that_does_not_say_how_busy_it_is_is_asked():
    assert isinstance(await outcome(Engine(load=EngineMisbehaved("no metrics")), Record()), SummaryStored)


async def test_an_engine_without_priorities_is_asked_like_for_a_reply():
    """Other servers refuse a priority: it is learnt once."""
    engine, record, events = Engine(), Record(), list[Details]()
    engine.fail_next(RequestRejected(400, "no priorities"))
    summariser = a_summariser(engine, record, events)
    async with running(summariser):
        summariser.ask(CHAT)
        summariser.ask(replace(CHAT, id="c2", conversation="other"))
        await told(events, 2)
    assert [request.priority for request in engine.requests] == [1, 0, 0]
    assert all(isinstance(event, SummaryStored) for event in events)


@pytest.mark.parametrize(
    "now",
    [None, replace(CHAT, context_from=9), replace(CHAT, salt_epoch=1)],
    ids=["gone", "cut", "forgotten"],
)
async def test_a_chat_that_moved_on_is_not_summarised(now: Chat | None):
    engine, record = Engine(), Record()
    record.now = now
    assert await outcome(engine, record) == SummaryFailed(chat_id="c1", reason=SummaryProblem.OVERTAKEN)
    assert not engine.requests


async def test_a_chat_that_moves_on_meanwhile_wins():
    record = Record()
    record.still_fits = False
    failed = await outcome(Engine(), record)
    assert isinstance(failed, SummaryFailed)
    assert failed.reason is SummaryProblem.OVERTAKEN


async def test_a_record_that_is_out_is_told():
    record = Record()
    record.out = True
    failed = await outcome(Engine(), record)
    assert isinstance(failed, SummaryFailed)
    assert failed.reason is SummaryProblem.STORE


async def test_a_summary_that_waits_already_is_not_made_again():
    engine, record, events = Engine(), Record(), list[Details]()
    record.background_now = Background(next_summary=Summary(ord=1, text="x"))
    summariser = a_summariser(engine, record, events)
    async with running(summariser):
        summariser.ask(CHAT)
        record.background_now = Background(next_summary=Summary(ord=1, text="x"))
        summariser.ask(replace(CHAT, id="busy", conversation="b"))
        for _ in range(200):
            await asyncio.sleep(0)
    assert (list(engine.requests), events) == ([], [])


async def test_one_at_a_time():
    """Ten chats at once give the engine one request after the other."""
    most = 0

    async def pace(_request, _n):
        nonlocal most
        most = max(most, engine.running)
        await asyncio.sleep(0)

    engine = ScriptedEngine(lambda _request: "Ann: tea", pace=pace)
    events = list[Details]()
    summariser = a_summariser(engine, Record(), events)
    async with running(summariser):
        for n in range(10):
            summariser.ask(replace(CHAT, id=f"c{n}", conversation=str(n)))
        await told(events, 10)
    assert most == 1
    salts = [int(str(request.cache_salt).removeprefix("salt of ")) for request in engine.requests]
    assert all(before < after for before, after in pairwise(salts))


async def test_the_line_is_bounded_and_holds_each_chat_once():
    events = list[Details]()
    summariser = a_summariser(Engine(), Record(), events, most_waiting=2)
    for chat in ("c1", "c2", "c1", "c3"):
        summariser.ask(replace(CHAT, id=chat, conversation=chat))
    assert events == [SummaryFailed(chat_id="c3", reason=SummaryProblem.CROWDED)]
    async with running(summariser):
        await told(events, 3)
    assert len(events) == 3


async def test_ending_the_worker_drops_what_runs():
    """A summary under way is cancelled in the engine too."""
    held = asyncio.Event()
    engine = ScriptedEngine(lambda _request: "Ann: tea", pace=lambda _request, _n: held.wait())
    record = Record()
    summariser = a_summariser(engine, record, [])
    async with running(summariser):
        summariser.ask(CHAT)
        async with asyncio.timeout(PATIENCE_S):
            await engine.until(lambda: engine.running == 1)
    assert (engine.running, len(engine.cancelled), record.stored) == (0, 1, [])
