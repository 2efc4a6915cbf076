"""An adapter's own store that lives and dies with the process: for tests and demonstrations."""

from collections.abc import Callable
from datetime import UTC, datetime

from adapters.records import Record


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryRecordStore:
    """Streams of records in memory."""

    def __init__(self, now: Callable[[], datetime] = _utc_now) -> None:
        self._now = now
        self._streams: dict[str, list[Record]] = {}

    async def append(self, stream: str, key: str, body: str) -> Record:
        """Store a record; the same key again changes nothing and returns what stands."""
        if standing := await self.by_key(stream, key):
            return standing
        records = self._streams.setdefault(stream, [])
        record = Record(position=len(records) + 1, key=key, body=body, stored_at=self._now())
        records.append(record)
        return record

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        behind = [record for record in self._streams.get(stream, ()) if record.position > position]
        return behind[:limit]

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        records = self._streams.get(stream, [])
        return records[max(0, len(records) - limit) :]

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        return next((record for record in self._streams.get(stream, ()) if record.key == key), None)
