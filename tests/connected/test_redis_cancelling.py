"""A cancelled call to Redis stays cancelled: a task that swallows its cancellation would never end."""

import asyncio
import random

from bot.store.redis_client import open_redis
from tests.fixtures.valkey import RealServer

ROUNDS = 1_500


async def test_no_cancellation_is_swallowed(valkey_server: RealServer) -> None:
    """Cancelled at any point of a command, the task ends."""
    client = open_redis(valkey_server.url)
    chance = random.Random(1)

    async def publish_then_stay() -> None:
        await client.publish("nobody", b"hello")
        await asyncio.Event().wait()

    try:
        for _ in range(ROUNDS):
            task = asyncio.create_task(publish_then_stay())
            await asyncio.sleep(chance.random() * 0.001)
            task.cancel()
            await asyncio.wait({task}, timeout=10)
            assert task.done(), "the cancellation was swallowed"
    finally:
        await client.aclose()
