"""A clock that is believed only when it has run evenly: one that jumps ahead must not make everything old."""

from dataclasses import dataclass
from datetime import datetime, timedelta

#: A step ahead that is believed at once.
_STEP = timedelta(days=1)
#: Seconds of even running after which a larger step is believed, too.
TRUST_AFTER_S = 3600.0


@dataclass(slots=True, kw_only=True)
class BelievedClock:
    """Compares the wall clock with the monotonic one. Pure: both are passed in.

    A clock that is more than a day ahead of where it should be (or, at the start, of the newest thing in the record: a
    message, or a sweep by a clock that was believed)
    is not believed before it has run evenly for an hour: what a wrong clock calls old is still there when somebody
    has set it right. A clock that steps back is believed: nothing becomes old by that.
    """

    #: The last look: what both clocks said.
    _wall: datetime | None = None
    _monotonic: float = 0.0
    #: When the clock will be believed again, on the monotonic one; None while it is.
    _trusted_at: float | None = None

    @property
    def has_looked(self) -> bool:
        """Whether there was a look; before, only the record's newest thing tells what time it may be."""
        return self._wall is not None

    def believes(self, wall: datetime, monotonic: float, newest: datetime | None) -> bool:
        """Look at both clocks and tell whether the wall clock may be acted on.

        `newest` is when the newest thing in the record happened; None where there is nothing.
        """
        expected = self._expected(monotonic) or newest or wall
        self._wall, self._monotonic = wall, monotonic
        if wall - expected > _STEP:
            self._trusted_at = monotonic + TRUST_AFTER_S
        elif self._trusted_at is not None and monotonic >= self._trusted_at:
            self._trusted_at = None
        return self._trusted_at is None

    def _expected(self, monotonic: float) -> datetime | None:
        return self._wall and self._wall + timedelta(seconds=monotonic - self._monotonic)
