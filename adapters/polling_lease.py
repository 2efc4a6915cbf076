"""One taker among many processes: who may ask a platform for news that it gives to one at a time."""

from collections.abc import Callable
from typing import Protocol


class PollingLease(Protocol):
    """A lease that ends by itself. One process's view of it; every process asks again before it ends."""

    async def keep(self) -> bool:
        """Take the lease, or take it for longer; tell whether it is held now.

        Called every few seconds by whoever wants it; never fails: where nobody can tell, who held it goes on, because
        a platform that is asked twice gives the same news twice, and the record knows them.
        """
        ...

    async def give_back(self) -> None:
        """End it, so that another may take it at once; nothing where it is not held. Never fails; safe to repeat."""
        ...


class SharedLeases:
    """The leases of one process: whoever shares the object shares them."""

    def __init__(self, monotonic: Callable[[], float], *, lasts_s: float) -> None:
        self._monotonic = monotonic
        self._lasts_s = lasts_s
        #: By name: who holds it, and until when.
        self._held: dict[str, tuple[object, float]] = {}

    def of(self, name: str) -> "MemoryLease":
        """Return one holder's view of a lease."""
        return MemoryLease(self, name)

    def take(self, name: str, holder: object) -> bool:
        """Take a lease unless somebody else's has not ended."""
        now_s = self._monotonic()
        held_by, until_s = self._held.get(name, (holder, now_s))
        if held_by is not holder and now_s < until_s:
            return False
        self._held[name] = (holder, now_s + self._lasts_s)
        return True

    def end(self, name: str, holder: object) -> None:
        """End a lease that is the holder's."""
        if self._held.get(name, (None, 0.0))[0] is holder:
            del self._held[name]


class MemoryLease:
    """A `PollingLease` within one process."""

    def __init__(self, leases: SharedLeases, name: str) -> None:
        self._leases = leases
        self._name = name

    async def keep(self) -> bool:
        """Take it, or take it for longer."""
        return self._leases.take(self._name, self)

    async def give_back(self) -> None:
        """End it."""
        self._leases.end(self._name, self)
