"""One outage of the schedule, told once by a process, however many of its parts run into it."""

import logging

from bot.clock import Clock
from bot.telemetry.events import Dependency, Hooks, OutageBegan, OutageEnded, emit

logger = logging.getLogger(__name__)


class ScheduleOutage:
    """Whether the schedule is out of reach; shared by all who call it."""

    def __init__(self, clock: Clock, hooks: Hooks = ()) -> None:
        self._clock = clock
        self._hooks = hooks
        self._since_s: float | None = None

    def began(self, error: Exception) -> None:
        """Tell it, unless that was done."""
        if self._since_s is None:
            self._since_s = self._clock.monotonic()
            logger.warning("the schedule cannot be reached; mentions are still accepted and put later")
            emit(self._hooks, OutageBegan(dependency=Dependency.REDIS, error=type(error).__name__))

    def ended(self) -> None:
        """Tell that it is over, if there was one."""
        if self._since_s is not None:
            lasted_s, self._since_s = self._clock.monotonic() - self._since_s, None
            logger.info("the schedule is back after %.1f s", lasted_s)
            emit(self._hooks, OutageEnded(dependency=Dependency.REDIS, lasted_s=lasted_s))
