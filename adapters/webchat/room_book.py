"""The rooms' states, read once and then kept at hand: this process is the only one to change them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.records import RecordStore
from adapters.webchat.ids import is_room_id, room_stream
from adapters.webchat.keeping import Locks, Recent
from adapters.webchat.room_events import Change, RoomEvent, event_of
from adapters.webchat.rooms import RoomState, apply, fold

_PAGE = 1000
_AT_HAND = 2000
#: What happens again and again, and of which only the newest counts: one record a room or member.
_REPLACED = {Change.TITLED, Change.RENAMED}


class OpenRoom:
    """A room that nobody else can change until it is left."""

    def __init__(
        self, records: RecordStore, known: Recent[RoomState], room: str, state: RoomState | None
    ) -> None:
        self._records = records
        self._known = known
        self.room = room
        self.state = state

    async def record(self, event: RoomEvent) -> RoomState:
        """Store what happens to the room and return the room after it."""
        key = self._key(event)
        write = self._records.put if event.what in _REPLACED else self._records.append
        with self._known.forgotten_on_failure(self.room):
            record = await write(room_stream(self.room), key, event.to_body())
        self.state = apply(self.room, self.state, record.position, event_of(record))
        assert self.state is not None, "a room begins with being created"
        self._known.put(self.room, self.state)
        return self.state

    async def forget(self) -> None:
        """Drop the room."""
        self._known.drop(self.room)
        await self._records.forget(room_stream(self.room))
        self.state = None

    def _key(self, event: RoomEvent) -> str:
        match event.what:
            case Change.CREATED | Change.TITLED:
                return event.what.value
            case Change.RENAMED:
                return f"renamed:{event.by}"
            case Change.INVITED | Change.REVOKED:
                return f"{event.what}:{event.invitation}"
            case Change.JOINED | Change.LEFT:
                return f"{event.what}:{event.by}:{self.state.version if self.state else 0}"


class RoomBook:
    """Finds and changes rooms. Every method raises `RecordsUnavailable` where the store does."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._locks = Locks()
        self._known: Recent[RoomState] = Recent(_AT_HAND)

    async def state(self, room: str) -> RoomState | None:
        """Return a room as it is; None where there is none."""
        if known := self._known.get(room):
            return known
        if not is_room_id(room):
            return None
        async with self._locks.at(room):
            return await self._loaded(room)

    @asynccontextmanager
    async def opened(self, room: str) -> AsyncIterator[OpenRoom]:
        """Hold a room, to look at it and to change it."""
        async with self._locks.at(room):
            yield OpenRoom(self._records, self._known, room, await self._loaded(room))

    async def _loaded(self, room: str) -> RoomState | None:
        if known := self._known.get(room):
            return known
        events: list[tuple[int, RoomEvent]] = []
        position = 0
        while page := await self._records.after(room_stream(room), position, _PAGE):
            events.extend((record.position, event_of(record)) for record in page)
            position = page[-1].position
        state = fold(room, events)
        if state is not None:
            self._known.put(room, state)
        return state
