"""Which of redis-py's exceptions mean that the server cannot be used now; everything else is a mistake of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis import exceptions as redis_exceptions

from bot.errors import AsideError

#: The connection failed, or the server asked to be asked again later.
UNAVAILABLE: tuple[type[Exception], ...] = (
    redis_exceptions.ConnectionError,  # refused, reset, loading, logged out, pool exhausted
    redis_exceptions.TimeoutError,
    redis_exceptions.ReadOnlyError,  # a primary that has just become a replica
    redis_exceptions.OutOfMemoryError,  # noeviction at its limit
    redis_exceptions.ClusterDownError,  # and MasterDownError
    redis_exceptions.TryAgainError,
    TimeoutError,
    OSError,
)

#: Answers for which redis-py has no class, by their first word.
UNAVAILABLE_CODES = frozenset(
    {
        "MISCONF",  # it cannot write its files: the disk is full
        "BUSY",  # a script of somebody's runs for too long
        "NOREPLICAS",
        "UNBLOCKED",  # a blocking call ended because the server became a replica
    }
)


def is_unavailable(exc: BaseException) -> bool:
    """Tell whether an exception means "not now"."""
    if isinstance(exc, UNAVAILABLE):
        return True
    return isinstance(exc, redis_exceptions.ResponseError) and str(exc).split(" ", 1)[0] in UNAVAILABLE_CODES


@asynccontextmanager
async def redis_call(unavailable: type[AsideError], timeout_s: float) -> AsyncIterator[None]:
    """Bound a call to Redis and raise what means "not now" as an error of ours; anything else stays as it is."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except (redis_exceptions.RedisError, OSError) as exc:
        if is_unavailable(exc):
            raise unavailable(f"Redis cannot be used now: {type(exc).__name__}: {exc}") from exc
        raise
