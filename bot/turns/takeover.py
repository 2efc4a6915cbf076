"""The one rule about late effects: whoever returns from the platform without the fence has it restated."""

from bot.errors import ScheduleUnavailable
from bot.turns.journal import Journal
from bot.turns.lease import Lease, LeaseLost
from bot.turns.model import Turn
from bot.turns.scheduler.base import Scheduler


class LateEffects:
    """Marks turns on which a stalled worker's send or edit may stand as the last word."""

    def __init__(self, journal: Journal, scheduler: Scheduler) -> None:
        self._journal = journal
        self._scheduler = scheduler

    async def check(self, turn: Turn, lease: Lease) -> None:
        """Call after a send or edit: raise `LeaseLost`, the turn marked, if the lease did not outlive it."""
        if not lease.held:
            await self.restate(turn)
            raise LeaseLost

    async def restate(self, turn: Turn) -> None:
        """Have the stored final text edited in once more by whoever takes the chat next."""
        await self._journal.mark_restate(turn.id)
        try:
            await self._scheduler.put(turn.chat.id)
        except ScheduleUnavailable:
            return  # the reconciler puts every chat with a restatement due
