"""What every lease on a platform's updates promises: in one process, and on real servers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from adapters.polling_lease import PollingLease, SharedLeases
from bot.ingress.polling_lease import RedisPollingLease
from bot.store.redis_client import open_redis
from tests.fixtures.clocks import ManualClock
from tests.fixtures.valkey import emptied

LASTS_S = 45.0


@dataclass
class Subject:
    """Leases of one name or another, and what ends them before their time."""

    lease: Callable[[str], PollingLease]
    let_end: Callable[[], Awaitable[None]]


@pytest.fixture(params=["memory", "valkey", "redis"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        clock = ManualClock()
        leases = SharedLeases(clock.monotonic, lasts_s=LASTS_S)

        async def later() -> None:
            clock.advance(LASTS_S)

        yield Subject(leases.of, later)
        return
    async with emptied(request.getfixturevalue(f"{request.param}_server").url) as client:

        async def ended() -> None:
            for key in await client.keys("*"):
                # It has an end of its own, which is what is brought about here.
                assert 0 < await client.pttl(key) <= LASTS_S * 1000
                await client.pexpire(key, 0)

        yield Subject(lambda name: RedisPollingLease(client, name, call_timeout_s=30), ended)


async def test_one_holds_it_and_goes_on_holding_it(subject):
    one, other = subject.lease("a"), subject.lease("a")
    assert [await one.keep(), await other.keep(), await one.keep(), await other.keep()] == [True, False] * 2


async def test_of_many_who_ask_at_once_one_holds_it(subject):
    held = await asyncio.gather(*(subject.lease("a").keep() for _ in range(20)))
    assert sum(held) == 1


async def test_another_name_is_another_lease(subject):
    assert await subject.lease("a").keep()
    assert await subject.lease("b").keep()


async def test_what_is_given_back_can_be_taken_at_once(subject):
    one, other = subject.lease("a"), subject.lease("a")
    await one.keep()
    for _ in range(2):
        await one.give_back()
    assert await other.keep()
    assert not await one.keep()


async def test_nobody_gives_back_what_another_holds(subject):
    one, other = subject.lease("a"), subject.lease("a")
    await one.keep()
    await other.keep()
    await other.give_back()
    assert not await subject.lease("a").keep()


async def test_who_was_killed_holds_it_no_longer_than_it_lasts(subject):
    one, other = subject.lease("a"), subject.lease("a")
    await one.keep()
    await subject.let_end()
    assert await other.keep()
    assert not await one.keep()


async def test_while_redis_is_away_who_held_it_goes_on_and_nobody_else_begins(tmp_path):
    client = open_redis(f"unix://{tmp_path}/nobody.sock")
    lease = RedisPollingLease(client, "a")
    try:
        assert not await lease.keep()
        lease._is_held = True
        assert await lease.keep()
        await lease.give_back()
        assert not await lease.keep()
    finally:
        await client.aclose()
