"""What every pacer promises: in memory, and on real servers whose clock is moved by hand so that all say the same."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis

import bot.turns.pacing_redis
from adapters.errors import RateScope, RetryAfter
from adapters.pacing import CALM_US, GRACE_US, Bucket, Pacer, PacingKeys, PacingScope, Priority
from adapters.pacing_memory import MemoryPacer
from bot.turns.pacing_redis import RedisPacer
from tests.fixtures.clocks import ManualClock
from tests.fixtures.valkey import emptied

KEYS = PacingKeys(adapter="telegram", account="bot", conversation="family")
NEIGHBOUR = PacingKeys(adapter="telegram", account="bot", conversation="work")
OTHER_BOT = PacingKeys(adapter="telegram", account="bot2", conversation="family")
CHAT = Bucket(scope=PacingScope.CONVERSATION, count=20, per_s=60, burst=4)
BOT = Bucket(scope=PacingScope.ACCOUNT, count=30, per_s=1)
CALM_S, GRACE_S = CALM_US / 1e6, GRACE_US / 1e6
#: The smallest step of a pacer's clock.
STEP_S = 2e-6


@dataclass
class Subject:
    """A pacer and its clock."""

    pacer: Pacer
    clock: ManualClock
    client: Redis | None = None

    async def pass_s(self, seconds: float) -> None:
        self.clock.advance(seconds)
        if self.client is not None:
            await tell_time(self.client, self.clock)

    async def wait_s(
        self, priority: Priority, buckets: tuple[Bucket, ...] = (CHAT,), keys: PacingKeys = KEYS
    ) -> float:
        """Take once; 0 where it goes, else what it is told to wait."""
        try:
            await self.pacer.take(keys, buckets, priority)
        except RetryAfter as error:
            return error.seconds
        return 0.0


async def tell_time(client: Redis, clock: ManualClock) -> None:
    microseconds = round(clock.monotonic() * 1_000_000)
    await client.mset({"now:s": microseconds // 1_000_000, "now:us": microseconds % 1_000_000})


def with_moved_clock(client: Redis, pacer: RedisPacer) -> RedisPacer:
    """Have the scripts read the test's clock; what they keep does not vanish by the server's own meanwhile."""
    folder = Path(bot.turns.pacing_redis.__file__).parent
    for name, attribute in (("pacing_take", "_take"), ("pacing_penalise", "_penalise")):
        source = (folder / f"{name}.lua").read_text(encoding="utf-8")
        moved = source.replace(
            "redis.call('TIME')", "{redis.call('GET', 'now:s'), redis.call('GET', 'now:us')}"
        ).replace("redis.call('PEXPIRE', ", "tostring(")
        assert moved.count("now:us") == 1
        assert moved.count("tostring(") == 1
        setattr(pacer, attribute, client.register_script(moved))
    return pacer


@pytest.fixture(params=["memory", "valkey", "redis"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    clock = ManualClock()
    if request.param == "memory":
        yield Subject(MemoryPacer(clock.monotonic), clock)
        return
    # As large as real instants: a number that loses its microseconds on the way would be noticed.
    clock.seconds = 1_795_000_000.123456
    async with emptied(request.getfixturevalue(f"{request.param}_server").url) as client:
        await tell_time(client, clock)
        pacer = RedisPacer(client, MemoryPacer(clock.monotonic), clock.monotonic, call_timeout_s=30)
        yield Subject(with_moved_clock(client, pacer), clock, client)


async def test_a_burst_goes_and_what_is_above_it_waits(subject):
    assert [await subject.wait_s(Priority.FINAL) for _ in range(4)] == [0, 0, 0, 0]
    assert await subject.wait_s(Priority.FINAL) == pytest.approx(CHAT.interval_us / 1e6)


async def test_what_waited_as_told_goes_and_not_a_moment_sooner(subject):
    while not (wait_s := await subject.wait_s(Priority.FINAL)):
        pass
    await subject.pass_s(wait_s - STEP_S)
    assert await subject.wait_s(Priority.FINAL) == pytest.approx(STEP_S, abs=1e-6)
    await subject.pass_s(STEP_S)
    assert await subject.wait_s(Priority.FINAL) == 0


@pytest.mark.parametrize(
    ("priority", "count"),
    [(Priority.FINAL, 4), (Priority.FIRST, 3), (Priority.EDIT, 2), (Priority.TYPING, 1)],
)
async def test_each_priority_leaves_room_for_those_above_it(subject, priority, count):
    granted = 0
    while not await subject.wait_s(priority):
        granted += 1
    assert granted == count


async def test_a_final_text_goes_where_edits_have_to_wait(subject):
    while not await subject.wait_s(Priority.EDIT):
        pass
    assert await subject.wait_s(Priority.FINAL) == 0


async def test_edits_stand_back_for_a_final_text_that_waits(subject):
    while not (wait_s := await subject.wait_s(Priority.FINAL)):
        pass
    await subject.pass_s(wait_s)
    assert await subject.wait_s(Priority.EDIT) > 0
    assert await subject.wait_s(Priority.FINAL) == 0


async def test_nobody_stands_back_for_one_that_does_not_come(subject):
    bucket = (Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=1),)
    await subject.pacer.take(KEYS, bucket, Priority.FINAL)
    wait_s = await subject.wait_s(Priority.FINAL, bucket)
    await subject.pass_s(wait_s + GRACE_S - STEP_S)
    assert await subject.wait_s(Priority.TYPING, bucket) == pytest.approx(STEP_S, abs=1e-6)
    await subject.pass_s(STEP_S)
    assert await subject.wait_s(Priority.TYPING, bucket) == 0


async def test_a_call_that_one_bucket_refuses_takes_nothing_out_of_the_others(subject):
    single = Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=60)
    await subject.pacer.take(KEYS, (single,), Priority.FINAL)
    for _ in range(10):
        assert await subject.wait_s(Priority.FINAL, (BOT, single)) == pytest.approx(60)
    assert await subject.wait_s(Priority.FINAL, (BOT,)) == 0


async def test_the_longest_wait_is_told_and_whose_it_is(subject):
    await subject.pacer.take(KEYS, (BOT,), Priority.FINAL)
    with pytest.raises(RetryAfter) as told:
        await subject.pacer.take(KEYS, (BOT, CHAT), Priority.FINAL)
    assert told.value.scope is RateScope.ACCOUNT
    while not await subject.wait_s(Priority.FINAL, (CHAT,)):
        pass
    with pytest.raises(RetryAfter) as told:
        await subject.pacer.take(KEYS, (BOT, CHAT), Priority.FINAL)
    assert told.value.scope is RateScope.CONVERSATION


async def test_chats_share_what_is_their_bots_and_nothing_else(subject):
    while not await subject.wait_s(Priority.FINAL):
        pass
    assert await subject.wait_s(Priority.FINAL, keys=NEIGHBOUR) == 0
    await subject.pacer.take(KEYS, (BOT,), Priority.FINAL)
    assert await subject.wait_s(Priority.FINAL, (BOT,), NEIGHBOUR) > 0
    assert await subject.wait_s(Priority.FINAL, (BOT,), OTHER_BOT) == 0


async def test_all_bots_of_a_platform_share_its_buckets(subject):
    bucket = (Bucket(scope=PacingScope.PLATFORM, count=1, per_s=60),)
    await subject.pacer.take(KEYS, bucket, Priority.FINAL)
    assert await subject.wait_s(Priority.FINAL, bucket, OTHER_BOT) > 0


async def test_without_buckets_everything_goes(subject):
    assert [await subject.wait_s(Priority.TYPING, ()) for _ in range(50)] == [0] * 50


@pytest.mark.parametrize("priority", list(Priority))
async def test_a_429_stops_everything_until_its_end(subject, priority):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 30)
    await subject.pass_s(30 - STEP_S)
    assert await subject.wait_s(priority, ()) > 0
    assert await subject.wait_s(priority, (), NEIGHBOUR) == 0


async def test_after_a_429_one_final_text_goes_alone(subject):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 30)
    await subject.pass_s(30)
    assert await subject.wait_s(Priority.EDIT, ()) == pytest.approx(CALM_S)
    assert await subject.wait_s(Priority.FINAL, ()) == 0
    assert await subject.wait_s(Priority.FINAL, ()) == pytest.approx(CALM_S)
    await subject.pass_s(CALM_S)
    assert [await subject.wait_s(priority, ()) for priority in Priority] == [0, 0, 0, 0]


async def test_a_final_text_that_comes_late_still_goes_alone(subject):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 30)
    await subject.pass_s(30 + CALM_S * 0.75)
    assert await subject.wait_s(Priority.FINAL, ()) == 0
    assert await subject.wait_s(Priority.TYPING, ()) == pytest.approx(CALM_S)


async def test_a_429_for_the_one_that_tried_begins_again(subject):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 1)
    await subject.pass_s(1)
    assert await subject.wait_s(Priority.FINAL, ()) == 0
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 8)
    assert await subject.wait_s(Priority.FINAL, ()) == pytest.approx(8)
    await subject.pass_s(8)
    assert await subject.wait_s(Priority.FINAL, ()) == 0


async def test_a_shorter_429_ends_no_longer_one(subject):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 30)
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 1)
    assert await subject.wait_s(Priority.FINAL, ()) == pytest.approx(30)


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan")])
async def test_a_429_that_names_no_time_still_makes_calm(subject, seconds):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, seconds)
    assert await subject.wait_s(Priority.EDIT, ()) == pytest.approx(CALM_S)
    assert await subject.wait_s(Priority.FINAL, ()) == 0


async def test_no_wait_is_believed_beyond_a_day(subject):
    await subject.pacer.penalise(KEYS, PacingScope.ACCOUNT, float("inf"))
    assert await subject.wait_s(Priority.FINAL, ()) == pytest.approx(86_400)


async def test_a_429_of_the_bot_stops_all_its_chats(subject):
    await subject.pacer.penalise(KEYS, PacingScope.ACCOUNT, 30)
    assert await subject.wait_s(Priority.FINAL, (), NEIGHBOUR) == pytest.approx(30)
    assert await subject.wait_s(Priority.FINAL, (), OTHER_BOT) == 0


async def test_what_a_429_holds_back_takes_nothing_out_of_the_buckets(subject):
    await subject.pacer.penalise(KEYS, PacingScope.CONVERSATION, 5)
    for _ in range(10):
        await subject.wait_s(Priority.FINAL)
    await subject.pass_s(5 + CALM_S)
    assert [await subject.wait_s(Priority.FINAL) for _ in range(4)] == [0] * 4


async def test_of_many_at_once_no_more_go_than_the_bucket_holds(subject):
    waits = await asyncio.gather(*(subject.wait_s(Priority.FINAL) for _ in range(50)))
    assert waits.count(0) == CHAT.burst
