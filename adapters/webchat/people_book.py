"""The people's own things, read from their streams once and then kept at hand."""

from collections.abc import Mapping

from adapters.records import Record, RecordStore
from adapters.webchat.ids import is_person_id, person_stream
from adapters.webchat.keeping import Locks, Recent
from adapters.webchat.people import (
    PROFILE,
    READS,
    PersonState,
    Profile,
    Seat,
    apply,
    profile_body,
    reads_body,
    seat_body,
    seat_key,
)

_PAGE = 1000
_AT_HAND = 5000


class PeopleBook:
    """Finds people and stores what is theirs. Every method raises `RecordsUnavailable` where the store does."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._locks = Locks()
        self._known: Recent[PersonState] = Recent(_AT_HAND)

    async def state(self, person: str) -> PersonState:
        """Return what is known of a person; blank for a stranger."""
        if known := self._known.get(person):
            return known
        if not is_person_id(person):
            return PersonState()
        async with self._locks.at(person):
            return await self._loaded(person)

    async def keep_profile(self, profile: Profile) -> None:
        """Store who somebody is."""
        await self._put(profile.id, PROFILE, profile_body(profile))

    async def keep_seat(self, person: str, room: str, seat: Seat) -> None:
        """Store somebody's place in a room."""
        await self._put(person, seat_key(room), seat_body(seat))

    async def keep_reads(self, person: str, reads: Mapping[str, int]) -> None:
        """Store what somebody has read: positions by room, added to what is known."""
        async with self._locks.at(person):
            state = await self._loaded(person)
            there = {room: at for room, at in state.reads.items() if room in state.rooms}
            merged = {**there, **reads}
            await self._write(person, READS, reads_body(merged))

    async def once(self, person: str, key: str, body: str) -> Record:
        """Store something the first time it is asked for, and return what stands."""
        return await self._records.append(person_stream(person), key, body)

    async def _put(self, person: str, key: str, body: str) -> None:
        async with self._locks.at(person):
            await self._loaded(person)
            await self._write(person, key, body)

    async def _write(self, person: str, key: str, body: str) -> None:
        state = await self._loaded(person)
        with self._known.forgotten_on_failure(person):
            record = await self._records.put(person_stream(person), key, body)
        self._known.put(person, apply(person, state, record))

    async def _loaded(self, person: str) -> PersonState:
        if known := self._known.get(person):
            return known
        state = PersonState()
        position = 0
        while page := await self._records.after(person_stream(person), position, _PAGE):
            for record in page:
                state = apply(person, state, record)
            position = page[-1].position
        if state.profile is not None:
            self._known.put(person, state)
        return state
