"""What a fake platform remembers and tells: what its users see, what they said, and the faults it made.

Times are seconds since 1970 by the platform's own clock. `seq` numbers grow with every change of one platform, so that
what it shows can be put in order without trusting any clock.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What happens to a call of the vendor's API, by what the caller and the user see."""

    #: The connection is cut before anything is done.
    LOST_REQUEST = "lost_request"
    #: It is done, then the connection is cut.
    LOST_RESPONSE = "lost_response"
    #: 429 with a time to wait; not done.
    RATE_LIMITED = "rate_limited"
    #: 429 without one; not done.
    RATE_LIMITED_SILENTLY = "rate_limited_silently"
    #: 500; not done, but nothing says so.
    SERVER_ERROR = "server_error"
    #: 503, which this vendor documents as not done.
    UNAVAILABLE = "unavailable"
    #: It is done, late.
    SLOW = "slow"
    #: The connection stands and nothing ever comes; not done.
    HALF_OPEN = "half_open"
    #: It is done, and nothing ever comes.
    SILENT = "silent"


class Endpoint(StrEnum):
    """The calls of the vendor's API."""

    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"
    FIND = "find"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One text of a message, as it stood from a moment on."""

    seq: int
    at: float
    text: str
    purpose: str
    operation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message of the assistant as its readers see it."""

    id: str
    #: Grows with every change of this message.
    seq: int
    #: The operation it was posted for: told by our adapter for the record only, never acted upon.
    operation: str
    account: str
    conversation: str
    #: What stands now.
    text: str
    purpose: str
    reply_to: str | None
    #: Whether it was posted as a possible duplicate.
    may_be_duplicate: bool
    posted_at: float
    edited_at: float | None
    deleted_at: float | None
    #: Every text it ever showed, the newest last.
    versions: tuple[Version, ...]

    @property
    def earlier(self) -> tuple[str, ...]:
        """The texts that stood before, oldest first."""
        return tuple(version.text for version in self.versions[:-1])

    @property
    def posted_seq(self) -> int:
        """When it first appeared, in the platform's order."""
        return self.versions[0].seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Something a user said, and what became of telling the gateways."""

    id: str
    #: Grows with every change of this row, acknowledgements included.
    seq: int
    said_seq: int
    account: str
    conversation: str
    kind: str
    sender: str
    text: str
    reply_to: str | None
    said_at: float
    #: The first 2xx that a gateway answered, with its place in the platform's order and the outcome it named.
    acked_at: float | None
    acked_seq: int | None
    outcome: str | None
    edited_at: float | None
    withdrawn_at: float | None
    #: Status of every try, oldest first; 0 where no answer came.
    statuses: tuple[int, ...]
    #: Whether the platform tries no more, though nobody has acknowledged it.
    given_up: bool = False

    @property
    def deliveries(self) -> int:
        """How often it was delivered or tried to be."""
        return len(self.statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A fault that a call ran into."""

    seq: int
    at: float
    fault: str
    endpoint: str
    operation: str
    conversation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What changed after a `seq`: each row as it is now, in the order of its last change."""

    messages: tuple[Message, ...] = ()
    mentions: tuple[Mention, ...] = ()
    faults: tuple[Injected, ...] = ()
    #: Ask for what comes after this.
    next: int = 0
    #: Whether there is more already.
    more: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> "Page":
        """Read what `to_wire` wrote."""
        return cls(
            messages=tuple(_message(row) for row in wire["messages"]),
            mentions=tuple(Mention(**row | {"statuses": tuple(row["statuses"])}) for row in wire["mentions"]),
            faults=tuple(Injected(**row) for row in wire["faults"]),
            next=wire["next"],
            more=wire["more"],
        )


def _message(row: dict[str, Any]) -> Message:
    return Message(**row | {"versions": tuple(Version(**version) for version in row["versions"])})
