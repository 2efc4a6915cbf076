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
class ContextCut(Details):
    """A chat's oldest exchanges left its prompts; the summary that was made of them took their place."""

    turn_id: str
    chat_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CutWithoutSummary(Details):
    """A chat's oldest exchanges left its prompts before a summary of them was ready."""

    turn_id: str
    chat_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryStored(Details):
    """A summary waits for the chat's next cut."""

    chat_id: str
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


class SummaryProblem(StrEnum):
    """Why a summary was not made; it is asked for again behind the chat's next reply."""

    #: Requests wait in the engine: replies come first.
    BUSY = "busy"
    #: Too many chats wait for theirs.
    CROWDED = "crowded"
    #: The engine failed, or took too long.
    ENGINE = "engine"
    #: The model wrote nothing that could be kept.
    EMPTY = "empty"
    #: The chat was cut, reset or forgotten meanwhile.
    OVERTAKEN = "overtaken"
    #: Not even the oldest exchange fits beside it.
    NO_ROOM = "no_room"
    #: The database or the vault could not give or take what it needs.
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFailed(Details):
    """A chat has no summary for its next cut yet."""

    chat_id: str
    reason: SummaryProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDropped(Details):
    """A cached context could not be read and is gone; it is built again from SQL."""

    chat_id: str
    #: The error's class, never its text.
    error: str


class BreakCause(StrEnum):
    """Why the engine computed again what the layout of the prompt promised to find in its cache."""

    #: A message stands otherwise than this chat's last prompt held it: a fault of ours, to be reported.
    LAYOUT = "layout"
    #: The oldest exchanges left the prompt.
    CUT = "cut"
    #: The chat's memory was begun anew, or could not be opened.
    RESET = "reset"
    #: What stands before the log was changed: what the assistant was asked to remember, or a summary.
    PREAMBLE = "preamble"
    #: The chat has another salt than before: something of it was forgotten.
    SALT = "salt"
    #: Only the last reply was computed again: its text is cut into other tokens than it was generated in.
    REPLY = "reply"
    #: The engine was away since: its cache began anew.
    ENGINE_RESTARTED = "engine_restarted"
    #: The same messages on the same engine: others needed the room. Where it happens often, the cache is small.
    EVICTED = "evicted"
    #: This process did not make the chat's last prompt, so that it cannot tell.
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixBroken(Details):
    """The engine found less of a prompt in its cache than the exchange before had left there."""

    turn_id: str
    chat_id: str
    cause: BreakCause
    predicted_tokens: int
    cached_tokens: int
    #: The first message of the prompt that was not found whole, from 0.
    message_index: int


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
