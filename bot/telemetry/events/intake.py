"""What is told of messages that come in."""

from dataclasses import dataclass
from enum import StrEnum

from bot.telemetry.events.base import Details


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAccepted(Details):
    """A mention was committed, as a turn of its own or into one that waits."""

    turn_id: str
    chat_id: str
    adapter: str
    joined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRepeated(Details):
    """A platform delivered an event again; nothing changed."""

    adapter: str


class ShedReason(StrEnum):
    """Why a mention was refused at intake."""

    #: The chat has too many waiting turns.
    CHAT_FULL = "chat_full"
    #: The deployment has too many waiting turns.
    ALL_FULL = "all_full"
    #: The person has too many waiting turns.
    PERSON_FULL = "person_full"
    #: The line is longer than the deadline allows.
    TOO_LATE = "too_late"
    #: The chat has used up its messages of the hour or the day.
    CHAT_QUOTA = "chat_quota"
    #: The person has used up theirs.
    PERSON_QUOTA = "person_quota"
    #: The message is longer than any the assistant takes.
    TOO_LONG = "too_long"
    #: The message is not text.
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnShed(Details):
    """A mention was refused at intake; its notice, or that of its episode, says so."""

    chat_id: str
    adapter: str
    reason: ShedReason
