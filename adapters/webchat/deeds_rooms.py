"""What people do with rooms: make, name, invite, join, leave; and with their own profile."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.webchat import views
from adapters.webchat.deed import Caller, Deed
from adapters.webchat.desk import Desk
from adapters.webchat.frames import Ask
from adapters.webchat.invitations import MAX_HOURS, Invitation
from adapters.webchat.rooms import RoomState

_MEMBERS = 200
_LONGEST = 2_000
_MOST_USES = 10_000


async def _create(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    state = await desk.house.create(caller.person, ask.text("title", _LONGEST), ask.client_id())
    return await _entered(desk, caller, state)


async def _pair(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    return await _entered(desk, caller, await desk.house.pair(caller.person, ask.text("person")))


async def _join(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    return await _entered(desk, caller, await desk.house.join(caller.person, ask.text("code")))


async def _entered(desk: Desk, caller: Caller, state: RoomState) -> Mapping[str, Any]:
    await desk.seating.changed(state)
    return await desk.seating.views.room_of(caller.person, state.id)


async def _title(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    await desk.seating.changed(await desk.house.title(caller.person, room, ask.text("title", _LONGEST)))
    return {}


async def _leave(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    before = await desk.house.room(caller.person, room)
    await desk.house.leave(caller.person, room)
    await desk.seating.changed(await desk.house.place(room) or replace(before, members={}))
    return {}


async def _mute(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    await desk.house.mute(caller.person, room, on=ask.switch("on"))
    await desk.seating.tell_person(caller.person, room)
    return {}


async def _members(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    room = ask.text("room")
    state = await desk.house.room(caller.person, room)
    members = sorted(state.members.values(), key=lambda each: each.id)
    behind = ask.maybe_text("after") or ""
    page = [each for each in members if each.id > behind]
    return {"members": views.people(page[:_MEMBERS]), "more": len(page) > _MEMBERS}


async def _invite(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    uses, hours = ask.whole("uses", most=_MOST_USES), ask.number_of("hours", MAX_HOURS)
    made = await desk.house.invite(caller.person, ask.text("room"), uses or None, hours)
    return _invitation(made) | {"url": f"{caller.origin}/join/{made.code}"}


async def _invitations(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    found = await desk.house.invitations(caller.person, ask.text("room"))
    return {"invitations": [_invitation(each) for each in found]}


async def _revoke(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    await desk.house.revoke(caller.person, ask.text("room"), ask.text("invitation"))
    return {}


def _invitation(made: Invitation) -> dict[str, Any]:
    return {
        "id": made.id,
        "by": made.by,
        "uses": made.uses,
        "used": made.used,
        "expires_at": made.expires_at.isoformat() if made.expires_at else None,
    }


async def _profile(desk: Desk, caller: Caller, ask: Ask) -> Mapping[str, Any]:
    profile = await desk.house.rename(caller.person, ask.text("name"), ask.text("colour"))
    for membership in await desk.house.rooms_of(caller.person):
        await desk.seating.changed(membership.room)
    return views.me(profile)


ROOMS: Mapping[str, Deed] = {
    "create": Deed(do=_create),
    "pair": Deed(do=_pair),
    "join": Deed(do=_join),
    "title": Deed(do=_title),
    "leave": Deed(do=_leave),
    "mute": Deed(do=_mute),
    "members": Deed(do=_members, in_order=False),
    "invite": Deed(do=_invite),
    "invitations": Deed(do=_invitations, in_order=False),
    "revoke": Deed(do=_revoke),
    "profile": Deed(do=_profile),
}
