"""A worker's slots: how many turns it has in hand, and how many it may."""

import asyncio


class Slots:
    """A semaphore whose size may change while it is held; one task acquires.

    Its size is the smaller of what the engine can use and what the worker itself can bear.
    """

    def __init__(self, limit: int) -> None:
        self._usable = limit
        self._bearable: int | None = None
        self._taken = 0
        self._free = asyncio.Event()

    @property
    def limit(self) -> int:
        """How many may be taken."""
        return self._usable if self._bearable is None else min(self._usable, self._bearable)

    @property
    def usable(self) -> int:
        """How many the engine can use, whatever the worker bears."""
        return self._usable

    @property
    def taken(self) -> int:
        """How many are taken; above the limit for a while after it was lowered."""
        return self._taken

    def resize(self, limit: int) -> None:
        """Allow so many from now on; what is taken beyond that stays taken until it is released."""
        self._usable = limit
        self._free.set()

    def bear(self, limit: int) -> None:
        """Allow no more than so many from now on, however many the engine could use."""
        self._bearable = limit
        self._free.set()

    async def acquire(self) -> None:
        """Wait for a free slot and take it."""
        while self._taken >= self.limit:
            self._free.clear()
            await self._free.wait()
        self._taken += 1

    def release(self) -> None:
        """Give a slot back."""
        self._taken -= 1
        self._free.set()
