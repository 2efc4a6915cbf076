"""The one rule about late effects: whoever returns from the platform without the fence has it restated."""

import asyncio
import logging

from bot.errors import ScheduleUnavailable, StoreUnavailable
from bot.turns.journal import Journal
from bot.turns.lease import Lease, LeaseLost
from bot.turns.model import Turn
from bot.turns.scheduler.base import Scheduler

logger = logging.getLogger(__name__)

#: How often the mark is tried while the store is away: a minute, then an operator reads of it.
MOST_TRIES = 60


class LateEffects:
    """Marks turns on which a stalled worker's send or edit may stand as the last word."""

    def __init__(self, journal: Journal, scheduler: Scheduler, *, again_s: float = 1.0) -> None:
        self._journal = journal
        self._scheduler = scheduler
        self._again_s = again_s

    async def check(self, turn: Turn, lease: Lease) -> None:
        """Call after a live edit: raise `LeaseLost`, the turn marked, if the lease did not outlive it."""
        if not lease.held:
            await self.restate(turn)
            raise LeaseLost

    async def restate(self, turn: Turn) -> None:
        """Have the stored final text edited in once more by whoever takes the chat next."""
        await self._mark(turn.id)
        try:
            await self._scheduler.put(turn.chat.id, weight=turn.chat.weight)
        except ScheduleUnavailable:
            return  # the reconciler puts every chat with a restatement due

    async def _mark(self, turn_id: str) -> None:
        for tries_left in reversed(range(MOST_TRIES)):
            try:
                await self._journal.mark_restate(turn_id)
            except StoreUnavailable:
                if not tries_left:
                    logger.error("turn %s may show a stale text: the record could not be told", turn_id)  # noqa: TRY400 - the cause was logged
                    raise
                await asyncio.sleep(self._again_s)
            else:
                return
