"""The `Pacer` that all processes share: one Lua script a call, by the server's clock; local while Redis is away."""

import logging
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from redis.asyncio import Redis

from adapters.pacing import (
    CALM_US,
    GRACE_US,
    RANKS,
    Bucket,
    Pacer,
    PacingKeys,
    PacingScope,
    Priority,
    penalty_us,
    told_to_wait,
)
from bot.errors import ScheduleUnavailable
from bot.store.redis_errors import redis_call
from bot.turns.live_outage import OutageLog

logger = logging.getLogger(__name__)

_SCOPES: tuple[PacingScope, ...] = tuple(PacingScope)
#: For how long Redis is not asked again after it was away: a call that hangs must not cost every send its timeout.
AGAIN_S = 1.0


class RedisPacer:
    """A `Pacer` over one Redis or Valkey; closing the client stays its owner's work.

    `secret` keys the hashes under which conversations are kept: a phone number's plain hash could be guessed. While
    Redis cannot be used, `local` paces this process alone, and one line of the log says so.
    """

    def __init__(
        self,
        client: Redis,
        local: Pacer,
        monotonic: Callable[[], float],
        *,
        secret: bytes = b"",
        shard: str = "aside",
        call_timeout_s: float = 0.5,
    ) -> None:
        self._client = client
        self._local = local
        self._monotonic = monotonic
        self._secret = secret
        self._prefix = f"{{{shard}}}:pace"
        self._call_timeout_s = call_timeout_s
        self._outage = OutageLog(logger, "pacing by Redis (each process paces for itself meanwhile)")
        self._away_until_s = float("-inf")
        self._take, self._penalise = (
            client.register_script(Path(__file__).with_name(name).read_text(encoding="utf-8"))
            for name in ("pacing_take.lua", "pacing_penalise.lua")
        )

    async def take(self, keys: PacingKeys, buckets: tuple[Bucket, ...], priority: Priority) -> None:
        """Take one call out of every bucket, or out of none. Raises `RetryAfter`."""
        if not self._may_ask():
            return await self._local.take(keys, buckets, priority)
        try:
            wait_us, number = await self._shared_take(keys, buckets, priority)
        except ScheduleUnavailable as exc:
            self._failed(exc)
            return await self._local.take(keys, buckets, priority)
        self._outage.worked()
        if wait_us:
            scopes = (*_SCOPES, *(bucket.scope for bucket in buckets))
            raise told_to_wait(wait_us, scopes[number - 1])
        return None

    async def penalise(self, keys: PacingKeys, scope: PacingScope, seconds: float) -> None:
        """Take note of a 429, also here: an outage must not end it."""
        await self._local.penalise(keys, scope, seconds)
        if not self._may_ask():
            return
        try:
            async with redis_call(ScheduleUnavailable, self._call_timeout_s):
                await self._penalise(keys=[self._key(keys, scope)], args=[penalty_us(seconds), CALM_US])
        except ScheduleUnavailable as exc:
            self._failed(exc)
        else:
            self._outage.worked()

    async def _shared_take(
        self, keys: PacingKeys, buckets: tuple[Bucket, ...], priority: Priority
    ) -> tuple[int, int]:
        names = [self._key(keys, scope) for scope in _SCOPES]
        args = [RANKS.index(priority), GRACE_US, CALM_US]
        for bucket in buckets:
            names.append(self._key(keys, bucket.scope, bucket))
            args += [bucket.interval_us, bucket.slack_us(priority)]
        async with redis_call(ScheduleUnavailable, self._call_timeout_s):
            wait_us, number = await self._take(keys=names, args=args)
        return wait_us, number

    def _may_ask(self) -> bool:
        return self._monotonic() >= self._away_until_s

    def _failed(self, reason: ScheduleUnavailable) -> None:
        self._away_until_s = self._monotonic() + AGAIN_S
        self._outage.failed(reason)

    def _key(self, keys: PacingKeys, scope: PacingScope, bucket: Bucket | None = None) -> str:
        digest = blake2b(key=self._secret[:64], digest_size=16)
        for part in keys.of(scope):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(len(encoded).to_bytes(4) + encoded)
        kind = "hold" if bucket is None else f"{bucket.count}:{bucket.per_s:g}:{bucket.burst}"
        return f"{self._prefix}:{digest.hexdigest()}:{kind}"
