"""Live snapshots within one process."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from typing import Generic, TypeVar

from adapters.base import LivePhase, LiveSnapshot
from bot.clock import Clock
from bot.turns.live import StopSignal
from bot.turns.model import Chat

#: What a listener may leave unread; beyond it the oldest is lost, as on a slow connection.
_MAILBOX = 1024

Item = TypeVar("Item")


class _Mailbox(Generic[Item]):
    """One listener's unread items."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=_MAILBOX)
        self._filled = asyncio.Event()

    def post(self, item: Item) -> None:
        self._items.append(item)
        self._filled.set()

    async def read(self) -> AsyncGenerator[Item]:
        while True:
            await self._filled.wait()
            while self._items:
                yield self._items.popleft()
            self._filled.clear()


class MemoryLiveBus:
    """The `LiveBus` for one process. Nothing leaves it, so nothing is sealed."""

    def __init__(self, clock: Clock, *, keep_s: float = 60.0) -> None:
        self._clock = clock
        self._keep_s = keep_s
        self._kept: dict[str, dict[str, tuple[float, LiveSnapshot]]] = defaultdict(dict)
        self._owners: dict[str, list[_Mailbox[LiveSnapshot | None]]] = defaultdict(list)
        self._workers: list[_Mailbox[StopSignal]] = []

    async def publish(self, chat: Chat, snapshot: LiveSnapshot) -> None:
        """Hand a snapshot to the adapter's owner and keep it."""
        kept = self._still_kept(chat.adapter)
        standing = kept.get(snapshot.turn_id)
        if standing is not None and standing[1].number >= snapshot.number:
            return
        kept[snapshot.turn_id] = (self._clock.monotonic(), snapshot)
        for mailbox in self._owners[chat.adapter]:
            mailbox.post(snapshot)

    async def ring(self, adapter: str) -> None:
        """Tell an adapter's owner to look into SQL."""
        for mailbox in self._owners[adapter]:
            mailbox.post(None)

    @asynccontextmanager
    async def snapshots(self, adapter: str) -> AsyncIterator[AsyncIterator[LiveSnapshot | None]]:
        """Receive an adapter's snapshots, kept ones first, and None for every ring."""
        mailbox: _Mailbox[LiveSnapshot | None] = _Mailbox()
        for _, snapshot in self._still_kept(adapter).values():
            if snapshot.phase is not LivePhase.ENDED:
                mailbox.post(snapshot)
        self._owners[adapter].append(mailbox)
        try:
            async with aclosing(mailbox.read()) as snapshots:
                yield snapshots
        finally:
            self._owners[adapter].remove(mailbox)

    async def forget(self, adapter: str, turn_ids: Collection[str]) -> None:
        """Drop what is kept of some turns."""
        for turn_id in turn_ids:
            self._kept[adapter].pop(turn_id, None)

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker that a turn was cancelled."""
        for mailbox in self._workers:
            mailbox.post(StopSignal(turn_id=turn_id))

    @asynccontextmanager
    async def stops(self) -> AsyncIterator[AsyncIterator[StopSignal]]:
        """Receive stop signals."""
        mailbox: _Mailbox[StopSignal] = _Mailbox()
        self._workers.append(mailbox)
        try:
            async with aclosing(mailbox.read()) as stops:
                yield stops
        finally:
            self._workers.remove(mailbox)

    def _still_kept(self, adapter: str) -> dict[str, tuple[float, LiveSnapshot]]:
        oldest = self._clock.monotonic() - self._keep_s
        kept = {turn: item for turn, item in self._kept[adapter].items() if item[0] > oldest}
        self._kept[adapter] = kept
        return kept
