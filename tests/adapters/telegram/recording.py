"""The core's place: keeps what it is handed, and fails when told to."""

import asyncio
from typing import Any

from adapters.base import Outcome, Receipt


class RecordingSink:
    """A `Sink` for tests."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.told = ""
        self.fails = False
        self._news = asyncio.Condition()

    async def _take(self, event: Any) -> Receipt:
        if self.fails:
            raise OSError("no commit")
        async with self._news:
            self.events.append(event)
            self._news.notify_all()
        return Receipt(outcome=Outcome.ACCEPTED, told=self.told)

    accept = stop = edited = withdrawn = pressed = moved = membership = delivered = _take

    async def first(self, count: int = 1, *, within_s: float = 15.0) -> list[Any]:
        """Wait until so many events came, and return all."""
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: len(self.events) >= count)
        return self.events
