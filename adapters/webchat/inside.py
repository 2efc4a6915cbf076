"""What all parts of the house share: its books, and the question who may."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from adapters.names import skeleton
from adapters.records import RecordStore
from adapters.webchat.entries import Entry, EntryKind, Happening
from adapters.webchat.ids import event_key
from adapters.webchat.keeping import Locks
from adapters.webchat.log import Amend, Log
from adapters.webchat.overseeing import Overseer
from adapters.webchat.people import PersonState, Profile
from adapters.webchat.people_book import PeopleBook
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.room_book import RoomBook
from adapters.webchat.rooms import Member, RoomState
from adapters.webchat.rules import HouseRules

NOT_MEMBER = "You are not in that conversation."
NOT_FOUND = "That message is not here."


class Inside:
    """The books of one house. Locks are taken in the order person, room, book."""

    def __init__(
        self,
        records: RecordStore,
        now: Callable[[], datetime],
        assistant_names: tuple[str, ...],
        rules: HouseRules,
    ) -> None:
        self._records = records
        self._now = now
        self._assistant_names = assistant_names
        self._rules = rules
        self._people = PeopleBook(records)
        self._rooms = RoomBook(records)
        self._log = Log(records)
        self._busy = Locks()
        #: For the server itself: reads every room.
        self.overseer = Overseer(self._rooms, self._log)
        #: What was read and is not stored yet: positions by person and room.
        self._unkept_reads: dict[str, dict[str, int]] = {}

    async def person(self, person_id: str) -> Profile | None:
        """Return who somebody is; None for nobody known."""
        return (await self._people.state(person_id)).profile

    async def room(self, person_id: str, room: str) -> RoomState:
        """Return a room to a member. Raises `Refused`."""
        return (await self._in(person_id, room))[0]

    async def place(self, room: str) -> RoomState | None:
        """Return a room as it is, whoever asks; None where there is none."""
        return await self.overseer.room(room)

    async def end(self, room: str) -> int:
        """Return the position of a room's newest entry, whoever asks; 0 where there is none."""
        return await self.overseer.end(room)

    async def since(self, room: str, position: int, limit: int) -> list[Entry]:
        """Return at most `limit` entries behind a position, whoever asks, oldest first."""
        return await self.overseer.after(room, position, limit)

    async def standing(self, room: str, ref: str) -> Entry | None:
        """Return a message as it stands, whoever asks; None where there is none."""
        return await self.overseer.standing(room, ref)

    async def _known(self, person_id: str) -> tuple[Profile, PersonState]:
        state = await self._people.state(person_id)
        if state.profile is None:
            raise Refused(RefusalCode.NOT_FOUND, "Please come in under a name first.")
        return state.profile, state

    async def _in(self, person_id: str, room: str) -> tuple[RoomState, Member]:
        """Return a room and the person's own place in it. A room there is none of sounds like one they are not in."""
        state = await self._rooms.state(room)
        return member_of(state, person_id)

    def _may_name(self, room: RoomState, person_id: str, name: str) -> None:
        """Refuse a name that another member could be mistaken for."""
        if self._poses(room, person_id, name):
            raise Refused(
                RefusalCode.NAME_TAKEN,
                "Somebody there has that name, or one that looks like it. Please take another, so that nobody is "
                "mistaken for somebody else.",
            )

    def _poses(self, room: RoomState, person_id: str, name: str) -> bool:
        """Whether a name looks like another member's."""
        mine = skeleton(name)
        return any(skeleton(each.name) == mine for each in room.members.values() if each.id != person_id)

    @asynccontextmanager
    async def _alone(self, *people: str) -> AsyncIterator[None]:
        """Let these people do one thing at a time: a new name and a new room must not miss each other."""
        async with AsyncExitStack() as held:
            for person in sorted(set(people)):
                await held.enter_async_context(self._busy.at(person))
            yield

    async def _tell(
        self, room: RoomState, what: Happening, by: str, name: str, *, at: datetime, title: str = ""
    ) -> Entry:
        """Add a line to the log about what brought the room to its present state."""
        entry = Entry(kind=EntryKind.EVENT, at=at, by=by, name=name, what=what, title=title)
        return await self._log.append(room.id, event_key(what, room.version), entry)

    async def _amended(self, room: str, ref: str, change: Amend) -> Entry | None:
        """Change a message where it stands. Raises `Refused` where there is none."""
        try:
            return await self._log.amend(room, ref, change)
        except KeyError as exc:
            raise Refused(RefusalCode.NOT_FOUND, NOT_FOUND) from exc


def member_of(state: RoomState | None, person_id: str) -> tuple[RoomState, Member]:
    """Return a room and somebody's place in it. Raises `Refused`."""
    if state is None or person_id not in state.members:
        raise Refused(RefusalCode.NOT_MEMBER, NOT_MEMBER)
    return state, state.members[person_id]
