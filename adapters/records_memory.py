"""An adapter's own store that lives and dies with the process: for tests and demonstrations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice, takewhile

from adapters.records import Record


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Stream:
    """Records by key, in the order of their positions, and the last position given out."""

    records: dict[str, Record] = field(default_factory=dict)
    last: int = 0


class MemoryRecordStore:
    """Streams of records in memory."""

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._streams: dict[str, _Stream] = {}

    async def append(self, stream: str, key: str, body: str) -> Record:
        """Store a record; the same key again changes nothing and returns what stands."""
        return await self.by_key(stream, key) or self._add(stream, key, body)

    async def put(self, stream: str, key: str, body: str) -> Record:
        """Store a record at the end, in place of the one of that key."""
        return self._add(stream, key, body)

    async def amend(
        self, stream: str, key: str, body: str, *, note_key: str, note_body: str
    ) -> Record | None:
        """Replace a record's body where it stands and `put` a note of that at the end."""
        standing = await self.by_key(stream, key)
        if standing is None:
            return None
        self._streams[stream].records[key] = replace(standing, body=body)
        return self._add(stream, note_key, note_body)

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        newest_first = reversed(self._of(stream).values())
        behind = list(takewhile(lambda record: record.position > position, newest_first))
        return behind[::-1][:limit]

    async def before(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read the newest `limit` records below a position, oldest first."""
        newest_first = reversed(self._of(stream).values())
        return list(islice((record for record in newest_first if record.position < position), limit))[::-1]

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        return list(islice(reversed(self._of(stream).values()), limit))[::-1]

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        return self._of(stream).get(key)

    async def redact(self, stream: str, bodies: Mapping[str, str | None]) -> None:
        """Put other bodies in the place of some records, by key, and drop those for which there is None."""
        records = self._of(stream)
        for key, body in bodies.items():
            if body is None:
                records.pop(key, None)
            elif key in records:
                records[key] = replace(records[key], body=body)

    async def drop_damaged(self, stream: str) -> int:
        """Drop nothing: what is in memory is not damaged."""
        del stream
        return 0

    async def forget(self, stream: str) -> None:
        """Drop a stream."""
        self._streams.pop(stream, None)

    async def forget_older(self, stream: str, instant: datetime) -> int:
        """Drop the records of one stream that were stored before an instant; how many that were."""
        records = self._of(stream)
        old = [record.key for record in records.values() if record.stored_at < instant]
        for key in old:
            del records[key]
        return len(old)

    async def forget_before(self, prefix: str, instant: datetime) -> int:
        """Drop the records stored before an instant in all streams whose name starts so; how many that were."""
        named = [name for name in self._streams if name.startswith(prefix)]
        return sum([await self.forget_older(name, instant) for name in named])

    def _of(self, stream: str) -> dict[str, Record]:
        found = self._streams.get(stream)
        return found.records if found else {}

    def _add(self, stream: str, key: str, body: str) -> Record:
        into = self._streams.setdefault(stream, _Stream())
        into.last += 1
        into.records.pop(key, None)
        record = into.records[key] = Record(position=into.last, key=key, body=body, stored_at=self._now())
        return record
