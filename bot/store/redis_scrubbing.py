"""Taking what was deleted out of Redis' append-only file: it is written anew from what is there now."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.errors import ScheduleUnavailable
from bot.store.redis_errors import redis_call

_CALL_S = 5.0
_MOST_S = 50.0
_POLL_S = 0.05


async def rewrite_log(client: Redis) -> None:
    """Have the append-only file written anew, where the server keeps one, and wait for that.

    Raises `ScheduleUnavailable` where the server does not do it now.
    """
    async with redis_call(ScheduleUnavailable, _MOST_S):
        if not (await _persistence(client))["aof_enabled"]:
            return
        await _until_none_runs(client)
        try:
            await client.bgrewriteaof()
        except ResponseError as exc:
            raise ScheduleUnavailable(f"the append-only file is not written anew: {exc}") from exc
        await _until_none_runs(client)
    if (await _persistence(client))["aof_last_bgrewrite_status"] != "ok":
        raise ScheduleUnavailable(
            "the append-only file could not be written anew: look into the server's log"
        )


async def _until_none_runs(client: Redis) -> None:
    """Wait until nothing is being written anew; one that was begun before does not know what was deleted since."""
    while True:
        facts = await _persistence(client)
        if not facts["aof_rewrite_in_progress"] and not facts["aof_rewrite_scheduled"]:
            return
        await asyncio.sleep(_POLL_S)


async def _persistence(client: Redis) -> dict[str, object]:
    async with redis_call(ScheduleUnavailable, _CALL_S):
        facts: dict[str, object] = await client.info("persistence")
    return facts
