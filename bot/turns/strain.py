"""Doing less at once where a worker is too slow for its leases: it would lose every turn, for ever, uncharged."""

import logging

from bot.clock import Clock
from bot.turns.slots import Slots

logger = logging.getLogger(__name__)


class Strain:
    """Halves what a worker may have in hand when a lease ran out on it, and lets it grow with turns that end.

    Multiplicative decrease and additive increase (Chiu and Jain 1989), once a lease's length at most: all turns
    that one stall takes tell the same.
    """

    def __init__(self, slots: Slots, clock: Clock, *, lease_s: float) -> None:
        self._slots = slots
        self._clock = clock
        self._lease_s = lease_s
        self._most = slots.limit
        self._bearable = slots.limit
        self._lowered_at_s: float | None = None

    def ran_out(self) -> None:
        """Learn that a lease ran out because this process came too late to renew it."""
        now_s = self._clock.monotonic()
        if self._lowered_at_s is not None and now_s - self._lowered_at_s < self._lease_s:
            return
        self._lowered_at_s = now_s
        self._bear(max(1, self._slots.limit // 2))
        logger.warning(
            "this worker was too slow to keep its leases: it takes %d of %d turns at once for now",
            self._slots.limit,
            self._most,
        )

    def ended_well(self) -> None:
        """Learn that a turn kept its lease to its end."""
        if self._bearable < self._most:
            self._bear(self._bearable + 1)

    def _bear(self, limit: int) -> None:
        self._bearable = limit
        self._slots.bear(limit)
