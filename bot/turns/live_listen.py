"""Listening to one Redis channel for as long as asked, through lost connections."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from enum import StrEnum

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from bot.store.redis_errors import is_unavailable
from bot.turns.live_outage import OutageLog

logger = logging.getLogger(__name__)

_SUBSCRIBE_TIMEOUT_S = 2.0
#: A quiet connection is asked for a sign of life after this long, and given up after twice as long.
_QUIET_S = 5.0
_FIRST_BACKOFF_S = 0.05
_LONGEST_BACKOFF_S = 2.0


class Link(StrEnum):
    """What became of the connection, by what the listener must do."""

    #: Subscribed: what was published before may have been missed; look it up.
    UP = "up"
    #: Not connected; nothing comes until the next UP.
    DOWN = "down"


async def listen(client: Redis, channel: str) -> AsyncGenerator[bytes | Link]:
    """Yield a channel's payloads, with UP at every subscription and DOWN at every failed attempt.

    The first item is always a `Link`. Reconnects for ever, with exponential backoff and full jitter
    (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). Close it with `aclose`.
    """
    outage = OutageLog(logger, f"listening to {channel}")
    backoff_s = _FIRST_BACKOFF_S
    while True:
        try:
            async with client.pubsub() as pubsub:
                await _subscribe(pubsub, channel)
                outage.worked()
                backoff_s = _FIRST_BACKOFF_S
                yield Link.UP
                while True:
                    yield await _next_payload(pubsub)
        except (RedisError, OSError) as exc:
            if not is_unavailable(exc):
                raise
            outage.failed(exc)
        yield Link.DOWN
        await asyncio.sleep(random.uniform(0, backoff_s))  # noqa: S311 - jitter, no secret
        backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)


async def _subscribe(pubsub: PubSub, channel: str) -> None:
    async with asyncio.timeout(_SUBSCRIBE_TIMEOUT_S):
        await pubsub.subscribe(channel)
        # The confirmation: nothing published from here on is missed.
        while await pubsub.get_message(timeout=_SUBSCRIBE_TIMEOUT_S) is None:
            pass


async def _next_payload(pubsub: PubSub) -> bytes:
    asked = False
    while True:
        message = await pubsub.get_message(timeout=_QUIET_S)
        if message is not None and message["type"] == "message":
            payload: bytes = message["data"]
            return payload
        if message is None and asked:
            raise RedisConnectionError("no sign of life")
        asked = message is None
        if asked:
            async with asyncio.timeout(_SUBSCRIBE_TIMEOUT_S):
                await pubsub.ping()
