"""Rooms and people as the page reads them."""

from collections.abc import Iterable
from typing import Any

from adapters.webchat.house import House
from adapters.webchat.hub import Hub
from adapters.webchat.inside import NOT_MEMBER
from adapters.webchat.people import Membership, Profile
from adapters.webchat.presence import Presence
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.rooms import Member
from adapters.webchat.settings import WebchatSettings

#: Members named with a room; the page asks for the others.
NAMED = 50


class Views:
    """Writes what a person may see of a room. Every method raises `RecordsUnavailable`."""

    def __init__(self, house: House, hub: Hub, presence: Presence) -> None:
        self._house = house
        self._hub = hub
        self._presence = presence

    async def room_of(self, person: str, room: str) -> dict[str, Any]:
        """Write a room as one member sees it. Raises `Refused` where they are none."""
        for membership in await self._house.rooms_of(person):
            if membership.room.id == room:
                return await self.room(person, membership)
        raise Refused(RefusalCode.NOT_MEMBER, NOT_MEMBER)

    async def room(self, person: str, membership: Membership) -> dict[str, Any]:
        """Write a member's room. Raises `Refused` where they have left it."""
        state = membership.room
        glance = await self._house.glance(person, state.id)
        return {
            "id": state.id,
            "kind": state.kind.value,
            "title": state.title_for(person),
            "members": people(list(state.members.values())[:NAMED]),
            "member_count": len(state.members),
            "last_pos": glance.last_pos,
            "read_pos": glance.read,
            "unread": glance.unread,
            "muted": membership.muted,
            "online": self._presence.online(state),
            "last": glance.last.to_wire(self._hub.render) if glance.last else None,
        }


def people(members: Iterable[Member]) -> list[dict[str, str]]:
    """Write members as the page shows them."""
    return [{"id": each.id, "name": each.name, "colour": each.colour} for each in members]


def me(profile: Profile) -> dict[str, str]:
    """Write somebody's own profile."""
    return {"id": profile.id, "name": profile.name, "colour": profile.colour}


def intro(settings: WebchatSettings) -> dict[str, str]:
    """Say, at first contact, what the assistant sees and what is kept."""
    name, days = settings.assistant_names[0], settings.retention_days
    beside = "and the messages those reply to" if settings.sees_quoted else "and nothing else"
    kept = f"for {days} days" if days else "until you delete them or everybody leaves"
    return {
        "sees": (
            f"{name} is an AI. In groups it sees only messages that mention @{name} or reply to it, {beside}, as long "
            "as nobody there changes that with /privacy; in your direct chat with it, it sees what you write there."
        ),
        "keeps": (
            f"Messages are kept encrypted on this organisation's own machines {kept}. Nothing you write leaves them. "
            "Whoever joins a group can read what was said there before."
        ),
        "caution": settings.caution,
    }
