"""Slots can be made fewer and more while they are held, and are kept at what the engine can use."""

import asyncio

import pytest

from bot.turns.admitting import Admitting
from bot.turns.slots import Slots
from bot.turns.tasks import end
from engine.base import EngineLoad
from engine.errors import EngineError, EngineMisbehaved, EngineNotReady
from engine.scripted import ScriptedEngine
from tests.fixtures.rig import PATIENCE_S, open_rig


async def test_no_more_are_taken_than_there_are() -> None:
    slots = Slots(2)
    await slots.acquire()
    await slots.acquire()
    third = asyncio.ensure_future(slots.acquire())
    await asyncio.sleep(0)
    assert not third.done()
    slots.release()
    await third
    assert slots.taken == 2


async def test_fewer_slots_take_effect_as_they_are_given_back() -> None:
    slots = Slots(3)
    for _ in range(3):
        await slots.acquire()
    slots.resize(1)
    waiting = asyncio.ensure_future(slots.acquire())
    for _ in range(2):
        slots.release()
        await asyncio.sleep(0)
        assert not waiting.done()
    slots.release()
    await waiting


async def test_more_slots_are_there_at_once() -> None:
    slots = Slots(1)
    await slots.acquire()
    waiting = asyncio.ensure_future(slots.acquire())
    await asyncio.sleep(0)
    slots.resize(2)
    await waiting


class Told:
    """An engine that tells a load, or raises."""

    def __init__(self) -> None:
        self.says: EngineLoad | EngineError = EngineLoad(running=2, waiting=6)
        self.asked = 0

    async def load(self) -> EngineLoad:
        self.asked += 1
        if isinstance(self.says, EngineError):
            raise self.says
        return self.says


async def taken(count: int) -> Slots:
    slots = Slots(count)
    for _ in range(count):
        await slots.acquire()
    return slots


async def until_asked(engine: Told, more: int) -> None:
    goal = engine.asked + more
    async with asyncio.timeout(PATIENCE_S):
        while engine.asked < goal:
            await asyncio.sleep(0.001)


async def test_slots_follow_the_engines_load() -> None:
    engine, slots = Told(), await taken(8)
    task = asyncio.ensure_future(Admitting(engine, slots, every_s=0.001).run())
    await until_asked(engine, 4)
    assert slots.limit == 2
    await end({task})


@pytest.mark.parametrize("taken_now", [0, 1])
async def test_an_engine_with_nothing_to_do_is_not_asked(taken_now: int) -> None:
    engine, slots = Told(), Slots(8)
    for _ in range(taken_now):
        await slots.acquire()
    task = asyncio.ensure_future(Admitting(engine, slots, every_s=0.001).run())
    await asyncio.sleep(0.02)
    await end({task})
    assert engine.asked == 0


async def test_an_engine_that_is_away_says_nothing_about_its_load() -> None:
    engine, slots = Told(), await taken(8)
    task = asyncio.ensure_future(Admitting(engine, slots, every_s=0.001).run())
    await until_asked(engine, 4)
    engine.says = EngineNotReady("it restarts")
    await until_asked(engine, 4)
    assert slots.limit == 2
    await end({task})


async def test_an_engine_that_never_tells_leaves_all_slots_open() -> None:
    engine, slots = Told(), await taken(8)
    task = asyncio.ensure_future(Admitting(engine, slots, every_s=0.001).run())
    await until_asked(engine, 4)
    engine.says = EngineMisbehaved("no such page")
    await until_asked(engine, 1)
    assert slots.limit == 8
    await end({task})


async def test_a_worker_whose_companion_breaks_goes_on(tmp_path, caplog) -> None:
    async with open_rig(tmp_path) as rig:
        engine = Broken()
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.say("and there?", conversation="other")
        await rig.until(lambda: "KeyError" in caplog.text)
        engine.go_on.set()
        assert await rig.texts(1) == ["noon"]


class Broken:
    """An engine that answers, and whose load is a fault of ours."""

    def __init__(self) -> None:

        self.go_on = asyncio.Event()
        self._real = ScriptedEngine(lambda _: "noon", pace=self._pace)
        self.stream, self.status = self._real.stream, self._real.status

    async def _pace(self, _request: object, _n: int) -> None:
        await self.go_on.wait()

    async def load(self) -> EngineLoad:
        raise KeyError("x")
