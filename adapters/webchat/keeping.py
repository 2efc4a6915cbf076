"""What the house keeps at hand: a lock for everything that changes, and a bounded memory of what was read."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class Locks:
    """A lock per key, there as long as somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def at(self, key: str) -> asyncio.Lock:
        """Return the lock of a key."""
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock


class Recent(Generic[T]):
    """The values used last, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[str, T] = OrderedDict()

    def get(self, key: str) -> T | None:
        """Return a value if it is still known."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: str, value: T) -> None:
        """Know a value; the one not used for longest is forgotten."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._limit:
            self._values.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget a value."""
        self._values.pop(key, None)

    @contextmanager
    def forgotten_on_failure(self, key: str) -> Iterator[None]:
        """Forget a value if storing its change fails: nobody knows then what was stored, so it must be read."""
        try:
            yield
        except BaseException:
            self.drop(key)
            raise

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
