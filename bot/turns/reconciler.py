"""Making the schedule agree with the record: whatever Redis forgot or never heard is put again."""

import asyncio
import logging

from bot.clock import Clock
from bot.errors import ScheduleUnavailable, StoreUnavailable
from bot.turns.journal import Journal
from bot.turns.scheduler.base import Scheduler

logger = logging.getLogger(__name__)

#: Chats put in one round trip.
_PAGE = 500


class Reconciler:
    """Puts chats with unfinished turns: all of them at start, regularly, and at once after an erasure.

    Between two whole rounds it puts the chats with turns that nobody claimed within `unclaimed_age_s`: those
    that intake committed and could not put.
    """

    def __init__(
        self,
        journal: Journal,
        scheduler: Scheduler,
        clock: Clock,
        *,
        every_s: float = 30.0,
        look_every_s: float = 1.0,
        unclaimed_age_s: float = 1.0,
    ) -> None:
        self._journal = journal
        self._scheduler = scheduler
        self._clock = clock
        self._every_s = every_s
        self._look_every_s = look_every_s
        self._unclaimed_age_s = unclaimed_age_s
        self._erased = asyncio.Event()
        #: Whether the schedule was complete before: a first start has nothing to lose.
        self._was_whole = False
        self._whole_due_s = clock.monotonic()
        self._out = False

    def schedule_erased(self) -> None:
        """Tell that the schedule is empty: a whole round begins at once. Cheap to repeat."""
        self._erased.set()

    async def run(self) -> None:
        """Keep the schedule complete until cancelled; an outage of either side is waited out."""
        while True:
            await self._round()
            await self._next_look()

    async def put_all(self) -> int:
        """Put every unfinished chat, holds first, then name the schedule's epoch; return how many were put.

        Raises `StoreUnavailable` and `ScheduleUnavailable`; whatever was put by then stays put.
        """
        for chat_id in await self._journal.held_chats():
            await self._scheduler.hold(chat_id)
        put = await self._put_pages()
        await self._scheduler.begin_epoch()
        return put

    async def put_unclaimed(self) -> int:
        """Put chats whose turns nobody claimed in time; return how many."""
        return await self._put_pages(min_age_s=self._unclaimed_age_s, only_unclaimed=True)

    async def _put_pages(self, *, min_age_s: float = 0.0, only_unclaimed: bool = False) -> int:
        put, after = 0, ""
        while page := await self._journal.unfinished(
            min_age_s=min_age_s, only_unclaimed=only_unclaimed, limit=_PAGE, after=after
        ):
            await self._scheduler.put_many({chat.chat_id: chat.weight for chat in page})
            put += len(page)
            after = page[-1].chat_id
        return put

    async def _round(self) -> None:
        erased = self._erased.is_set()
        self._erased.clear()
        whole = erased or self._clock.monotonic() >= self._whole_due_s
        try:
            put = await (self.put_all() if whole else self.put_unclaimed())
        except (StoreUnavailable, ScheduleUnavailable) as error:
            self._note_outage(error)
            if whole:
                self._whole_due_s = self._clock.monotonic()
            return
        self._note_end()
        if whole:
            self._whole_due_s = self._clock.monotonic() + self._every_s
            # Takes that asked during the round are answered by it; an erasure behind it is told by the next take.
            self._erased.clear()
        if erased and self._was_whole:
            logger.warning("the schedule had been erased, %d chats were put again", put)
        self._was_whole = self._was_whole or whole

    async def _next_look(self) -> None:
        if self._out:
            # After an erasure both servers are asked as often as ever, not in a tight loop.
            await asyncio.sleep(self._look_every_s)
            return
        try:
            async with asyncio.timeout(self._look_every_s):
                await self._erased.wait()
        except TimeoutError:
            return

    def _note_outage(self, error: Exception) -> None:
        if not self._out:
            logger.warning("chats cannot be put again now: %s", error)
        self._out = True

    def _note_end(self) -> None:
        if self._out:
            logger.info("chats can be put again")
        self._out = False
