"""What was said in the rooms: a stream of entries a room, the newest of them kept at hand."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from adapters.records import Record, RecordStore
from adapters.webchat.entries import SHOWN, Entry, entry_of
from adapters.webchat.ids import MAX_REF, log_stream
from adapters.webchat.keeping import Locks, Recent
from adapters.webchat.tail import KEPT, Tail

_BATCH = 200
_AT_HAND = 200

#: Looks at a message as it stands: the message after the change, and the news of it with its key. None changes nothing.
Amend = Callable[[Entry], tuple[Entry, str, Entry] | None]

#: Looks at a whole log: what takes the place of which entries, by ref; None drops one.
Redact = Callable[[Sequence[Entry]], Mapping[str, Entry | None]]


class Log:
    """Reads and writes the rooms' logs. Every method raises `RecordsUnavailable` where the store does."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._locks = Locks()
        self._tails: Recent[Tail] = Recent(_AT_HAND)

    async def append(self, room: str, key: str, entry: Entry) -> Entry:
        """Store an entry; the same key again changes nothing and returns what stands."""
        async with self._locks.at(room):
            tail = await self._loaded(room)
            with self._tails.forgotten_on_failure(room):
                stored = entry_of(await self._records.append(log_stream(room), key, entry.to_body()))
            if stored.pos > tail.end:
                tail.push(stored)
            return stored

    async def amend(self, room: str, ref: str, change: Amend) -> Entry | None:
        """Change a message where it stands and return the news of it; None where nothing changes.

        What `change` raises passes through with nothing stored. Raises `KeyError` where there is no such entry.
        """
        async with self._locks.at(room):
            tail = await self._loaded(room)
            standing = await self._found(room, tail, ref)
            if standing is None:
                raise KeyError(ref)
            changed = change(standing)
            if changed is None:
                return None
            amended, key, news = changed
            with self._tails.forgotten_on_failure(room):
                record = await self._store(room, amended, key, news)
            stored = replace(news, pos=record.position, ref=key)
            tail.replace(amended)
            tail.push(stored)
            return stored

    async def standing(self, room: str, ref: str) -> Entry | None:
        """Return an entry as it stands, with its edits and reactions."""
        return await self._found(room, self._tails.get(room), ref)

    async def after(self, room: str, position: int, limit: int) -> list[Entry]:
        """Return at most `limit` entries behind a position, oldest first, news of earlier ones among them."""
        tail = await self._tail(room)
        if position >= tail.start:
            return tail.after(position, limit)
        return [entry_of(each) for each in await self._records.after(log_stream(room), position, limit)]

    async def page(self, room: str, below: int | None, limit: int) -> list[Entry]:
        """Return the newest `limit` entries below a position (None: of all) that have a place of their own."""
        found: list[Entry] = []
        if limit > 0:
            async with aclosing(self.newest_first(room, below, batch=min(limit, _BATCH))) as entries:
                async for entry in entries:
                    if entry.kind in SHOWN:
                        found.append(entry)
                        if len(found) == limit:
                            break
        return found[::-1]

    async def end(self, room: str) -> int:
        """Return the position of the newest entry; 0 where there is none."""
        return (await self._tail(room)).end

    async def newest_first(
        self, room: str, below: int | None = None, *, batch: int = _BATCH
    ) -> AsyncGenerator[Entry, None]:
        """Go through a log from the newest entry (below a position) to the oldest; others get their turn meanwhile."""
        tail = await self._tail(room)
        for entry in tail.newest_first():
            if below is None or entry.pos < below:
                yield entry
        below = tail.start + 1 if below is None else min(below, tail.start + 1)
        while below > 1 and (older := await self._records.before(log_stream(room), below, batch)):
            for record in reversed(older):
                yield entry_of(record)
            below = older[0].position
            await asyncio.sleep(0)

    async def redact(self, room: str, choose: Redact) -> set[str]:
        """Put others in the place of some entries, or nothing, and tell nobody; returns the refs that are left."""
        async with self._locks.at(room):
            # One that nobody can read must not keep the others from being forgotten.
            await self._records.drop_damaged(log_stream(room))
            entries = [entry async for entry in self._all(room)]
            changes = choose(entries)
            bodies = {ref: entry.to_body() if entry else None for ref, entry in changes.items()}
            try:
                await self._records.redact(log_stream(room), bodies)
            finally:
                self._tails.drop(room)
            return {entry.ref for entry in entries if changes.get(entry.ref, entry) is not None}

    async def _all(self, room: str) -> AsyncGenerator[Entry, None]:
        position = 0
        while page := await self._records.after(log_stream(room), position, _BATCH):
            for record in page:
                yield entry_of(record)
            position = page[-1].position

    async def forget(self, room: str) -> None:
        """Drop everything that was said in a room."""
        async with self._locks.at(room):
            self._tails.drop(room)
            await self._records.forget(log_stream(room))

    def forget_tails(self) -> None:
        """Read everything again: entries were dropped."""
        self._tails.clear()

    async def _store(self, room: str, amended: Entry, key: str, news: Entry) -> Record:
        record = await self._records.amend(
            log_stream(room), amended.ref, amended.to_body(), note_key=key, note_body=news.to_body()
        )
        if record is None:  # retention took it in this very moment
            raise KeyError(amended.ref)
        return record

    async def _found(self, room: str, tail: Tail | None, ref: str) -> Entry | None:
        if tail and (known := tail.get(ref)):
            return known
        if not ref or len(ref) > MAX_REF:
            return None
        record = await self._records.by_key(log_stream(room), ref)
        return entry_of(record) if record else None

    async def _tail(self, room: str) -> Tail:
        if known := self._tails.get(room):
            return known
        async with self._locks.at(room):
            return await self._loaded(room)

    async def _loaded(self, room: str) -> Tail:
        if known := self._tails.get(room):
            return known
        newest = [entry_of(record) for record in await self._records.latest(log_stream(room), KEPT)]
        start = newest[0].pos - 1 if len(newest) == KEPT else 0
        tail = Tail(newest, start)
        self._tails.put(room, tail)
        return tail
