"""A stop works at once, whatever is under way: what waits ends, what runs lets go of the engine.

How soon is measured by `bench.overload`; here a lease is so long that only the quick ways end in time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput
from bot.turns.delays import Delays
from bot.turns.stopping import Stop
from engine.base import ChatMessage, ChatRequest, Role
from engine.client import EngineClient
from engine.scripted import ScriptedEngine
from engine.scripted_server import serve
from tests.fixtures.rig import PATIENCE_S, Rig, loopback, open_rig

#: The delays that a deployment has.
REAL = Delays()


def endless() -> ScriptedEngine:
    """Say a word, then nothing more."""

    async def pace(_request: ChatRequest, n: int) -> None:
        if n:
            await asyncio.Event().wait()

    return ScriptedEngine(lambda _: "one two three", pace=pace)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, slots=1, lease_s=600.0, delays=REAL) as rig:
        yield rig


@pytest.mark.parametrize("word", ["/stop", "stop", "Stopp!", "停止"])
async def test_a_running_turn_ends_and_the_engine_is_free(rig: Rig, word: str) -> None:
    script = endless()
    async with serve(script) as url, EngineClient(url) as engine:
        rig.start_worker(engine)
        await rig.say("count")
        await rig.until(lambda: rig.loopback.texts("room") == ["one"])
        await rig.say(word)
        await rig.until(lambda: script.running == 0 and "stopped" in rig.loopback.texts("room")[0])


async def test_a_turn_that_waits_while_all_slots_are_taken_ends(rig: Rig) -> None:
    rig.start_worker(endless())
    await rig.say("count", conversation="other")
    await rig.until(lambda: bool(rig.loopback.texts("other")))
    await rig.say("what time is it?")
    await rig.until(lambda: bool(rig.loopback.texts("room")))
    await rig.say("stop")
    await rig.until(lambda: rig.loopback.texts("room") == ["Stopped."])
    assert (await rig.journal.counts()).waiting == 1  # the other chat's


async def test_a_turn_that_waits_inside_the_engine_ends_and_gives_its_place_back(rig: Rig) -> None:
    """Before the engine's first byte: a request that is still being opened is let go, too."""
    script = ScriptedEngine(lambda _: "x", capacity=1, pace=_never)
    async with serve(script) as url, EngineClient(url) as engine, asyncio.TaskGroup() as tasks:
        other = tasks.create_task(_ask(engine))
        await script.until(lambda: script.running == 1)
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await script.until(lambda: script.running == 2)
        await rig.say("stop")
        await rig.until(lambda: script.running == 1)
        other.cancel()


async def test_a_stop_whose_signal_is_lost_is_found_in_the_record(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_turn_id: str) -> None:
        return

    monkeypatch.setattr(rig.core.shared.bus, "signal_stop", lost)
    script = endless()
    rig.start_worker(script)
    await rig.say("count")
    await rig.until(lambda: rig.loopback.texts("room") == ["one"])
    await rig.say("stop")
    await rig.until(lambda: script.running == 0)


async def test_turns_of_which_nothing_is_seen_end_with_one_word(rig: Rig) -> None:
    rig.start_notices()
    for person in ("ann", "bob", "eve"):
        await rig.say("what time is it?", sender=person)
    await rig.say("stop", sender="ann")
    await rig.until(lambda: rig.loopback.texts("room") == ["Stopped."])
    assert (await rig.journal.counts()).cancelled == 3


class Opening:
    """A context that is slow to enter, and tells whether it was left."""

    def __init__(self) -> None:
        self.entering, self.go_on = asyncio.Event(), asyncio.Event()
        self.left = False

    @asynccontextmanager
    async def context(self) -> AsyncIterator[AsyncIterator[int]]:
        self.entering.set()
        try:
            await self.go_on.wait()
            yield _numbers()
        finally:
            self.left = True


async def read(stop: Stop, opening: Opening) -> list[int]:
    async with stop.entered(opening.context()) as events:
        return [event async for event in stop.interrupt(events)]


async def test_a_context_is_entered_as_ever_where_nobody_stops() -> None:
    opening = Opening()
    opening.go_on.set()
    assert await read(Stop(), opening) == [1, 2]
    assert opening.left


async def test_a_stop_leaves_a_context_that_is_still_being_entered() -> None:
    stop, opening = Stop(), Opening()
    reading = asyncio.ensure_future(read(stop, opening))
    await opening.entering.wait()
    stop.ask()
    async with asyncio.timeout(PATIENCE_S):
        assert await reading == []
    assert opening.left


async def test_a_cancellation_leaves_a_context_that_is_still_being_entered() -> None:
    opening = Opening()
    reading = asyncio.ensure_future(read(Stop(), opening))
    await opening.entering.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert opening.left


async def test_a_context_that_cannot_be_entered_says_why() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[AsyncIterator[int]]:
        raise ValueError("no")
        yield _numbers()

    with pytest.raises(ValueError, match="no"):
        async with Stop().entered(broken()):
            pass


async def _numbers() -> AsyncIterator[int]:
    yield 1
    yield 2


async def _never(_request: ChatRequest, _n: int) -> None:
    await asyncio.Event().wait()


async def _ask(engine: EngineClient) -> None:
    request = ChatRequest(
        request_id="other",
        messages=(ChatMessage(role=Role.USER, content="x"),),
        max_tokens=5,
        first_token_s=60,
        stall_s=60,
        total_s=60,
    )
    async with engine.stream(request) as events:
        async for _ in events:
            pass
