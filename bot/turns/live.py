"""Carrying live snapshots from a worker to the process that owns the platform's connection; loss is allowed."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from adapters.base import LiveSnapshot
from bot.turns.model import Chat


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal:
    """Somebody asked to cancel a turn; whoever works on it must look."""

    turn_id: str


class LiveBus(Protocol):
    """Publishes snapshots, doorbells and stop signals. Nothing here is the record: every loss is made good from SQL."""

    async def publish(self, chat: Chat, snapshot: LiveSnapshot) -> None:
        """Send a snapshot, sealed with the chat's key, to the adapter's owner and keep the newest for 60 s.

        Never raises for an unreachable Redis: the snapshot is dropped.
        """
        ...

    async def ring(self, adapter: str) -> None:
        """Tell an adapter's owner that SQL has something for it to send; a loss costs it at most a second."""
        ...

    def snapshots(self, adapter: str) -> AbstractAsyncContextManager[AsyncIterator[LiveSnapshot | None]]:
        """Receive an adapter's snapshots, and None for every ring; those kept from the last 60 s come first.

        The iterator outlives a lost connection to Redis: it reconnects with backoff and jitter.
        """
        ...

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker that a turn was cancelled; a worker that misses it sees SQL at its next KEEP."""
        ...

    def stops(self) -> AbstractAsyncContextManager[AsyncIterator[StopSignal]]:
        """Receive stop signals."""
        ...

    async def forget(self, adapter: str, turn_ids: Collection[str]) -> None:
        """Drop what is kept of some turns; safe to repeat. Raises `ScheduleUnavailable`."""
        ...
