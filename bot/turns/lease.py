"""Holding the right to a chat while a turn runs, and noticing at once when it is gone."""

import asyncio
import logging

from bot.clock import Clock
from bot.errors import ScheduleUnavailable
from bot.turns.scheduler.base import Scheduler, Take

logger = logging.getLogger(__name__)

#: How many renewals fit into one lease.
RENEWALS_PER_LEASE = 3
#: The share of a lease left unused, so that our clock's end comes before the schedule's.
SAFETY_SHARE = 0.1


class LeaseLost(Exception):
    """The chat may belong to another worker: nothing more may be started."""


class Lease:
    """A take kept alive; `held` is what must be true before anything visible is started."""

    def __init__(self, scheduler: Scheduler, take: Take, *, lease_ms: int, clock: Clock) -> None:
        self.take = take
        self._scheduler = scheduler
        self._lease_ms = lease_ms
        self._clock = clock
        self._lost = False
        self._was_in_time = True
        self._schedule_answers = True
        self._confirmed_at_s = clock.monotonic()
        self._valid_until_s = self._expiry_s(self._confirmed_at_s)
        self._shown_at_s: float | None = None

    @property
    def length_s(self) -> float:
        """How long a holder that is not heard of keeps the chat, in seconds."""
        return self._lease_ms / 1000

    @property
    def held(self) -> bool:
        """Whether the lease certainly still stands, by the last confirmation and our own clock."""
        return not self._lost and self._clock.monotonic() < self._valid_until_s

    @property
    def ran_out(self) -> bool:
        """Whether it ended because this process came too late to renew it, though the schedule answered."""
        if self._lost:
            return not self._was_in_time
        return self._schedule_answers and not self.held

    @property
    def may_have_overwritten(self) -> bool:
        """Whether something was shown since the schedule last confirmed: another may have held the chat by then."""
        return self._shown_at_s is not None and self._shown_at_s >= self._confirmed_at_s

    def shown(self) -> None:
        """Take note that something provisional was shown just now."""
        self._shown_at_s = self._clock.monotonic()

    def require(self) -> None:
        """Raise `LeaseLost` unless the lease certainly stands."""
        if not self.held:
            raise LeaseLost

    async def confirm(self) -> None:
        """Ask the schedule, and raise `LeaseLost` when it says no or cannot say before the lease ends."""
        asked_at_s = self._clock.monotonic()
        try:
            kept = await self._scheduler.keep(self.take, self._lease_ms)
        except ScheduleUnavailable:
            if asked_at_s < self._valid_until_s:
                self._schedule_answers = False
            self.require()
            logger.info("chat %s could not be confirmed now; its lease still stands", self.take.chat_id)
            return
        self._schedule_answers = True
        if not kept:
            self._was_in_time = self.held
            self._lost = True
            raise LeaseLost
        self._confirmed_at_s = asked_at_s
        self._valid_until_s = self._expiry_s(asked_at_s)

    async def renew(self) -> None:
        """Wait until a renewal is due and confirm; raise `LeaseLost` when that is no longer possible."""
        left_s = self._valid_until_s - self._clock.monotonic()
        await asyncio.sleep(max(0.0, min(self._lease_ms / 1000 / RENEWALS_PER_LEASE, left_s)))
        await self.confirm()

    def _expiry_s(self, asked_at_s: float) -> float:
        return asked_at_s + self._lease_ms / 1000 * (1 - SAFETY_SHARE)
