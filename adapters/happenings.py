"""What happens to conversations and to messages we sent, beside what people write."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.events import ConversationKind, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationMoved:
    """A conversation has a new reference (a group that became a supergroup): everything of it moves along."""

    adapter: str
    account: str
    old: str
    new: str


class Membership(StrEnum):
    """Who came or went."""

    #: The assistant was added to the conversation, or unblocked.
    ADDED = "added"
    #: The assistant was removed or blocked: nothing can be written there.
    REMOVED = "removed"
    #: Somebody else joined.
    JOINED = "joined"
    #: Somebody else left.
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChanged:
    """Somebody came to a conversation or left it."""

    adapter: str
    account: str
    #: Unique for this change, for at least the platform's redelivery horizon.
    event_key: str
    conversation: str
    kind: ConversationKind
    change: Membership
    #: Who came or went; None of the assistant itself.
    person: Person | None = None


class DeliveryState(StrEnum):
    """How far a message of ours has come; it only ever moves down this list."""

    #: The platform works on it.
    QUEUED = "queued"
    #: It left the platform.
    SENT = "sent"
    #: It reached the person's device.
    DELIVERED = "delivered"
    #: The person opened it.
    READ = "read"
    #: It will not arrive.
    FAILED = "failed"


class DeliveryFailure(StrEnum):
    """Why a message will not arrive, by what can be done."""

    #: The platform's window for free-form messages is over.
    WINDOW_CLOSED = "window_closed"
    #: The person blocked us, opted out, or is not there.
    GONE = "gone"
    #: A limit of the platform: later it may go.
    LIMITED = "limited"
    #: The platform's policy forbids it.
    POLICY = "policy"
    #: Anything else.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The platform tells what became of a message of ours; may come late, twice and out of order."""

    adapter: str
    account: str
    #: The message's reference, as `send` returned it.
    message: str
    state: DeliveryState
    #: With `FAILED`.
    failure: DeliveryFailure | None = None
    #: The platform's own number for it, for operators.
    code: str = ""
    #: What it cost, as a decimal number and its currency; empty where the platform does not say.
    price: str = ""
    currency: str = ""
