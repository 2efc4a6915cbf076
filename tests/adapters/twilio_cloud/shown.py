"""What the fake cloud remembers and tells: messages as people see them, their statuses, calls, and deliveries.

Times are seconds since 1970 by the cloud's own clock, which a test may advance. `seq` grows with every change, so that
what is shown can be put in order without trusting any clock.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Channel(StrEnum):
    """How a message travels."""

    SMS = "sms"
    WHATSAPP = "whatsapp"


class Direction(StrEnum):
    """Who wrote a message, in Twilio's words."""

    #: A person.
    INBOUND = "inbound"
    #: Whoever called the API.
    API = "outbound-api"
    #: Twilio itself, in answer to STOP, START or HELP.
    REPLY = "outbound-reply"


class Endpoint(StrEnum):
    """The resources that are used."""

    SEND = "send"
    LIST = "list"
    FETCH = "fetch"
    TYPING = "typing"
    MEDIA = "media"
    CDN = "cdn"
    #: What `aside adapters check` looks at: the account, its numbers, senders and templates.
    ACCOUNT = "account"


class Fault(StrEnum):
    """What happens to a call, by what the caller and the person see."""

    #: The connection is cut before anything is done.
    LOST_REQUEST = "lost_request"
    #: It is done, then the connection is cut.
    LOST_RESPONSE = "lost_response"
    #: 429 with code 20429 and a time to wait; not done.
    TOO_MANY = "too_many"
    #: The same without a time to wait, as Twilio mostly answers.
    TOO_MANY_SILENTLY = "too_many_silently"
    #: 429 with code 63018: the channel's own rate; not done.
    CHANNEL_RATE = "channel_rate"
    #: 429 with code 63038: the account's messages of the day are used up; not done.
    DAILY_LIMIT = "daily_limit"
    #: 429 with code 21611: more than ten hours of messages wait at this sender; not done.
    QUEUE_FULL = "queue_full"
    #: 500; not done, but nothing says so.
    SERVER_ERROR = "server_error"
    #: 500, although it is done.
    SERVER_ERROR_DONE = "server_error_done"
    #: 503; not done, but nothing says so.
    UNAVAILABLE = "unavailable"
    #: It is done, late.
    SLOW = "slow"
    #: The connection stands and nothing ever comes; not done.
    HALF_OPEN = "half_open"
    #: It is done, and nothing ever comes.
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A status that a message took."""

    seq: int
    at: float
    status: str
    error_code: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message, of a person or to one."""

    sid: str
    #: Grows with every change of this message, acknowledgements included.
    seq: int
    direction: str
    channel: str
    #: Our number or WhatsApp sender, and the person's address, as From and To give them.
    sender: str
    person: str
    body: str
    status: str
    error_code: int | None
    created_at: float
    #: None as long as it waits.
    sent_at: float | None
    updated_at: float
    #: SMS segments; 1 on WhatsApp.
    segments: int
    #: US dollars, negative as Twilio writes it; None until it is known.
    price: float | None
    #: URLs of a message of ours, SIDs of a person's.
    media: tuple[str, ...]
    reply_to: str | None
    content_sid: str | None
    #: When the person's message was marked as read.
    read_at: float | None
    #: Told by a caller's X-Seen headers for the record only, never acted upon.
    operation: str
    purpose: str
    may_be_duplicate: bool
    #: The SID of the message that it answers.
    answers: str | None
    #: When a webhook was first answered with 2xx, and its place in the cloud's order.
    acked_at: float | None
    acked_seq: int | None
    #: What that answer said, for the record only, of what became of it.
    outcome: str | None
    #: When the last try to tell of it failed.
    given_up_at: float | None
    #: Every status it ever took, the newest last.
    changes: tuple[Change, ...]
    #: Statuses of every try to tell of it; 0 where no answer came.
    tries: tuple[int, ...]

    @property
    def inbound(self) -> bool:
        """Whether a person wrote it."""
        return self.direction == Direction.INBOUND

    @property
    def seen(self) -> bool:
        """Whether it stands on the person's phone."""
        return self.inbound or self.status in ("delivered", "read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the API, and what became of it."""

    seq: int
    at: float
    endpoint: str
    person: str
    #: 0 where nothing was answered.
    status: int
    #: Twilio's error code.
    code: int | None
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One try to tell of something by a webhook."""

    seq: int
    at: float
    sid: str
    #: `message` or `status`.
    kind: str
    #: What is told: `received`, or a status.
    what: str
    url: str
    #: 0 where no answer came.
    status: int
    took_s: float
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What changed after a `seq`: each message as it is now, in the order of its last change."""

    messages: tuple[Bubble, ...] = ()
    calls: tuple[Call, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    violations: tuple[str, ...] = ()
    #: Ask for what comes after this.
    next: int = 0
    more: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> "Page":
        """Read what `to_wire` wrote."""
        return cls(
            messages=tuple(_bubble(row) for row in wire["messages"]),
            calls=tuple(Call(**row) for row in wire["calls"]),
            deliveries=tuple(Delivery(**row) for row in wire["deliveries"]),
            violations=tuple(wire["violations"]),
            next=wire["next"],
            more=wire["more"],
        )


def _bubble(row: dict[str, Any]) -> Bubble:
    changes = tuple(Change(**change) for change in row["changes"])
    return Bubble(**row | {"changes": changes, "media": tuple(row["media"]), "tries": tuple(row["tries"])})
