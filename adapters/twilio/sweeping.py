"""Throwing away what the adapter's store holds no longer for anything."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from adapters.base import Sink
from adapters.records import RecordStore, RecordsUnavailable
from adapters.twilio import lookups, windows

logger = logging.getLogger(__name__)

#: A closed window needs no time any more, and nobody looks for a message of the day before yesterday.
_KEPT_FOR: Final = {windows.KIND: timedelta(days=7), lookups.KIND: timedelta(days=2)}


class Sweeping:
    """A `Source` that takes in nothing: it only sweeps, in the process that runs the sources."""

    def __init__(self, records: RecordStore, now: Callable[[], datetime], every_s: float = 3_600.0) -> None:
        self._records = records
        self._now = now
        self._every_s = every_s

    async def run(self, sink: Sink) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except RecordsUnavailable:
                logger.info("old notes stay for now: the store is away")
            await asyncio.sleep(self._every_s)

    async def sweep(self) -> int:
        """Drop what is too old; how many records that were. Raises `RecordsUnavailable`."""
        swept = [
            await self._records.forget_before(f"{kind}:", self._now() - age)
            for kind, age in _KEPT_FOR.items()
        ]
        return sum(swept)
