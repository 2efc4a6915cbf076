"""The `PollingLease` that all replicas share: a key in Redis with its holder's name, which ends by itself."""

import logging
import secrets
from pathlib import Path

from redis.asyncio import Redis

from bot.errors import ScheduleUnavailable
from bot.store.redis_errors import redis_call
from bot.turns.live_outage import OutageLog

logger = logging.getLogger(__name__)

#: How long a holder that was killed keeps the others from asking: longer than one request for updates may take.
LASTS_S = 45.0


class RedisPollingLease:
    """One process's view of a lease; closing the client stays its owner's work."""

    def __init__(
        self,
        client: Redis,
        name: str,
        *,
        lasts_s: float = LASTS_S,
        shard: str = "aside",
        call_timeout_s: float = 2.0,
    ) -> None:
        self._key = f"{{{shard}}}:poll:{name}"
        self._holder = secrets.token_hex(8)
        self._lasts_ms = round(lasts_s * 1000)
        self._call_timeout_s = call_timeout_s
        self._is_held = False
        self._outage = OutageLog(logger, f"the lease on {name}'s updates")
        self._keep, self._end = (
            client.register_script(Path(__file__).with_name(file).read_text(encoding="utf-8"))
            for file in ("polling_lease_keep.lua", "polling_lease_end.lua")
        )

    async def keep(self) -> bool:
        """Take it, or take it for longer; while Redis is away, whoever held it goes on."""
        try:
            async with redis_call(ScheduleUnavailable, self._call_timeout_s):
                answer = await self._keep(keys=[self._key], args=[self._holder, self._lasts_ms])
        except ScheduleUnavailable as exc:
            self._outage.failed(exc)
        else:
            self._outage.worked()
            self._is_held = answer == 1
        return self._is_held

    async def give_back(self) -> None:
        """End it; where Redis is away, it ends by itself."""
        was_held, self._is_held = self._is_held, False
        if not was_held:
            return
        try:
            async with redis_call(ScheduleUnavailable, self._call_timeout_s):
                await self._end(keys=[self._key], args=[self._holder])
        except ScheduleUnavailable as exc:
            logger.info("a lease could not be given back: %s", type(exc).__name__)
