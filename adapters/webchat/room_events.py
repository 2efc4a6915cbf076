"""What can happen to a room, and how it is stored. Pure."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from adapters.records import Record

VERSION = 1


class Change(StrEnum):
    """What happened, by what it does to the room."""

    #: It is there, of a kind, with a title.
    CREATED = "created"
    #: It has one member more.
    JOINED = "joined"
    #: It has one member less.
    LEFT = "left"
    #: A member has another name or colour.
    RENAMED = "renamed"
    #: It has another title.
    TITLED = "titled"
    #: A link admits people.
    INVITED = "invited"
    #: A link admits nobody any more.
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEvent:
    """One thing that happened to a room."""

    what: Change
    at: datetime
    #: The person who did it, or whom it is about.
    by: str
    kind: str = ""
    title: str = ""
    name: str = ""
    colour: str = ""
    #: The invitation that was made, taken back, or come in by.
    invitation: str = ""
    uses: int | None = None
    expires_at: datetime | None = None

    def to_body(self) -> str:
        """Encode for the store."""
        return json.dumps(_without_blanks(asdict(self)), ensure_ascii=False, separators=(",", ":"))


def event_of(record: Record) -> RoomEvent:
    """Decode a stored record. Raises `ValueError` for a version this code does not know."""
    facts = json.loads(record.body)
    if facts.pop("v", None) != VERSION:
        raise ValueError(f"room record {record.position} was written by another version")
    facts["what"] = Change(facts["what"])
    for name in ("at", "expires_at"):
        if name in facts:
            facts[name] = datetime.fromisoformat(facts[name])
    return RoomEvent(**facts)


def _without_blanks(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in facts.items() if value not in ("", None)} | {"by": facts["by"]}
    instants = {name: value.isoformat() for name, value in kept.items() if isinstance(value, datetime)}
    return {"v": VERSION, **kept, **instants}
