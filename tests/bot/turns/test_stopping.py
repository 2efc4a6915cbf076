"""A wish to stop reaches the work, cuts off what is waited for, and never swallows a cancellation."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from bot.clock import SystemClock
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.stopping import Stop, StopBoard
from bot.turns.tasks import end


class Source:
    """Events, then what a test chose; tells when it was closed."""

    def __init__(self, *events: int, then: Exception | None = None, waits: bool = False) -> None:
        self._events, self._then, self._waits = events, then, waits
        self.waiting = asyncio.Event()
        self.closed = False

    async def events(self) -> AsyncGenerator[int]:
        try:
            for event in self._events:
                yield event
            if self._waits:
                self.waiting.set()
                await asyncio.Event().wait()
            if self._then:
                raise self._then
        finally:
            self.closed = True


async def collected(events: AsyncIterator[int], into: list[int]) -> None:
    async for event in events:
        into.append(event)  # noqa: PERF401 - what came before an error counts too


async def test_events_pass_until_they_end() -> None:
    seen: list[int] = []
    await collected(Stop().interrupt(Source(1, 2).events()), seen)
    assert seen == [1, 2]


async def test_a_stop_cuts_off_what_is_waited_for() -> None:
    stop, source, seen = Stop(), Source(1, waits=True), list[int]()
    reading = asyncio.create_task(collected(stop.interrupt(source.events()), seen))
    await source.waiting.wait()
    stop.ask()
    stop.ask()
    await reading
    assert seen == [1]
    assert source.closed


async def test_what_was_asked_before_reads_nothing() -> None:
    stop, seen = Stop(), list[int]()
    stop.ask()
    await collected(stop.interrupt(Source(1).events()), seen)
    assert seen == []


async def test_an_error_of_the_events_is_raised() -> None:
    with pytest.raises(ValueError, match="broken"):
        await collected(Stop().interrupt(Source(then=ValueError("broken")).events()), [])


async def test_an_error_that_comes_of_the_stop_is_none() -> None:
    stop = Stop()
    waiting = asyncio.Event()

    async def events() -> AsyncGenerator[int]:
        yield 1
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError as exc:
            raise ValueError("cut off") from exc

    seen: list[int] = []
    reading = asyncio.create_task(collected(stop.interrupt(events()), seen))
    await waiting.wait()
    stop.ask()
    await reading
    assert seen == [1]


async def test_a_cancellation_goes_through_and_leaves_no_task() -> None:
    source = Source(1, waits=True)
    before = asyncio.all_tasks()
    reading = asyncio.create_task(collected(Stop().interrupt(source.events()), []))
    await source.waiting.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert source.closed
    assert asyncio.all_tasks() == before


def test_a_stop_reaches_the_turn_it_names_and_no_other() -> None:
    board = StopBoard()
    with board.watch("a") as a, board.watch("b") as b:
        board.ask("a")
        board.ask("gone")
        assert (a.asked, b.asked) == (True, False)


def test_a_turn_that_is_here_twice_hears_it_twice_and_each_leaves_alone() -> None:
    """Its lease was lost and it was taken again, while the first work still ends."""
    board = StopBoard()
    first, second = board.watch("a"), board.watch("a")
    old, new = first.__enter__(), second.__enter__()
    first.__exit__(None, None, None)
    board.ask("a")
    assert (old.asked, new.asked) == (False, True)
    second.__exit__(None, None, None)
    board.ask("a")


async def test_signals_of_the_bus_reach_the_board() -> None:
    bus, board = MemoryLiveBus(SystemClock()), StopBoard()
    listening = asyncio.create_task(board.listen(bus))
    with board.watch("a") as stop:
        async with asyncio.timeout(5):
            while not stop.asked:
                await bus.signal_stop("a")
                await asyncio.sleep(0)
    await end({listening})
