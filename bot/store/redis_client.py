"""Connecting to a Redis or Valkey server by URL."""

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.errors import SettingsError

_SCHEMES = ("redis://", "rediss://", "unix://")


def open_redis(url: str, *, timeout_s: float = 5.0) -> Redis:
    """Make a client for `redis://`, `rediss://` or `unix://`; connects at its first command, answers in bytes.

    Close it with `aclose()`. Raises `SettingsError` for another kind of URL.
    """
    if not url.startswith(_SCHEMES):
        raise SettingsError(f"the URL of Redis must begin with {', '.join(_SCHEMES[:-1])} or {_SCHEMES[-1]}")
    pool = ConnectionPool.from_url(
        url,
        # With RESP3 redis-py 8 expects pushes and no longer notices, at checkout, a connection the server closed.
        protocol=2,
        # With a socket timeout redis-py writes through asyncio.wait_for, which in Python 3.11 can swallow the
        # cancellation of whoever calls (bpo-42130). Every call here is bounded by `redis_call` instead.
        socket_timeout=None,
        socket_connect_timeout=timeout_s,
        # One layer retries: the loop of whoever calls.
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)
