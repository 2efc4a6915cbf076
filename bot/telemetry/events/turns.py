"""What is told of turns, from the claim to the end."""

from dataclasses import dataclass
from enum import StrEnum

from bot.telemetry.events.base import Details


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
class ReplyRated(Details):
    """Somebody said what they think of a reply."""

    turn_id: str
    adapter: str
    rating: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReported(Details):
    """A platform told how far a message of ours came, or that it will not arrive."""

    turn_id: str
    adapter: str
    state: str
    #: Why it will not arrive, and the platform's own number for that.
    failure: str
    code: str
    #: In units of the currency; 0 where the platform does not say.
    cost: float
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(Details):
    """A notice reached its chat."""

    adapter: str
    kind: str
