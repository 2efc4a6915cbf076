"""A person's own things: who they are, where they are, what they have read; folded from their records. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from adapters.records import Record
from adapters.webchat.rooms import RoomState

VERSION = 1

PROFILE = "profile"
READS = "reads"
_SEAT = "seat:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who somebody is to the others."""

    id: str
    name: str
    colour: str
    created_at: datetime
    #: Whether they came by an invitation or are vouched for.
    invited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Somebody's place in a room."""

    joined_at: datetime
    muted: bool = False
    #: Whether they left.
    left: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A room with what one member has made of it."""

    room: RoomState
    #: The position up to which they have read.
    read: int
    muted: bool
    joined_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonState:
    """Everything a person's stream says."""

    profile: Profile | None = None
    seats: Mapping[str, Seat] = field(default_factory=dict)
    reads: Mapping[str, int] = field(default_factory=dict)

    @property
    def rooms(self) -> list[str]:
        """The rooms they are in, in the order of coming."""
        there = [(seat.joined_at, room) for room, seat in self.seats.items() if not seat.left]
        return [room for _, room in sorted(there)]


def apply(person: str, state: PersonState, record: Record) -> PersonState:
    """Return the person after one more record; other things in the stream change nothing here."""
    if record.key == PROFILE:
        return replace(state, profile=_profile_of(person, record))
    if record.key == READS:
        return replace(state, reads=dict(_facts(record)["reads"]))
    if record.key.startswith(_SEAT):
        room = record.key.removeprefix(_SEAT)
        return replace(state, seats={**state.seats, room: _seat_of(record)})
    return state


def profile_body(profile: Profile) -> str:
    """Encode a profile for the store."""
    return _body(
        name=profile.name,
        colour=profile.colour,
        invited=profile.invited,
        created_at=profile.created_at.isoformat(),
    )


def seat_key(room: str) -> str:
    """Name the record of a person's place in a room."""
    return f"{_SEAT}{room}"


def seat_body(seat: Seat) -> str:
    """Encode a place in a room for the store."""
    return _body(joined_at=seat.joined_at.isoformat(), muted=seat.muted, left=seat.left)


def reads_body(reads: Mapping[str, int]) -> str:
    """Encode what a person has read for the store."""
    return _body(reads=dict(reads))


def _profile_of(person: str, record: Record) -> Profile:
    facts = _facts(record)
    facts["created_at"] = datetime.fromisoformat(facts["created_at"])
    return Profile(id=person, **facts)


def _seat_of(record: Record) -> Seat:
    facts = _facts(record)
    facts["joined_at"] = datetime.fromisoformat(facts["joined_at"])
    return Seat(**facts)


def _body(**facts: Any) -> str:
    return json.dumps({"v": VERSION, **facts}, ensure_ascii=False, separators=(",", ":"))


def _facts(record: Record) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(record.body)
    if facts.pop("v", None) != VERSION:
        raise ValueError(f"person record {record.position} was written by another version")
    return facts
