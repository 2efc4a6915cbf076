"""Letting somebody into a room: the one way in, whatever the door."""

from datetime import datetime

from adapters.webchat.entries import Happening
from adapters.webchat.inside import Inside
from adapters.webchat.people import PersonState, Profile, Seat
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.room_book import OpenRoom
from adapters.webchat.room_events import Change, RoomEvent
from adapters.webchat.rooms import RoomKind, RoomState


class Admitting(Inside):
    """Makes rooms and members. Whoever calls holds the person, and the room where there is one."""

    async def _admit(
        self, held: OpenRoom, profile: Profile, *, invitation: str = "", quietly: bool = False
    ) -> RoomState:
        """Make somebody a member, with a line about it or `quietly`; who is one already stays as they are."""
        room = held.state
        assert room is not None, "nobody is admitted to a room that is not there"
        at = self._now()
        if profile.id not in room.members:
            room = await self._add(held, room, profile, at, invitation)
            if not quietly:
                await self._tell(room, Happening.JOINED, profile.id, profile.name, at=at)
        await self._seat(profile.id, room, at)
        return room

    async def _add(
        self, held: OpenRoom, room: RoomState, profile: Profile, at: datetime, invitation: str
    ) -> RoomState:
        if len(room.members) >= self._rules.members_limit:
            limit = self._rules.members_limit
            raise Refused(RefusalCode.TOO_MANY, f"That group is full: it holds {limit} people.")
        self._may_name(room, profile.id, profile.name)
        return await held.record(
            RoomEvent(
                what=Change.JOINED,
                at=at,
                by=profile.id,
                name=profile.name,
                colour=profile.colour,
                invitation=invitation,
            )
        )

    async def _seat(self, person_id: str, room: RoomState, at: datetime) -> None:
        """Give somebody their place in a room if they have none; what was said before counts as read."""
        seat = (await self._people.state(person_id)).seats.get(room.id)
        if seat is None or seat.left:
            await self._people.keep_reads(person_id, {room.id: await self._log.end(room.id)})
            await self._people.keep_seat(person_id, room.id, Seat(joined_at=at))

    async def _made(self, held: OpenRoom, kind: RoomKind, by: str, title: str = "") -> RoomState:
        """Make a room, or return the one that is there."""
        if held.state is not None:
            return held.state
        event = RoomEvent(what=Change.CREATED, at=self._now(), by=by, kind=kind.value, title=title)
        return await held.record(event)

    def _has_place(self, state: PersonState) -> None:
        """Refuse somebody who is in as many rooms as one can be."""
        if len(state.rooms) >= self._rules.rooms_limit:
            raise Refused(
                RefusalCode.TOO_MANY,
                f"You are in {self._rules.rooms_limit} conversations, and more cannot be kept in view. "
                "Please leave one first.",
            )
