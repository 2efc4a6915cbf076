"""What operators read of a turn that was given up: ids, instants, causes and its trail, never what people wrote."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.turns.model import TurnState


class TrailEvent(StrEnum):
    """What happened to a turn, for whoever asks why it was not answered."""

    #: An attempt ended with an error of the turn's own.
    FAILED = "failed"
    #: The worker's lease ran out: it died or stood still.
    LAPSED = "lapsed"
    #: Given back because something it needs was not there; the same cause again only counts up.
    POSTPONED = "postponed"
    #: Given up: from here on it is a dead letter.
    GIVEN_UP = "given_up"
    #: An operator had it tried once more.
    REQUEUED = "requeued"
    #: An operator took it off the list.
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """One thing that happened to a turn."""

    #: Where a newer version wrote it, perhaps a word that this one does not know.
    event: TrailEvent | str
    #: The turn's state at that time; the same holds.
    state: TurnState | str
    #: Failed attempts after it.
    attempts: int
    #: Whether the turn was charged an attempt for it.
    counted: bool
    #: The token of the worker that it happened to; None for what operators did.
    token: int | None
    #: The error's class, and its sentence where that is ours.
    error: str | None
    #: How often it happened in a row, first and last.
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A turn that was given up, exactly as it stood then."""

    turn_id: str
    chat_id: str
    adapter: str
    #: The class of the error it died of.
    reason: str
    error: str
    #: The state it died in: `waiting` has no reply yet, `replied` and `sending` have one stored.
    state: TurnState
    #: Failed attempts by then.
    attempts: int
    #: The newest token that had claimed it.
    token: int | None
    accepted_at: datetime
    died_at: datetime
    #: How often it was requeued before; names this death among several of the same turn.
    requeues: int
    requeued_at: datetime | None = None
    discarded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterParts:
    """How far the stored reply of a dead letter had come."""

    stored: int
    sent: int
    #: A send was started and nobody knows whether it arrived.
    in_doubt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterDetails:
    """A dead letter with everything the record knows about it."""

    letter: DeadLetter
    #: Where the turn stands now; `dead` unless it was requeued.
    state_now: TurnState
    messages: int
    parts: LetterParts
    #: Whether a placeholder stands in the chat.
    has_placeholder: bool
    #: Where its notice stands; None where there is none.
    notice: str | None
    trail: tuple[TrailEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which dead letters are meant: those on the list that match everything that is given."""

    turn_ids: tuple[str, ...] = field(default=())
    adapter: str | None = None
    reason: str | None = None
    chat_id: str | None = None
    died_before: datetime | None = None


class Requeued(StrEnum):
    """What pressing requeue did to one dead letter."""

    #: It will be tried again.
    DONE = "done"
    #: It is no longer as it was read: somebody else requeued or discarded it.
    CHANGED = "changed"
    #: The notice about it is being sent at this moment: press again in a little while.
    BUSY = "busy"
