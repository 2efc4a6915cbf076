"""What the path tells about itself: one frozen record an event, given to every hook it was built with.

The records hold ids, counts and seconds, never content and never a name. Code emits; what is logged
or counted is decided by the hooks (`logs.py`, `metrics.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.base import EngineState


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Anything a hook may be told."""


class Hook(Protocol):
    """Something that listens: a log, a set of metrics, a test's list."""

    def __call__(self, details: Details, /) -> None:
        """Take note of an event; called on the path itself, so it neither waits nor raises."""
        ...


#: What is passed to whoever emits.
Hooks = Sequence[Hook]


def emit(hooks: Hooks, details: Details) -> None:
    """Tell every hook about an event, in order."""
    for hook in hooks:
        hook(details)


class TurnOutcome(StrEnum):
    """How a turn ended, for the person who asked."""

    #: The platform has the whole reply.
    SENT = "sent"
    #: Not answered; a notice says why.
    REFUSED = "refused"
    #: Given up after failed attempts; a notice says so.
    DEAD = "dead"
    #: A person stopped it.
    CANCELLED = "cancelled"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken(Details):
    """A worker claimed a turn."""

    turn_id: str
    chat_id: str
    token: int
    #: Seconds since the turn was accepted.
    waited_s: float
    #: Failed attempts before this one.
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstToken(Details):
    """The engine's first text for a turn arrived."""

    turn_id: str
    #: Seconds since the request went to the engine.
    engine_s: float
    #: Seconds since the turn was accepted.
    since_accepted_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReplied(Details):
    """A final reply was stored; it is never generated again."""

    turn_id: str
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Details):
    """A turn needs nobody any more."""

    turn_id: str
    chat_id: str
    outcome: TurnOutcome
    #: Seconds since the turn was accepted.
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(Details):
    """An attempt at a turn ended without progress."""

    turn_id: str
    #: The error's class, never its text.
    error: str
    #: Whether the turn is charged for it.
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseLost(Details):
    """A worker learnt that its lease had ended; it starts nothing more."""

    chat_id: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFenced(Details):
    """A worker's write met a newer token on its turn and changed nothing."""

    turn_id: str
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmbiguousSend(Details):
    """A send may or may not have arrived."""

    turn_id: str
    adapter: str
    #: Whether it is sent once more.
    resent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(Details):
    """A notice reached its chat."""

    adapter: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStateChanged(Details):
    """The engine is in another state than before."""

    state: EngineState
    #: A sentence for people: what it waits for, or why it is dead.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRebuilt(Details):
    """Redis had lost its schedule and holds it again."""

    chats: int
    took_s: float


class Dependency(StrEnum):
    """Something outside this process that the path needs."""

    #: The record.
    DATABASE = "database"
    #: The schedule and the contexts.
    REDIS = "redis"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageBegan(Details):
    """A dependency stopped answering; told once an outage."""

    dependency: Dependency
    #: The error's class, never its text.
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEnded(Details):
    """A dependency answers again."""

    dependency: Dependency
    lasted_s: float
