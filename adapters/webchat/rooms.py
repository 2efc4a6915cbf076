"""What a room is, folded from what happened to it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from adapters.base import ConversationKind
from adapters.webchat.invitations import Invitation
from adapters.webchat.room_events import Change, RoomEvent


class RoomKind(StrEnum):
    """Who meets in a room."""

    #: People who were invited, and the assistant one `@` away.
    GROUP = "group"
    #: Two people, and the assistant one `@` away.
    PAIR = "pair"
    #: One person and the assistant.
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in a room."""

    id: str
    name: str
    colour: str
    joined_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomState:
    """A room as it is now."""

    id: str
    kind: RoomKind
    #: Empty for a pair and a direct room: see `title_for`.
    title: str
    created_by: str
    created_at: datetime
    members: Mapping[str, Member] = field(default_factory=dict)
    #: The two of a pair who left it, by id; their names are still needed to name the room.
    former: Mapping[str, Member] = field(default_factory=dict)
    invitations: Mapping[str, Invitation] = field(default_factory=dict)
    #: The position of the newest event in here.
    version: int = 0

    @property
    def core_kind(self) -> ConversationKind:
        """What the core takes it for."""
        return ConversationKind.DIRECT if self.kind is RoomKind.DIRECT else ConversationKind.GROUP

    def title_for(self, person: str) -> str:
        """Return what to call the room before a member; a pair is called by the other's name."""
        if self.kind is not RoomKind.PAIR:
            return self.title
        both = {**self.former, **self.members}
        return next((each.name for id_, each in both.items() if id_ != person), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPreview:
    """What an invitation shows of its room to somebody who is not in it."""

    kind: RoomKind
    title: str
    #: How many people are in it.
    members: int


def fold(room: str, events: Iterable[tuple[int, RoomEvent]]) -> RoomState | None:
    """Fold events with their positions into a room; None where it was never made."""
    state: RoomState | None = None
    for position, event in events:
        state = apply(room, state, position, event)
    return state


def apply(room: str, state: RoomState | None, position: int, event: RoomEvent) -> RoomState | None:
    """Return the room after one more event; what makes no sense for it changes nothing."""
    if state is None:
        return _created(room, position, event) if event.what is Change.CREATED else None
    return replace(_CHANGED[event.what](state, event), version=position)


def _created(room: str, position: int, event: RoomEvent) -> RoomState:
    return RoomState(
        id=room,
        kind=RoomKind(event.kind),
        title=event.title,
        created_by=event.by,
        created_at=event.at,
        version=position,
    )


def _joined(state: RoomState, event: RoomEvent) -> RoomState:
    if event.by in state.members:
        return state
    member = Member(id=event.by, name=event.name, colour=event.colour, joined_at=event.at)
    former = {id_: each for id_, each in state.former.items() if id_ != event.by}
    counted = _used(state.invitations, event.invitation)
    return replace(state, members={**state.members, event.by: member}, former=former, invitations=counted)


def _used(invitations: Mapping[str, Invitation], used: str) -> Mapping[str, Invitation]:
    if used not in invitations:
        return invitations
    return {**invitations, used: replace(invitations[used], used=invitations[used].used + 1)}


def _left(state: RoomState, event: RoomEvent) -> RoomState:
    if event.by not in state.members:
        return state
    members = {id_: each for id_, each in state.members.items() if id_ != event.by}
    is_pair = state.kind is RoomKind.PAIR
    former = {**state.former, event.by: state.members[event.by]} if is_pair else state.former
    return replace(state, members=members, former=former)


def _renamed(state: RoomState, event: RoomEvent) -> RoomState:
    member = state.members.get(event.by)
    if member is None:
        return state
    renamed = replace(member, name=event.name, colour=event.colour)
    return replace(state, members={**state.members, event.by: renamed})


def _invited(state: RoomState, event: RoomEvent) -> RoomState:
    invitation = Invitation(
        id=event.invitation, by=event.by, made_at=event.at, uses=event.uses, expires_at=event.expires_at
    )
    return replace(state, invitations={**state.invitations, event.invitation: invitation})


def _revoked(state: RoomState, event: RoomEvent) -> RoomState:
    standing = state.invitations.get(event.invitation)
    if standing is None:
        return state
    return replace(
        state, invitations={**state.invitations, event.invitation: replace(standing, revoked=True)}
    )


def _as_it_is(state: RoomState, event: RoomEvent) -> RoomState:
    return state


def _titled(state: RoomState, event: RoomEvent) -> RoomState:
    return replace(state, title=event.title)


_CHANGED: Mapping[Change, Callable[[RoomState, RoomEvent], RoomState]] = {
    Change.CREATED: _as_it_is,
    Change.TITLED: _titled,
    Change.JOINED: _joined,
    Change.LEFT: _left,
    Change.RENAMED: _renamed,
    Change.INVITED: _invited,
    Change.REVOKED: _revoked,
}
