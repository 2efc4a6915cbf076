"""Ending tasks, and letting end what must not be cut."""

import asyncio

import pytest

from bot.turns.tasks import end, unbroken


class Call:
    """Something on its way that a test lets end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.came_back = False
        self._error = error

    async def run(self) -> str:
        self.begun.set()
        await self.go_on.wait()
        if self._error:
            raise self._error
        self.came_back = True
        return "sent"


async def test_what_ends_by_itself_returns_what_it_returns() -> None:
    call = Call()
    call.go_on.set()
    assert await unbroken(call.run()) == "sent"


async def test_what_fails_by_itself_raises_what_it_raises() -> None:
    call = Call(ValueError("x"))
    call.go_on.set()
    with pytest.raises(ValueError, match="x"):
        await unbroken(call.run())


@pytest.mark.parametrize("error", [None, ValueError("x")], ids=["well", "badly"])
async def test_a_cancellation_waits_for_the_end_and_is_raised(error: Exception | None) -> None:
    call = Call(error)
    task = asyncio.create_task(unbroken(call.run()))
    await call.begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    call.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.came_back == (error is None)


async def test_a_second_cancellation_cuts_it_short() -> None:
    call = Call()
    task = asyncio.create_task(unbroken(call.run()))
    await call.begun.wait()
    before = asyncio.all_tasks()
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not call.came_back
    assert len(asyncio.all_tasks()) == len(before) - 2


async def test_ending_waits_until_tasks_have_cleaned_up() -> None:
    cleaned, started = [], asyncio.Event()

    async def work() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    task = asyncio.create_task(work())
    await started.wait()
    await end({task})
    await end(set())
    assert cleaned == [True]
