"""Telling the schedule and the adapters' owners what was committed. All of it may be lost: SQL has it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bot.clock import Clock
from bot.errors import ScheduleUnavailable
from bot.telemetry.events import Dependency, Hooks, OutageBegan, OutageEnded, emit
from bot.turns.scheduler.base import Scheduler

logger = logging.getLogger(__name__)

#: Tells an adapter's owner that SQL has something for it to send.
Ring = Callable[[str], Awaitable[None]]


class Announcer:
    """Puts committed chats and rings for refusals, off the path that acknowledges; bursts share a round trip.

    While Redis is away chats are dropped here, and the reconciler puts them: the outage is logged once.
    """

    def __init__(self, scheduler: Scheduler, ring: Ring, clock: Clock, hooks: Hooks = ()) -> None:
        """Keep whom to tell."""
        self._scheduler = scheduler
        self._ring = ring
        self._clock = clock
        self._hooks = hooks
        self._chats: dict[str, float] = {}
        self._adapters: set[str] = set()
        self._anything = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._out_since: float | None = None

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
            self._note_outage(exc)
        else:
            self._note_recovery()

    def _note_outage(self, exc: ScheduleUnavailable) -> None:
        if self._out_since is None:
            self._out_since = self._clock.monotonic()
            logger.warning("the schedule cannot be reached; mentions are still accepted and put later")
            emit(self._hooks, OutageBegan(dependency=Dependency.REDIS, error=type(exc).__name__))

    def _note_recovery(self) -> None:
        if self._out_since is not None:
            lasted_s, self._out_since = self._clock.monotonic() - self._out_since, None
            logger.info("the schedule is back after %.1f s", lasted_s)
            emit(self._hooks, OutageEnded(dependency=Dependency.REDIS, lasted_s=lasted_s))
