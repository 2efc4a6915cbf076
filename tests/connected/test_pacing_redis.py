"""Pacing that processes share: the same arithmetic as in memory, the server's own clock, and life without Redis."""

import asyncio
import logging
import random

import pytest

from adapters.errors import RetryAfter
from adapters.pacing import Bucket, PacingKeys, PacingScope, Priority
from adapters.pacing_memory import MemoryPacer
from bot.clock import SystemClock
from bot.store.redis_client import open_redis
from bot.turns.pacing_redis import AGAIN_S, RedisPacer
from tests.contracts.test_pacer_contract import tell_time, with_moved_clock
from tests.fixtures.clocks import ManualClock
from tests.fixtures.valkey import emptied

KEYS = PacingKeys(adapter="telegram", account="bot", conversation="family \ud800")
NUMBER = "+15551234567"
HOUR = (Bucket(scope=PacingScope.CONVERSATION, count=2, per_s=3600, burst=2),)
BUCKETS = (
    Bucket(scope=PacingScope.CONVERSATION, count=20, per_s=60, burst=4),
    Bucket(scope=PacingScope.ACCOUNT, count=30, per_s=1, burst=3),
    Bucket(scope=PacingScope.PLATFORM, count=7, per_s=2),
)


def redis_pacer(client, clock=None, **options):
    clock = clock or SystemClock()
    return RedisPacer(client, MemoryPacer(clock.monotonic), clock.monotonic, **options)


async def wait_of(pacer, keys, buckets, priority):
    try:
        await pacer.take(keys, buckets, priority)
    except RetryAfter as error:
        return round(error.seconds * 1_000_000), error.scope
    return 0, None


@pytest.mark.parametrize("seed", range(5))
async def test_both_pacers_say_the_same_to_the_microsecond(valkey_server, seed):
    rng = random.Random(seed)
    clock = ManualClock()
    clock.seconds = 1_795_000_000.0
    async with emptied(valkey_server.url) as client:
        shared = with_moved_clock(client, redis_pacer(client, clock, call_timeout_s=30))
        alone = MemoryPacer(clock.monotonic)
        for _ in range(300):
            clock.advance(rng.choice([0, 0, 0.0001, 0.02, 0.3, 2.5]))
            await tell_time(client, clock)
            keys = PacingKeys(adapter="t", account=rng.choice("ab"), conversation=rng.choice("xyz"))
            if rng.random() < 0.02:
                scope, seconds = rng.choice(list(PacingScope)), rng.choice([0.0, 0.5, 3.25])
                await shared.penalise(keys, scope, seconds)
                await alone.penalise(keys, scope, seconds)
            buckets = tuple(rng.sample(BUCKETS, rng.randint(0, 3)))
            priority = rng.choice(list(Priority))
            assert await wait_of(shared, keys, buckets, priority) == await wait_of(
                alone, keys, buckets, priority
            )


async def test_by_the_servers_own_clock_what_waits_as_told_goes(valkey_client):
    pacer = redis_pacer(valkey_client)
    bucket = (Bucket(scope=PacingScope.ACCOUNT, count=1, per_s=0.2),)
    for _ in range(3):
        while (told := await wait_of(pacer, KEYS, bucket, Priority.FINAL))[0]:
            assert told[0] <= 200_000
            await asyncio.sleep(told[0] / 1e6)


async def test_processes_share_one_bucket(valkey_server, valkey_client):
    async with open_redis(valkey_server.url) as client:
        one, two = redis_pacer(valkey_client), redis_pacer(client)
        assert await wait_of(one, KEYS, HOUR, Priority.FINAL) == (0, None)
        assert await wait_of(two, KEYS, HOUR, Priority.FINAL) == (0, None)
        assert (await wait_of(one, KEYS, HOUR, Priority.FINAL))[0] > 0


async def test_nothing_is_kept_for_longer_than_it_matters(valkey_client):
    pacer = redis_pacer(valkey_client)
    for priority in (Priority.FINAL, Priority.FINAL, Priority.FINAL, Priority.EDIT, Priority.TYPING):
        await wait_of(pacer, KEYS, BUCKETS, priority)
    await pacer.penalise(KEYS, PacingScope.ACCOUNT, 5)
    lives_ms = [await valkey_client.pttl(key) for key in await valkey_client.keys()]
    assert len(lives_ms) == 4
    assert all(0 < life_ms <= 70_000 for life_ms in lives_ms)


async def test_keys_share_a_slot_and_name_nobody(valkey_client):
    pacer = redis_pacer(valkey_client, secret=b"s" * 32, shard="here")
    keys = PacingKeys(adapter="sms", account="+15550000000", conversation=NUMBER)
    await pacer.take(keys, BUCKETS, Priority.FINAL)
    await pacer.penalise(keys, PacingScope.CONVERSATION, 5)
    names = [key.decode() for key in await valkey_client.keys()]
    assert all(name.startswith("{here}:pace:") and "1555" not in name for name in names)


async def test_the_hash_of_a_number_cannot_be_guessed_without_the_key(valkey_client):
    for secret in (b"one", b"two"):
        await redis_pacer(valkey_client, secret=secret).take(KEYS, HOUR, Priority.FINAL)
    assert await valkey_client.dbsize() == 2


async def test_without_redis_a_process_paces_for_itself_and_says_so_once(own_valkey, caplog):
    caplog.set_level(logging.INFO, "bot.turns.pacing_redis")
    clock = ManualClock()
    async with open_redis(own_valkey.url) as client:
        pacer = redis_pacer(client, clock)
        own_valkey.kill()
        waits = []
        for _ in range(4):
            waits.append((await wait_of(pacer, KEYS, HOUR, Priority.FINAL))[0])
            clock.advance(AGAIN_S)
        assert [wait > 0 for wait in waits] == [False, False, True, True]
        await asyncio.to_thread(own_valkey.start)
        assert await wait_of(pacer, KEYS, HOUR, Priority.FINAL) == (0, None)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert "is interrupted" in said[0]
    assert "works again" in said[1]
    assert "family" not in " ".join(said)


async def test_a_429_holds_on_when_redis_goes(own_valkey):
    clock = ManualClock()
    async with open_redis(own_valkey.url) as client:
        pacer = redis_pacer(client, clock)
        await pacer.penalise(KEYS, PacingScope.CONVERSATION, 60)
        own_valkey.kill()
        assert (await wait_of(pacer, KEYS, (), Priority.FINAL))[0] > 0


async def test_while_redis_is_away_it_is_not_asked_for_every_call(own_valkey):
    clock = ManualClock()
    async with open_redis(own_valkey.url) as client:
        pacer = redis_pacer(client, clock)
        own_valkey.kill()
        await wait_of(pacer, KEYS, HOUR, Priority.FINAL)
        await asyncio.to_thread(own_valkey.start)
        await wait_of(pacer, KEYS, HOUR, Priority.FINAL)
        assert await client.dbsize() == 0
        clock.advance(AGAIN_S)
        await wait_of(pacer, KEYS, HOUR, Priority.FINAL)
        assert await client.dbsize() == 1
