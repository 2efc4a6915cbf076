"""Live snapshots over Redis Pub/Sub, sealed; the newest of each turn is kept for a minute for whoever comes late."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Collection
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from adapters.base import LivePhase, LiveSnapshot
from bot.chat.vault import Vault
from bot.errors import ScheduleUnavailable, VaultError, WrittenByNewer
from bot.store.redis_errors import redis_call
from bot.turns.live import StopSignal
from bot.turns.live_listen import Link, listen
from bot.turns.live_order import NewestOnly
from bot.turns.live_outage import OutageLog
from bot.turns.live_wire import (
    Ring,
    UnreadableLive,
    open_snapshot,
    read_live,
    seal_snapshot,
    stop_from_wire,
    stop_to_wire,
)
from bot.turns.model import Chat

logger = logging.getLogger(__name__)


class RedisLiveBus:
    """The `LiveBus` over one Redis or Valkey; closing the client stays its owner's work."""

    def __init__(
        self,
        client: Redis,
        vault: Vault,
        *,
        shard: str = "aside",
        keep_s: float = 60.0,
        call_timeout_s: float = 1.0,
    ) -> None:
        self._client = client
        self._vault = vault
        self._prefix = f"{{{shard}}}:live"
        self._keep_ms = round(keep_s * 1000)
        self._call_timeout_s = call_timeout_s
        self._outage = OutageLog(logger, "publishing live snapshots")
        self._keep = client.register_script(
            Path(__file__).with_name("live_keep.lua").read_text(encoding="utf-8")
        )

    async def publish(self, chat: Chat, snapshot: LiveSnapshot) -> None:
        """Send a snapshot to the adapter's owner, or drop it."""
        channel = self._channel(chat.adapter)
        message = seal_snapshot(self._vault, chat, snapshot).to_wire()
        args: list[str | bytes | int] = [channel, snapshot.turn_id, snapshot.number, message, self._keep_ms]
        await self._send(self._keep(keys=self._kept_keys(channel), args=args))

    async def ring(self, adapter: str) -> None:
        """Tell an adapter's owner to look into SQL."""
        await self._send(self._client.publish(self._channel(adapter), Ring().to_wire()))

    @asynccontextmanager
    async def snapshots(self, adapter: str) -> AsyncIterator[AsyncIterator[LiveSnapshot | None]]:
        """Receive an adapter's snapshots, and None for every ring and after every reconnection."""
        async with aclosing(listen(self._client, self._channel(adapter))) as events:
            order = NewestOnly()
            first = await self._missed(adapter, order) if await anext(events) is Link.UP else []
            async with aclosing(self._newest(adapter, first, order, events)) as snapshots:
                yield snapshots

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker that a turn was cancelled."""
        await self._send(self._client.publish(self._stops, stop_to_wire(StopSignal(turn_id=turn_id))))

    async def forget(self, adapter: str, turn_ids: Collection[str]) -> None:
        """Drop what is kept of some turns."""
        if not turn_ids:
            return
        kept, kept_at = self._kept_keys(self._channel(adapter))
        async with redis_call(ScheduleUnavailable, self._call_timeout_s), self._client.pipeline() as step:
            step.hdel(kept, *turn_ids)
            step.zrem(kept_at, *turn_ids)
            await step.execute()

    @asynccontextmanager
    async def stops(self) -> AsyncIterator[AsyncIterator[StopSignal]]:
        """Receive stop signals."""
        async with aclosing(listen(self._client, self._stops)) as events:
            await anext(events)
            async with aclosing(_read_stops(events)) as stops:
                yield stops

    @property
    def _stops(self) -> str:
        return f"{self._prefix}:stops"

    def _channel(self, adapter: str) -> str:
        return f"{self._prefix}:of:{adapter}"

    def _kept_keys(self, channel: str) -> list[str]:
        return [f"{channel}:kept", f"{channel}:kept_at"]

    async def _send(self, call: Awaitable[Any]) -> None:
        try:
            async with redis_call(ScheduleUnavailable, self._call_timeout_s):
                await call
        except ScheduleUnavailable as exc:
            self._outage.failed(exc)
        else:
            self._outage.worked()

    async def _newest(
        self, adapter: str, first: list[LiveSnapshot], order: NewestOnly, events: AsyncIterator[bytes | Link]
    ) -> AsyncGenerator[LiveSnapshot | None]:
        for snapshot in first:
            yield snapshot
        async for event in events:
            if event is Link.UP:
                for snapshot in await self._missed(adapter, order):
                    yield snapshot
                yield None  # a ring may have been missed
            elif isinstance(event, bytes):
                for item in self._read(event, order):
                    yield item

    async def _missed(self, adapter: str, order: NewestOnly) -> list[LiveSnapshot]:
        """Read what is kept; an outage here is noticed by the listener, and leaves nothing to show."""
        try:
            async with redis_call(ScheduleUnavailable, self._call_timeout_s):
                payloads = await self._kept_payloads(adapter)
        except ScheduleUnavailable:
            return []
        found = [item for payload in payloads for item in self._read(payload, order)]
        return [item for item in found if item is not None and item.phase is not LivePhase.ENDED]

    async def _kept_payloads(self, adapter: str) -> list[bytes]:
        kept, kept_at = self._kept_keys(self._channel(adapter))
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.time()
            pipe.zrange(kept_at, 0, -1, withscores=True)
            pipe.hgetall(kept)
            (seconds, micros), when, messages = await pipe.execute()
        oldest_ms = seconds * 1000 + micros // 1000 - self._keep_ms
        return [messages[turn].split(b" ", 1)[1] for turn, at_ms in when if at_ms > oldest_ms]

    def _read(self, payload: bytes, order: NewestOnly) -> list[LiveSnapshot | None]:
        """Open one message: nothing if it is stale or cannot be opened, for a loss is allowed here."""
        try:
            live = read_live(payload)
            if isinstance(live, Ring):
                return [None]
            snapshot = open_snapshot(self._vault, live)
        except (UnreadableLive, VaultError, WrittenByNewer) as exc:
            logger.warning("a live snapshot was dropped: %s", exc)
            return []
        return [snapshot] if order.admit(snapshot) else []


async def _read_stops(events: AsyncIterator[bytes | Link]) -> AsyncGenerator[StopSignal]:
    async for event in events:
        if isinstance(event, Link):
            continue
        try:
            yield stop_from_wire(event)
        except UnreadableLive as exc:
            logger.warning("a stop signal was dropped: %s", exc)
