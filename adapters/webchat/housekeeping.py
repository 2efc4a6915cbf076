"""Rooms and who is in them: making, naming, leaving, muting."""

import json
from dataclasses import replace

from adapters.webchat.admitting import Admitting
from adapters.webchat.entries import Happening
from adapters.webchat.ids import feedback_stream, is_room_id, new_room_id
from adapters.webchat.inside import member_of
from adapters.webchat.people import Membership, Profile
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.room_book import OpenRoom
from adapters.webchat.room_events import Change, RoomEvent
from adapters.webchat.rooms import Member, RoomKind, RoomState
from adapters.webchat.texts import client_id as checked_client_id
from adapters.webchat.texts import room_title

_DIRECT = "direct"
_STAYS = "This conversation with the assistant stays yours. It can be muted."


class Housekeeping(Admitting):
    """The rooms."""

    async def rooms_of(self, person_id: str) -> list[Membership]:
        """List somebody's rooms, in the order of coming."""
        person = await self._people.state(person_id)
        found = [await self.membership(person_id, room) for room in person.rooms]
        return [membership for membership in found if membership is not None]

    async def membership(self, person_id: str, room: str) -> Membership | None:
        """Return one of somebody's rooms as `rooms_of` does; None where they are not in it."""
        state, person = await self._rooms.state(room), await self._people.state(person_id)
        seat = person.seats.get(room)
        if state is None or seat is None or seat.left or person_id not in state.members:
            return None
        read = self._unkept_reads.get(person_id, {}).get(room, person.reads.get(room, 0))
        return Membership(room=state, read=read, muted=seat.muted, joined_at=seat.joined_at)

    async def member(self, person_id: str, room: str) -> Member:
        """Return somebody as a member of a room. Raises `Refused` where they are none."""
        return (await self._in(person_id, room))[1]

    async def create(self, person_id: str, title: str, client_id: str) -> RoomState:
        """Make a group with one member; the same `client_id` again makes no other one. Raises `Refused`."""
        shown = room_title(title, self._rules.title_limit)
        async with self._alone(person_id):
            profile, state = await self._known(person_id)
            if not (self._rules.is_open or profile.invited):
                raise Refused(
                    RefusalCode.FORBIDDEN, "Groups are made here by people who were invited to one."
                )
            self._has_place(state)
            room = await self._one_room(person_id, f"create:{checked_client_id(client_id)}")
            return await self._open_up(profile, room, RoomKind.GROUP, shown)

    async def direct(self, person_id: str) -> RoomState:
        """Return the room in which somebody is alone with the assistant, making it at first. Raises `Refused`."""
        async with self._alone(person_id):
            profile, _ = await self._known(person_id)
            room = await self._one_room(person_id, _DIRECT)
            return await self._open_up(profile, room, RoomKind.DIRECT)

    async def pair(self, person_id: str, other_id: str) -> RoomState:
        """Return the room of two people, making it at first. They must have a room in common. Raises `Refused`.

        Who left it comes back by asking for it; nobody is fetched back by the other.
        """
        if person_id == other_id:
            raise Refused(RefusalCode.MALFORMED, "You cannot have a conversation with yourself here.")
        first, second = sorted((person_id, other_id))
        async with self._alone(first, second):
            profile, state = await self._known(person_id)
            other = await self._met(state.rooms, other_id)
            room = await self._one_room(first, f"pair:{second}")
            return await self._open_pair(profile, other, room)

    async def title(self, person_id: str, room: str, title: str) -> RoomState:
        """Give a group another title. Raises `Refused`."""
        shown = room_title(title, self._rules.title_limit)
        async with self._rooms.opened(room) as held:
            state, member = member_of(held.state, person_id)
            _only_groups(state, "Only a group has a title.")
            if state.title == shown:
                return state
            at = self._now()
            state = await held.record(RoomEvent(what=Change.TITLED, at=at, by=person_id, title=shown))
            await self._tell(state, Happening.TITLED, person_id, member.name, at=at, title=shown)
            return state

    async def leave(self, person_id: str, room: str) -> None:
        """Let somebody go. A room that everybody left is dropped, with all that was said. Raises `Refused`."""
        async with self._alone(person_id), self._rooms.opened(room) as held:
            state, member = member_of(held.state, person_id)
            if state.kind is RoomKind.DIRECT:
                raise Refused(RefusalCode.FORBIDDEN, _STAYS)
            at = self._now()
            state = await held.record(RoomEvent(what=Change.LEFT, at=at, by=person_id))
            if state.members:
                await self._tell(state, Happening.LEFT, person_id, member.name, at=at)
            else:
                await self._drop(held)
            await self._unseat(person_id, room)

    async def mute(self, person_id: str, room: str, *, on: bool) -> None:
        """Say whether a room may draw somebody's attention. Raises `Refused`."""
        async with self._alone(person_id):
            await self._in(person_id, room)
            seat = (await self._people.state(person_id)).seats[room]
            if seat.muted is not on:
                await self._people.keep_seat(person_id, room, replace(seat, muted=on))

    async def _open_up(self, profile: Profile, room: str, kind: RoomKind, title: str = "") -> RoomState:
        """Make somebody's own room unless it is there already."""
        async with self._rooms.opened(room) as held:
            state = await self._made(held, kind, profile.id, title)
            if profile.id in state.members or not state.members:
                is_new = not state.members
                state = await self._admit(held, profile, quietly=True)
                if is_new and kind is RoomKind.GROUP:
                    await self._tell_created(state, profile)
                return state
        return member_of(state, profile.id)[0]

    async def _tell_created(self, state: RoomState, profile: Profile) -> None:
        await self._tell(
            state, Happening.CREATED, profile.id, profile.name, at=state.created_at, title=state.title
        )

    async def _open_pair(self, profile: Profile, other: Profile, room: str) -> RoomState:
        async with self._rooms.opened(room) as held:
            is_new = held.state is None or not (held.state.members or held.state.former)
            state = await self._made(held, RoomKind.PAIR, profile.id)
            if is_new or profile.id not in state.members:
                self._has_place(await self._people.state(profile.id))
            state = await self._admit(held, profile, quietly=is_new)
            if len(state.members) + len(state.former) == 1:
                state = await self._admit(held, other, quietly=True)
            return state

    async def _met(self, rooms: list[str], other_id: str) -> Profile:
        """Return somebody who is in one of these rooms, too. Raises `Refused`."""
        for room in rooms:
            state = await self._rooms.state(room)
            if state and (other_id in state.members or other_id in state.former):
                return (await self._known(other_id))[0]
        raise Refused(RefusalCode.NOT_FOUND, "You have no room in common with that person.")

    async def _one_room(self, person_id: str, key: str) -> str:
        """Return the room that somebody's key stands for, the same one ever after."""
        record = await self._people.once(person_id, key, json.dumps({"v": 1, "room": new_room_id()}))
        room = json.loads(record.body)["room"]
        assert is_room_id(room), "a room's record holds a room's id"
        return str(room)

    async def _drop(self, held: OpenRoom) -> None:
        await self._log.forget(held.room)
        await self._records.forget(feedback_stream(held.room))
        await held.forget()

    async def _unseat(self, person_id: str, room: str) -> None:
        self._unkept_reads.get(person_id, {}).pop(room, None)
        seat = (await self._people.state(person_id)).seats.get(room)
        if seat is not None:
            await self._people.keep_seat(person_id, room, replace(seat, left=True))


def _only_groups(state: RoomState, why_not: str) -> None:
    if state.kind is not RoomKind.GROUP:
        raise Refused(RefusalCode.FORBIDDEN, why_not)
