"""A store of its own for an adapter that is its own platform: streams of records, encrypted by who provides it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One stored record of a stream."""

    #: Position in the stream, growing from 1, never reused.
    position: int
    #: The writer's idempotency key, unique in the stream, never empty.
    key: str
    body: str
    stored_at: datetime


class RecordStore(Protocol):
    """Streams that grow at their end, for one adapter; durable when a call returns.

    Every call raises `RecordsUnavailable` when it cannot be carried out.
    """

    async def append(self, stream: str, key: str, body: str) -> Record:
        """Store a record; the same key again changes nothing and returns what stands."""
        ...

    async def put(self, stream: str, key: str, body: str) -> Record:
        """Store a record at the end, in place of the one of that key, which is dropped. Safe to repeat."""
        ...

    async def amend(
        self, stream: str, key: str, body: str, *, note_key: str, note_body: str
    ) -> Record | None:
        """Replace a record's body where it stands and `put` a note of that at the end: both or neither.

        Returns the note; None, with nothing stored, where no record has the key. Safe to repeat.
        """
        ...

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        ...

    async def before(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read the newest `limit` records below a position, oldest first."""
        ...

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        ...

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        ...

    async def redact(self, stream: str, bodies: Mapping[str, str | None]) -> None:
        """Put other bodies in the place of some records, by key, and drop those for which there is None.

        What goes on stays where it is, and no position is given out again; no copy of what stood there can be opened
        by what is kept. A key that is not there is fine. Safe to repeat.
        """
        ...

    async def drop_damaged(self, stream: str) -> int:
        """Drop the records of a stream that nobody can read any more; how many that were. Every other read raises."""
        ...

    async def forget(self, stream: str) -> None:
        """Drop a stream; should it be written again, it begins anew. One that is not there is fine."""
        ...

    async def forget_older(self, stream: str, instant: datetime) -> int:
        """Drop the records of one stream that were stored before an instant; how many that were. It goes on, too."""
        ...

    async def forget_before(self, prefix: str, instant: datetime) -> int:
        """Drop the records stored before an instant in all streams whose name starts so; how many that were.

        The streams go on: their positions are not given out again.
        """
        ...


class RecordsUnavailable(Exception):
    """The store cannot be read or written now; nothing was stored."""
