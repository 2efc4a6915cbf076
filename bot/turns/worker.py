"""Taking chats, a bounded number at a time, and draining when told to end."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import ScheduleErased, ScheduleUnavailable
from bot.turns.companions import COMPANION, Companion, kept_alive
from bot.turns.outage import ScheduleOutage
from bot.turns.reconciler import Reconciler
from bot.turns.scheduler.base import Scheduler, Take
from bot.turns.serving import Serving
from bot.turns.slots import Slots
from bot.turns.tasks import end

logger = logging.getLogger(__name__)

#: Seconds before asking again for a schedule that is not there.
OUTAGE_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How much one worker does at once, and how long it may be silent."""

    slots: int = 8
    lease_ms: int = 15_000
    #: Seconds a drain waits for running turns before it releases them.
    drain_s: float = 20.0
    #: Seconds between two looks at a schedule that has nothing.
    idle_s: float = 1.0


class Worker:
    """Takes chats and has each served, `slots` at a time."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        serving: Serving,
        reconciler: Reconciler,
        outage: ScheduleOutage,
        settings: WorkerSettings,
        slots: Slots | None = None,
        companions: Sequence[Companion] = (),
    ) -> None:
        self._scheduler = scheduler
        self._serving = serving
        self._reconciler = reconciler
        self._outage = outage
        self._settings = settings
        self._slots = slots or Slots(settings.slots)
        self._companions = companions
        self._serves: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Work until cancelled; then take nothing more, let what runs end in time, release the rest."""
        beside = {
            asyncio.create_task(kept_alive(companion), name=COMPANION) for companion in self._companions
        }
        try:
            await self._take_forever()
        finally:
            if self._serves:
                await asyncio.wait(self._serves, timeout=self._settings.drain_s)
            await end(self._serves | beside)

    async def _take_forever(self) -> None:
        while True:
            await self._slots.acquire()
            take = None
            try:
                take = await self._take()
            finally:
                if take is None:
                    self._slots.release()
            if take is not None:
                self._start(take)
            else:
                await self._idle()

    async def _take(self) -> Take | None:
        taking = asyncio.ensure_future(self._scheduler.take(self._settings.lease_ms))
        try:
            take = await asyncio.shield(taking)
        except asyncio.CancelledError:
            await self._serving.decline(taking)
            raise
        except ScheduleErased:
            self._outage.ended()
            self._reconciler.schedule_erased()
            return None
        except ScheduleUnavailable as error:
            self._outage.began(error)
            return None
        self._outage.ended()
        return take

    async def _idle(self) -> None:
        try:
            await self._scheduler.wait(self._settings.idle_s)
        except ScheduleUnavailable:
            await asyncio.sleep(OUTAGE_S)

    def _start(self, take: Take) -> None:
        serve = asyncio.create_task(self._serving.serve(take))
        self._serves.add(serve)
        serve.add_done_callback(self._ended)

    def _ended(self, serve: "asyncio.Task[None]") -> None:
        self._serves.discard(serve)
        self._slots.release()
        _tell_error(serve)


def _tell_error(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("a worker's task ended with an unexpected %s", type(error).__name__, exc_info=error)
