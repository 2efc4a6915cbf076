"""One limit for many waits: each ends in its own time, and a cancellation from elsewhere stays one."""

import asyncio

import pytest

from bot.ingress.time_limit import TimeLimit

LONG_S = 30.0


async def wait_in(limit: TimeLimit) -> str:
    try:
        with limit:
            await asyncio.Event().wait()
    except TimeoutError:
        return "too long"
    return "done"


async def test_what_waits_too_long_is_ended() -> None:
    limit = TimeLimit(0.01)
    async with asyncio.timeout(LONG_S):
        assert await asyncio.gather(*(wait_in(limit) for _ in range(3))) == ["too long"] * 3


async def test_what_began_later_is_ended_too() -> None:
    limit = TimeLimit(0.02)

    async def later() -> str:
        await asyncio.sleep(0)
        return await wait_in(limit)

    async with asyncio.timeout(LONG_S):
        assert await asyncio.gather(wait_in(limit), later()) == ["too long"] * 2


async def test_the_limit_serves_again_after_everybody_left() -> None:
    limit = TimeLimit(0.01)
    async with asyncio.timeout(LONG_S):
        with limit:
            pass
        assert [await wait_in(limit), await wait_in(limit)] == ["too long"] * 2


async def test_what_ends_in_time_is_let_be() -> None:
    limit = TimeLimit(LONG_S)
    with limit:
        await asyncio.sleep(0)
    assert asyncio.current_task().cancelling() == 0


async def test_an_error_inside_goes_up() -> None:
    with pytest.raises(LookupError), TimeLimit(LONG_S):
        raise LookupError


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    task = asyncio.create_task(wait_in(TimeLimit(LONG_S)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_beside_the_limits_own_stays_one() -> None:
    """Both meet the same wait: the task was to end, so it must not go on with a mere timeout."""
    limit = TimeLimit(0.0)
    task = asyncio.create_task(wait_in(limit))
    await asyncio.sleep(0)
    task.cancel()
    limit._expire()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_wait_that_does_not_end_is_cancelled_once() -> None:
    """Whoever cleans up slowly behind the limit is not disturbed by it again."""
    limit, cleaned = TimeLimit(0.01), asyncio.Event()

    async def slow() -> None:
        with limit:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.gather(wait_in(limit))
                cleaned.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(LONG_S):
            await slow()
    assert cleaned.is_set()
