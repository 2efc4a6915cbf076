"""The schedule in Redis: every step is one Lua script, so that it happens whole or not at all."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from redis.asyncio import Redis

from bot.errors import ScheduleErased, ScheduleUnavailable
from bot.store.redis_errors import redis_call
from bot.turns.scheduler.base import DoneOutcome, ScheduleCounts, Take
from bot.turns.scheduler.scripts import KEY_NAMES, STEPS, load_step, schedule_key
from bot.turns.scheduler.weight import checked_weight

#: Chats that one script call puts: a few milliseconds of the server's time.
_PUT_BATCH = 500
#: The longest blocking pop, below any client's socket timeout.
_POP_S = 2.0


class RedisScheduler:
    """The `Scheduler` over one Redis or Valkey; closing the client stays its owner's work.

    `shard` is the hash tag of its keys (design.md 5.1). Nothing is retried here: that is for the caller's loop.
    """

    def __init__(self, client: Redis, *, shard: str = "aside", call_timeout_s: float = 2.0) -> None:
        self._client = client
        self._call_timeout_s = call_timeout_s
        self._keys = [schedule_key(shard, name).encode() for name in KEY_NAMES]
        self._wake = schedule_key(shard, "wake")
        self._steps = {step: client.register_script(load_step(step)) for step in STEPS}

    async def put(self, chat_id: str, *, weight: float = 1.0) -> None:
        """Make a chat takeable."""
        await self._step("put", chat_id, checked_weight(weight))

    async def put_many(self, chats: Mapping[str, float]) -> None:
        """Put several chats, some hundred a round trip."""
        rest = iter(chats.items())
        while batch := list(islice(rest, _PUT_BATCH)):
            args: list[str | float] = []
            for chat_id, weight in batch:
                args += [chat_id, checked_weight(weight)]
            await self._step("put", *args)

    async def take(self, lease_ms: int) -> Take | None:
        """Take the ready chat with the smallest virtual start."""
        answer, *taken = [part.decode() for part in await self._step("take", lease_ms)]
        if answer == "erased":
            raise ScheduleErased("Redis holds no schedule: put every unfinished chat, then begin an epoch")
        if answer == "none":
            return None
        chat_id, token, epoch = taken
        return Take(chat_id=chat_id, token=int(token), epoch=epoch)

    async def keep(self, take: Take, lease_ms: int) -> bool:
        """Renew a lease."""
        return bool(await self._step("keep", take.chat_id, take.token, lease_ms))

    async def done(self, take: Take, outcome: DoneOutcome, *, delay_ms: int = 0) -> bool:
        """End a lease and charge it."""
        return bool(await self._step("done", take.chat_id, take.token, outcome.value, delay_ms))

    async def lift(self, token: int) -> None:
        """Raise the token counter."""
        await self._step("lift", token)

    async def begin_epoch(self) -> str:
        """Name a new life of the schedule unless one stands."""
        epoch: bytes = await self._step("begin_epoch", secrets.token_hex(4))
        return epoch.decode()

    async def wait(self, timeout_s: float) -> None:
        """Block on the doorbell."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + timeout_s
        while (left_s := ends_at - loop.time()) > 0:
            if await self._pop_ring(min(left_s, _POP_S)):
                return

    async def pause(self) -> None:
        """Let nothing be taken."""
        await self._step("pause")

    async def resume(self) -> None:
        """Let chats be taken again."""
        await self._step("resume")

    async def hold(self, chat_id: str) -> None:
        """Keep one chat from being taken."""
        await self._step("hold", chat_id)

    async def release(self, chat_id: str) -> None:
        """End a hold."""
        await self._step("release", chat_id)

    async def counts(self) -> ScheduleCounts:
        """Count the chats in each state."""
        ready, leased, later, held, paused = await self._step("counts")
        return ScheduleCounts(ready=ready, leased=leased, later=later, held=held, paused=bool(paused))

    async def ranks(self, chat_ids: Sequence[str]) -> list[int | None]:
        """Tell how many ready chats come before each."""
        ranks: list[int] = await self._step("ranks", *chat_ids)
        return [None if rank < 0 else rank for rank in ranks]

    async def _step(self, step: str, *args: str | float) -> Any:
        async with redis_call(ScheduleUnavailable, self._call_timeout_s):
            return await self._steps[step](keys=self._keys, args=args)

    async def _pop_ring(self, block_s: float) -> bool:
        # 0 would block for ever; the server counts in milliseconds.
        block_s = max(block_s, 0.001)
        async with redis_call(ScheduleUnavailable, block_s + self._call_timeout_s):
            return await self._client.blpop([self._wake], timeout=block_s) is not None
