"""What only the scheduler over a real server can get wrong: keys, scripts, outages, restarts."""

import asyncio
import os
import secrets
import signal

import pytest
from redis import exceptions as redis_exceptions
from redis.asyncio import Redis

from bot.errors import ScheduleUnavailable
from bot.store.redis_client import open_redis
from bot.turns.scheduler.base import DoneOutcome
from bot.turns.scheduler.redis import RedisScheduler
from bot.turns.scheduler.scripts import KEY_NAMES, STEPS, load_step
from tests.fixtures.eventually import eventually
from tests.fixtures.schedulers import LONG_MS
from tests.fixtures.valkey import RealServer, emptied


@pytest.fixture(params=["valkey", "redis"])
async def client(request: pytest.FixtureRequest):
    async with emptied(request.getfixturevalue(f"{request.param}_server").url) as client:
        yield client


async def _serve(scheduler: RedisScheduler, outcome: DoneOutcome = DoneOutcome.IDLE) -> int:
    """Take and end everything that is ready; tell how many takes that was."""
    count = 0
    while take := await scheduler.take(LONG_MS):
        assert await scheduler.done(take, outcome)
        count += 1
    return count


async def test_nothing_is_left_behind_when_all_is_done(client: Redis):
    scheduler = RedisScheduler(client)
    await scheduler.begin_epoch()
    await scheduler.put_many({secrets.token_hex(8): 1.0 + number % 3 for number in range(300)})
    assert await _serve(scheduler) == 300
    assert {key.decode() for key in await client.keys()} == {"{aside}:meta", "{aside}:events"}
    assert {field.decode() for field in await client.hkeys("{aside}:meta")} == {"epoch", "token", "virtual"}


async def test_only_the_fixed_keys_are_used(client: Redis):
    """All of them under one hash tag, so that a cluster keeps them together."""
    scheduler = RedisScheduler(client, shard="s7")
    await scheduler.begin_epoch()
    await scheduler.put_many(dict.fromkeys("abcdef", 2.0))
    await scheduler.hold("a")
    for outcome in DoneOutcome:
        take = await scheduler.take(LONG_MS)
        assert take is not None
        await scheduler.done(take, outcome, delay_ms=LONG_MS)
    assert await scheduler.take(LONG_MS)
    await scheduler.pause()
    keys = {key.decode() for key in await client.keys()}
    assert {f"{{s7}}:{name}" for name in ("ready", "lease", "own", "later", "weight")} <= keys
    assert keys <= {f"{{s7}}:{name}" for name in KEY_NAMES}


async def test_two_shards_do_not_see_each_other(client: Redis):
    one, two = RedisScheduler(client, shard="one"), RedisScheduler(client, shard="two")
    await one.begin_epoch()
    await two.begin_epoch()
    await one.put("a")
    assert await two.take(LONG_MS) is None
    assert await one.take(LONG_MS)


@pytest.mark.parametrize("weight", [1.0, 2.0])
async def test_ready_chats_cost_little(client: Redis, weight: float):
    """Another weight than 1 is kept beside; Debian's Redis 7.0 takes half as much again for everything."""
    is_valkey = "valkey_version" in await client.info("server")
    scheduler = RedisScheduler(client)
    before = (await client.info("memory"))["used_memory"]
    await scheduler.put_many({secrets.token_hex(16): weight for _ in range(10_000)})
    after = (await client.info("memory"))["used_memory"]
    assert (after - before) / 10_000 < (200 if is_valkey or weight == 1.0 else 300)


async def test_the_doorbell_is_bounded(client: Redis):
    await RedisScheduler(client).put_many({str(number): 1.0 for number in range(2000)})
    assert await client.llen("{aside}:wake") == 256


async def test_the_console_feed_holds_ids_and_outcomes_and_is_bounded(client: Redis):
    scheduler = RedisScheduler(client)
    await scheduler.begin_epoch()
    await scheduler.put("a")
    take = await scheduler.take(LONG_MS)
    assert take is not None
    await scheduler.done(take, DoneOutcome.LATER)
    events = [fields for _, fields in await client.xrange("{aside}:events")]
    token = str(take.token).encode()
    assert events == [
        {b"outcome": b"epoch", b"chat": b"", b"token": b""},
        {b"outcome": b"taken", b"chat": b"a", b"token": token},
        {b"outcome": b"later", b"chat": b"a", b"token": token},
    ]
    for step in ("take", "done"):
        assert "'MAXLEN', '~', EVENTS" in load_step(step)


async def test_forgotten_scripts_are_loaded_again(client: Redis):
    """A restarted or flushed server answers NOSCRIPT once."""
    scheduler = RedisScheduler(client)
    await scheduler.put("a")
    await client.script_flush()
    await scheduler.put("b")
    assert (await scheduler.counts()).ready == 2


async def test_a_restored_snapshot_does_not_set_tokens_back(client: Redis):
    scheduler = RedisScheduler(client)
    await scheduler.begin_epoch()
    await scheduler.put("a")
    take = await scheduler.take(LONG_MS)
    assert take is not None
    await client.hset("{aside}:meta", "token", "17")
    await scheduler.put("b")
    later = await scheduler.take(LONG_MS)
    assert later is not None
    assert later.token > take.token


async def test_a_lease_with_more_behind_it_is_still_read(client: Redis):
    """A newer version may know more of a lease than this one."""
    scheduler = RedisScheduler(client)
    await scheduler.begin_epoch()
    await scheduler.put("a")
    take = await scheduler.take(LONG_MS)
    assert take is not None
    await client.hset("{aside}:own", "a", await client.hget("{aside}:own", "a") + b" more")
    assert await scheduler.keep(take, LONG_MS)
    assert await scheduler.done(take, DoneOutcome.IDLE)


async def test_a_lease_in_another_format_is_lost_and_the_chat_is_not(client: Redis):
    scheduler = RedisScheduler(client)
    await scheduler.begin_epoch()
    await scheduler.put("a")
    take = await scheduler.take(LONG_MS)
    assert take is not None
    await client.hset("{aside}:own", "a", "2:something-else")
    assert not await scheduler.keep(take, LONG_MS)
    assert not await scheduler.done(take, DoneOutcome.IDLE)
    await client.zadd("{aside}:lease", {"a": 1})
    again = await scheduler.take(LONG_MS)
    assert again is not None
    assert (again.chat_id, again.token > take.token) == ("a", True)


async def test_a_full_server_refuses_a_step_whole(client: Redis):
    """A put or take that cannot write changes nothing; a lease can still be kept and ended."""
    scheduler = RedisScheduler(client)
    await scheduler.begin_epoch()
    await scheduler.put("a")
    take = await scheduler.take(LONG_MS)
    assert take is not None
    await scheduler.put("b")
    before = await scheduler.counts()
    await client.config_set(
        "maxmemory", "1mb" if (await client.info("memory"))["used_memory"] > 2**20 else "100kb"
    )
    try:
        with pytest.raises(ScheduleUnavailable):
            await scheduler.put("c")
        with pytest.raises(ScheduleUnavailable):
            await scheduler.take(LONG_MS)
        assert await scheduler.counts() == before
        assert await scheduler.keep(take, LONG_MS)
        assert await scheduler.done(take, DoneOutcome.IDLE)
    finally:
        await client.config_set("maxmemory", "0")


async def test_a_wrong_type_under_our_key_is_not_called_an_outage(client: Redis):
    await client.set("{aside}:ready", "someone else's")
    with pytest.raises(redis_exceptions.ResponseError, match="WRONGTYPE"):
        await RedisScheduler(client).put("a")


async def test_every_step_has_a_script_that_refuses_whole():
    for step in STEPS:
        assert load_step(step).startswith("#!lua")


async def _call_each(scheduler: RedisScheduler) -> list[type[BaseException]]:
    calls = [
        scheduler.put("a"),
        scheduler.put_many({"a": 1.0}),
        scheduler.take(LONG_MS),
        scheduler.lift(1),
        scheduler.begin_epoch(),
        scheduler.wait(5),
        scheduler.pause(),
        scheduler.resume(),
        scheduler.hold("a"),
        scheduler.release("a"),
        scheduler.counts(),
    ]
    return [type(result) for result in await asyncio.gather(*calls, return_exceptions=True)]


async def test_every_call_says_that_redis_is_gone_and_works_when_it_is_back(own_valkey: RealServer):
    async with open_redis(own_valkey.url) as client:
        scheduler = RedisScheduler(client)
        await scheduler.begin_epoch()
        await scheduler.put("a")
        take = await scheduler.take(LONG_MS)
        assert take is not None
        await scheduler.put("b")
        own_valkey.stop()
        assert set(await _call_each(scheduler)) == {ScheduleUnavailable}
        for call in (scheduler.keep(take, LONG_MS), scheduler.done(take, DoneOutcome.IDLE)):
            with pytest.raises(ScheduleUnavailable):
                await call
        own_valkey.start()
        assert await scheduler.keep(take, LONG_MS)
        after = await scheduler.take(LONG_MS)
        assert after is not None
        assert after.chat_id == "b"
        assert after.token > take.token


async def _somebody_waits(client: Redis) -> bool:
    return (await client.info("clients"))["blocked_clients"] > 0


async def test_a_waiter_learns_that_redis_went_away(own_valkey: RealServer):
    async with open_redis(own_valkey.url) as client:
        scheduler = RedisScheduler(client)
        await scheduler.counts()
        waiting = asyncio.create_task(scheduler.wait(60))
        await eventually(lambda: _somebody_waits(client))
        own_valkey.kill()
        with pytest.raises(ScheduleUnavailable):
            await waiting


async def test_a_server_that_stands_still_costs_no_more_than_the_timeout(own_valkey: RealServer):
    """A frozen server is unavailable, not a hang; thawed, it serves the same client."""
    async with open_redis(own_valkey.url) as client:
        scheduler = RedisScheduler(client, call_timeout_s=0.05)
        await scheduler.counts()
        os.kill(own_valkey.pid, signal.SIGSTOP)
        try:
            with pytest.raises(ScheduleUnavailable):
                await scheduler.put("a")
        finally:
            os.kill(own_valkey.pid, signal.SIGCONT)
        await RedisScheduler(client).put("b")


async def test_cancelling_a_wait_leaves_the_client_usable(client: Redis):
    scheduler = RedisScheduler(client)
    waiting = asyncio.create_task(scheduler.wait(60))
    await eventually(lambda: _somebody_waits(client))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await scheduler.put("a")
    assert (await scheduler.counts()).ready == 1
