"""Virtual time jumps, frozen processes stand still, and killed ones never take another step."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.simulation.virtual_loop import OUTSIDE, Process, VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.end()


async def _note_every_second(notes: list[float], times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(1.0)
        notes.append(asyncio.get_running_loop().time())


def _run_for(loop: VirtualLoop, seconds: float) -> None:
    loop.run_until_complete(loop.create_task(asyncio.sleep(seconds), context=OUTSIDE.copy()))


def test_a_day_passes_at_once(loop: VirtualLoop):
    _run_for(loop, 86_400.0)
    assert loop.time() == 86_400.0


def test_timers_of_the_same_instant_keep_their_order(loop: VirtualLoop):
    called: list[int] = []
    for number in range(5):
        loop.call_at(1.0, called.append, number)
    _run_for(loop, 2.0)
    assert called == [0, 1, 2, 3, 4]


def test_a_frozen_process_goes_on_where_it_was(loop: VirtualLoop):
    process, notes = Process(loop, "worker"), []
    process.spawn(_note_every_second(notes, 3))
    loop.call_at(1.5, process.freeze)
    loop.call_at(7.0, process.thaw)
    _run_for(loop, 20.0)
    assert notes == [1.0, 7.0, 8.0]


def test_a_killed_process_does_nothing_more_not_even_in_finally(loop: VirtualLoop):
    process, notes = Process(loop, "worker"), []

    async def work() -> None:
        try:
            await asyncio.sleep(3.0)
        finally:
            notes.append(loop.time())

    process.spawn(work())
    loop.call_at(1.0, process.kill)
    _run_for(loop, 20.0)
    assert notes == []


def test_other_processes_go_on_while_one_is_frozen(loop: VirtualLoop):
    frozen, other, notes = Process(loop, "one"), Process(loop, "other"), []
    frozen.spawn(_note_every_second([], 5))
    other.spawn(_note_every_second(notes, 3))
    frozen.freeze()
    _run_for(loop, 20.0)
    assert notes == [1.0, 2.0, 3.0]


def test_a_timeout_of_a_frozen_process_is_over_when_it_goes_on(loop: VirtualLoop):
    process = Process(loop, "worker")

    async def impatient() -> str:
        try:
            async with asyncio.timeout(2.0):
                await asyncio.Event().wait()
        except TimeoutError:
            return f"gave up at {loop.time()}"
        return ""

    task = process.spawn(impatient())
    loop.call_at(1.0, process.freeze)
    loop.call_at(9.0, process.thaw)
    _run_for(loop, 20.0)
    assert task.result() == "gave up at 9.0"


def test_an_error_nobody_heard_of_is_known(loop: VirtualLoop):
    async def fail() -> None:
        raise ValueError("unheard")

    task = Process(loop, "worker").spawn(fail())
    _run_for(loop, 1.0)
    assert isinstance(task.unheard_error, ValueError)
