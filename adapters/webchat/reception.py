"""Coming in: under a name, by an invitation, under another name."""

import json

from adapters.webchat.admitting import Admitting
from adapters.webchat.ids import invite_stream, is_client_id, is_person_id, new_person_id
from adapters.webchat.invitations import Invitation
from adapters.webchat.people import Profile
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.room_events import Change, RoomEvent
from adapters.webchat.rooms import RoomPreview, RoomState
from adapters.webchat.texts import colour_name, guest_name

#: The only record of an invitation's stream.
LEADS = "leads"
_UNKNOWN = "This link leads nowhere: it may be cut off. Please ask for it again."
_OVER = "The group of this invitation is no longer there: everybody left."


class Reception(Admitting):
    """The door."""

    async def enter(
        self, person_id: str | None, name: str, colour: str, code: str | None = None, *, vouched: bool = False
    ) -> Profile:
        """Let somebody in: someone new, or one who is known under the name they give now.

        With an invitation's code they join its room. An id that nobody has yet becomes the person's; None makes one.
        `vouched` says that the organisation's own sign-on knows them. Raises `Refused`.
        """
        if person_id is not None and not is_person_id(person_id):
            raise Refused(
                RefusalCode.MALFORMED, "The page sent something it should not. Please load it again."
            )
        who = person_id or new_person_id()
        async with self._alone(who):
            standing = await self.person(who)
            may_come_in = self._rules.is_open or vouched or code is not None
            if standing is None and not may_come_in:
                raise Refused(
                    RefusalCode.FORBIDDEN, "One comes in here by invitation. Please ask somebody for a link."
                )
            profile = await self._profiled(
                standing, who, name, colour, code, invited=vouched or code is not None
            )
            if code is not None:
                await self._join(profile, code)
        return profile

    async def rename(self, person_id: str, name: str, colour: str) -> Profile:
        """Give somebody another name or colour, in all of their rooms. Raises `Refused`."""
        async with self._alone(person_id):
            profile, _ = await self._known(person_id)
            return await self._profiled(profile, person_id, name, colour, None, invited=profile.invited)

    async def may_create(self, person_id: str) -> bool:
        """Whether somebody may make rooms."""
        profile = await self.person(person_id)
        return profile is not None and (self._rules.is_open or profile.invited)

    async def look(self, code: str) -> RoomPreview:
        """Tell where an invitation leads, to whoever has its code. Raises `Refused` where it admits nobody."""
        room, invitation = await self._led_to(code)
        if refused := invitation.why_not(self._now()):
            raise refused
        return RoomPreview(kind=room.kind, title=room.title, members=len(room.members))

    async def join(self, person_id: str, code: str) -> RoomState:
        """Let somebody into the room of an invitation; who is in it uses nothing up. Raises `Refused`."""
        async with self._alone(person_id):
            profile, _ = await self._known(person_id)
            return await self._join(profile, code)

    async def _profiled(
        self, standing: Profile | None, who: str, name: str, colour: str, code: str | None, *, invited: bool
    ) -> Profile:
        """Store who somebody is and show it in their rooms, if the name can be theirs."""
        profile = Profile(
            id=who,
            name=guest_name(name, self._assistant_names),
            colour=colour_name(colour),
            created_at=standing.created_at if standing else self._now(),
            invited=invited or (standing is not None and standing.invited),
        )
        if code is not None:
            self._may_name(await self._open_to(who, code), who, profile.name)
        rooms = await self._where_it_shows(profile)
        if profile != standing:
            await self._people.keep_profile(profile)
        for room in rooms:
            await self._show(profile, room)
        return profile

    async def _where_it_shows(self, profile: Profile) -> list[str]:
        """Return the rooms that show another name or colour. Raises `Refused` if the name poses in one of them."""
        rooms = []
        for room in (await self._people.state(profile.id)).rooms:
            state = await self._rooms.state(room)
            if state and _shows_another(state, profile):
                self._may_name(state, profile.id, profile.name)
                rooms.append(room)
        return rooms

    async def _show(self, profile: Profile, room: str) -> None:
        async with self._rooms.opened(room) as held:
            # Somebody may have come in under that name a moment ago: then the old one stays in this room.
            if held.state is None or self._poses(held.state, profile.id, profile.name):
                return
            event = RoomEvent(
                what=Change.RENAMED, at=self._now(), by=profile.id, name=profile.name, colour=profile.colour
            )
            await held.record(event)

    async def _open_to(self, person_id: str, code: str) -> RoomState:
        """Return the room a code opens to somebody. Raises `Refused`."""
        room, invitation = await self._led_to(code)
        refused = invitation.why_not(self._now())
        if refused and person_id not in room.members:
            raise refused
        return room

    async def _join(self, profile: Profile, code: str) -> RoomState:
        found, invitation = await self._led_to(code)
        async with self._rooms.opened(found.id) as held:
            if held.state is None:
                raise Refused(RefusalCode.GONE, _OVER)
            if profile.id not in held.state.members:
                self._has_place(await self._people.state(profile.id))
                if refused := held.state.invitations[invitation.id].why_not(self._now()):
                    raise refused
            return await self._admit(held, profile, invitation=invitation.id)

    async def _led_to(self, code: str) -> tuple[RoomState, Invitation]:
        record = await self._records.by_key(invite_stream(code), LEADS) if is_client_id(code) else None
        if record is None:
            raise Refused(RefusalCode.NOT_FOUND, _UNKNOWN)
        leads = json.loads(record.body)
        room = await self._rooms.state(leads["room"])
        if room is None or leads["id"] not in room.invitations:
            raise Refused(RefusalCode.GONE, _OVER)
        return room, room.invitations[leads["id"]]


def _shows_another(room: RoomState, profile: Profile) -> bool:
    member = room.members.get(profile.id)
    return member is not None and (member.name, member.colour) != (profile.name, profile.colour)
