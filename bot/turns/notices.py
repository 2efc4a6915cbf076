"""Notices and first signs on platforms that any process may call, outside the engine's slots."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.errors import StoreUnavailable
from bot.turns.delays import Delays
from bot.turns.first_signs import FirstSigns
from bot.turns.notice_sending import NoticeSending

logger = logging.getLogger(__name__)

#: Notices sent at once: with a full line there are more of them than answers.
AT_ONCE = 4


class NoticeTask:
    """Sends what is owed besides replies."""

    def __init__(self, sending: NoticeSending, signs: FirstSigns, delays: Delays) -> None:
        self._sending = sending
        self._signs = signs
        self._delays = delays
        self._out = False

    async def run(self) -> None:
        """Send until cancelled; without a platform of this kind there is nothing to do."""
        if not self._sending.adapters:
            return
        # A slow notice must not keep the signs waiting: they have their seconds.
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._repeat(self._sending.send_all, self._delays.notices_s))
            tasks.create_task(self._repeat(self._signs.look, self._delays.sign_look_s))

    async def _repeat(self, look: Callable[[], Awaitable[None]], every_s: float) -> None:
        while True:
            try:
                await look()
                self._note_outage(out=False)
            except StoreUnavailable:
                self._note_outage(out=True)
            except Exception:
                logger.exception("the notice task met an unexpected error and goes on")
            await asyncio.sleep(every_s)

    def _note_outage(self, *, out: bool) -> None:
        if out != self._out:
            self._out = out
            logger.warning("the notice task %s", "waits for the database" if out else "goes on")
