"""What people read: pages of the past, what is new, what is unread, and what they look for."""

from contextlib import aclosing
from dataclasses import dataclass

from adapters.webchat.entries import Entry
from adapters.webchat.inside import Inside
from adapters.webchat.search import MAX_LOOKED_AT, Hit, matches, words_of

#: Unread messages are counted up to here.
UNREAD_LIMIT = 100
#: Entries looked at to count them: reactions are entries, too.
_UNREAD_LOOKED_AT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a list of rooms shows of one."""

    #: The position of its newest entry.
    last_pos: int
    #: The newest entry that has a place of its own.
    last: Entry | None
    read: int
    #: Messages of others behind that; at most `UNREAD_LIMIT`.
    unread: int


class Reading(Inside):
    """The readers' side. Every method is for members and raises `Refused`."""

    async def after(self, person_id: str, room: str, position: int, limit: int) -> list[Entry]:
        """Return at most `limit` entries behind a position, oldest first, news of earlier messages among them."""
        await self._in(person_id, room)
        return await self._log.after(room, position, limit)

    async def latest(self, person_id: str, room: str, limit: int) -> list[Entry]:
        """Return the newest `limit` entries that have a place of their own, oldest first, as they stand."""
        await self._in(person_id, room)
        return await self._log.page(room, None, limit)

    async def before(self, person_id: str, room: str, position: int, limit: int) -> list[Entry]:
        """Return the newest `limit` entries below a position that have a place of their own, oldest first."""
        await self._in(person_id, room)
        return await self._log.page(room, position, limit)

    async def glance(self, person_id: str, room: str) -> Glance:
        """Return what a list of rooms shows of one."""
        read = await self._read(person_id, room)
        last = await self._log.page(room, None, 1)
        return Glance(
            last_pos=await self._log.end(room),
            last=last[0] if last else None,
            read=read,
            unread=await self._unread(person_id, room, read),
        )

    async def unread(self, person_id: str, room: str) -> int:
        """Count the messages of others behind what somebody has read, up to `UNREAD_LIMIT`."""
        return await self._unread(person_id, room, await self._read(person_id, room))

    async def read(self, person_id: str, room: str, position: int) -> bool:
        """Note up to where somebody has read; whether that is further than before. Stored by `keep_reads`."""
        before = await self._read(person_id, room)
        position = min(position, await self._log.end(room))
        if position <= before:
            return False
        self._unkept_reads.setdefault(person_id, {})[room] = position
        return True

    async def keep_reads(self) -> None:
        """Store what was read since the last time. Called every few seconds, and before the house closes.

        Reading is told so often that every note of it must not be a write; what a crash loses is read once more.
        """
        for person_id in list(self._unkept_reads):
            reads = dict(self._unkept_reads[person_id])
            await self._people.keep_reads(person_id, reads)
            now = self._unkept_reads.pop(person_id, {})
            if newer := {room: at for room, at in now.items() if at != reads.get(room)}:
                self._unkept_reads[person_id] = newer

    async def search(self, person_id: str, text: str, room: str | None = None, limit: int = 50) -> list[Hit]:
        """Find messages that hold all words, newest first, in one room or in all of somebody's."""
        if room is not None:
            await self._in(person_id, room)
        words = words_of(text)
        if not words:
            return []
        rooms = [room] if room is not None else await self._rooms_in(person_id)
        hits: list[Hit] = []
        for each in rooms:
            hits.extend(await self._hits(each, words, limit, MAX_LOOKED_AT // len(rooms)))
        return sorted(hits, key=lambda hit: hit.entry.at, reverse=True)[:limit]

    async def _hits(self, room: str, words: tuple[str, ...], limit: int, look_at: int) -> list[Hit]:
        hits: list[Hit] = []
        async with aclosing(self._log.newest_first(room)) as entries:
            async for entry in entries:
                look_at -= 1
                if matches(entry, words):
                    hits.append(Hit(room=room, entry=entry))
                if len(hits) >= limit or look_at <= 0:
                    break
        return hits

    async def _rooms_in(self, person_id: str) -> list[str]:
        rooms = []
        for room in (await self._people.state(person_id)).rooms:
            state = await self._rooms.state(room)
            if state and person_id in state.members:
                rooms.append(room)
        return rooms

    async def _read(self, person_id: str, room: str) -> int:
        await self._in(person_id, room)
        kept = (await self._people.state(person_id)).reads.get(room, 0)
        return self._unkept_reads.get(person_id, {}).get(room, kept)

    async def _unread(self, person_id: str, room: str, read: int) -> int:
        count = looked_at = 0
        async with aclosing(self._log.newest_first(room)) as entries:
            async for entry in entries:
                looked_at += 1
                if entry.pos <= read or count >= UNREAD_LIMIT or looked_at > _UNREAD_LOOKED_AT:
                    break
                count += entry.is_message and entry.by != person_id and not entry.withdrawn
        return count
