"""How fast this worker answers: the time a turn keeps its slot, averaged, and told to all gateways."""

import asyncio
import logging
from collections.abc import Callable

from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.telemetry.events import AttemptFailed, Details, TurnFinished, TurnTaken
from bot.turns.paces import Paces

logger = logging.getLogger(__name__)

#: The newest turn's share of the average: about the last twenty turns speak.
NEWEST_SHARE = 0.1
#: Turns in hand whose end was never told (a lost lease), beyond which the oldest is forgotten.
MOST_OPEN = 4_096
#: Seconds between two reports.
EVERY_S = 2.0


class PaceMeter:
    """A hook that averages the time from a turn's claim to its end (an exponentially weighted mean)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken_at_s: dict[str, float] = {}
        self._seen = 0
        #: The mean, in seconds; None before any turn ended here.
        self.turn_s: float | None = None

    def __call__(self, details: Details, /) -> None:
        """Take note of claims and ends."""
        match details:
            case TurnTaken():
                self._take(details.turn_id)
            case AttemptFailed():
                self._taken_at_s.pop(details.turn_id, None)
            case TurnFinished():
                self._finish(details.turn_id)

    def _take(self, turn_id: str) -> None:
        if len(self._taken_at_s) >= MOST_OPEN:
            del self._taken_at_s[next(iter(self._taken_at_s))]
        self._taken_at_s[turn_id] = self._clock.monotonic()

    def _finish(self, turn_id: str) -> None:
        taken_at_s = self._taken_at_s.pop(turn_id, None)
        if taken_at_s is None:
            return
        took_s = self._clock.monotonic() - taken_at_s
        self._seen += 1
        # The first ones share equally: a mean that begins with one turn's time would be that one's for long.
        share = max(NEWEST_SHARE, 1 / self._seen)
        self.turn_s = took_s if self.turn_s is None else self.turn_s + share * (took_s - self.turn_s)


class PaceReport:
    """Writes this worker's slots and mean down, so that every gateway can predict."""

    def __init__(
        self,
        paces: Paces,
        meter: PaceMeter,
        slots: Callable[[], int],
        *,
        worker_id: str,
        every_s: float = EVERY_S,
    ) -> None:
        self._paces = paces
        self._meter = meter
        self._slots = slots
        self._worker_id = worker_id
        self._every_s = every_s

    async def run(self) -> None:
        """Report until cancelled; a report that cannot be written is made good by the next."""
        while True:
            try:
                await self._paces.report(self._worker_id, slots=self._slots(), turn_s=self._meter.turn_s)
            except StoreUnavailable:
                logger.debug("the pace could not be reported")
            await asyncio.sleep(self._every_s)
