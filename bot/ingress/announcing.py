"""Telling the schedule and the adapters' owners what was committed. All of it may be lost: SQL has it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bot.clock import Clock
from bot.errors import ScheduleUnavailable
from bot.telemetry.events import Hooks
from bot.turns.outage import ScheduleOutage
from bot.turns.scheduler.base import Scheduler

logger = logging.getLogger(__name__)

#: Tells an adapter's owner that SQL has something for it to send.
Ring = Callable[[str], Awaitable[None]]


class Announcer:
    """Puts committed chats and rings for refusals, off the path that acknowledges; bursts share a round trip.

    While Redis is away chats are dropped here, and the reconciler puts them: the outage is logged once.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        ring: Ring,
        clock: Clock,
        hooks: Hooks = (),
        *,
        outage: ScheduleOutage | None = None,
    ) -> None:
        """Keep whom to tell; `outage` is shared with whoever else in this process calls the schedule."""
        self._scheduler = scheduler
        self._ring = ring
        self._outage = outage or ScheduleOutage(clock, hooks)
        self._chats: dict[str, float] = {}
        self._adapters: set[str] = set()
        self._anything = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        """Start telling."""
        self._task = asyncio.create_task(self._run(), name="announcer")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell what is left, once, and end."""
        self._closing = True
        self._anything.set()
        if self._task is not None:
            await self._task

    def put(self, chat_id: str, weight: float) -> None:
        """Have a chat put soon."""
        self._chats[chat_id] = weight
        self._anything.set()

    def ring(self, adapter: str) -> None:
        """Have an adapter's owner rung soon."""
        self._adapters.add(adapter)
        self._anything.set()

    async def _run(self) -> None:
        while True:
            await self._anything.wait()
            self._anything.clear()
            try:
                await self._tell()
            except Exception as exc:  # noqa: BLE001 - the loop's top: the reconciler makes good what is lost here
                logger.warning("announcing failed (%s)", type(exc).__name__)
            if self._closing and not self._chats and not self._adapters:
                return

    async def _tell(self) -> None:
        chats, self._chats = self._chats, {}
        adapters, self._adapters = self._adapters, set()
        if chats:
            await self._put(chats)
        for adapter in adapters:
            await self._ring(adapter)

    async def _put(self, chats: dict[str, float]) -> None:
        try:
            if len(chats) == 1:
                [(chat_id, weight)] = chats.items()
                await self._scheduler.put(chat_id, weight=weight)
            else:
                await self._scheduler.put_many(chats)
        except ScheduleUnavailable as exc:
            self._outage.began(exc)
        else:
            self._outage.ended()
