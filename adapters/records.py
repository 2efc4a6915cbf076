"""A store of its own for an adapter that is its own platform: streams of records, encrypted by who provides it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One stored record of a stream."""

    #: Position in the stream, growing from 1, never reused.
    position: int
    #: The writer's idempotency key, unique in the stream.
    key: str
    body: str
    stored_at: datetime


class RecordStore(Protocol):
    """Append-only streams, for one adapter; durable when a call returns.

    Every call raises `RecordsUnavailable` when it cannot be carried out.
    """

    async def append(self, stream: str, key: str, body: str) -> Record:
        """Store a record; the same key again changes nothing and returns what stands."""
        ...

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        ...

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        ...

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        ...


class RecordsUnavailable(Exception):
    """The store cannot be read or written now; nothing was stored."""
