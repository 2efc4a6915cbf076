"""Looking at the line: the schedule says how many chats are ready, the workers how fast they answer."""

import asyncio
import logging
from collections.abc import Callable

from bot.clock import Clock
from bot.errors import ScheduleUnavailable, StoreUnavailable
from bot.turns.line import Line
from bot.turns.paces import Paces
from bot.turns.scheduler.base import Scheduler

logger = logging.getLogger(__name__)

#: Seconds between two looks.
EVERY_S = 1.0


class LineWatch:
    """Keeps a process's `Line` current."""

    def __init__(
        self,
        line: Line,
        scheduler: Scheduler,
        paces: Paces,
        clock: Clock,
        *,
        tell: Callable[[float | None], None] = lambda _: None,
        every_s: float = EVERY_S,
    ) -> None:
        self._line = line
        self._scheduler = scheduler
        self._paces = paces
        self._clock = clock
        self._tell = tell
        self._every_s = every_s

    async def run(self) -> None:
        """Look until cancelled; while one of the two cannot be asked, nothing is predicted."""
        while True:
            try:
                await self.look()
            except (ScheduleUnavailable, StoreUnavailable):
                self._line.forget()
            except Exception:
                logger.exception("the line could not be looked at, and is looked at again")
                self._line.forget()
            self._tell(self._line.predicted_wait_s())
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """Look once. Raises `ScheduleUnavailable` and `StoreUnavailable`."""
        counts = await self._scheduler.counts()
        if counts.paused:
            self._line.forget()  # nobody knows for how long
            return
        self._line.learn(counts.ready, await self._paces.known(), self._clock.monotonic())
