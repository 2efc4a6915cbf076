"""What comes in from a platform, what the core decided about it, and where an adapter hands it over.

References are opaque strings of the adapter's own making, as `adapters.base` says. Times are aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Flag, StrEnum, auto
from typing import Protocol


class ConversationKind(StrEnum):
    """How many people a conversation is between."""

    #: One person and the assistant: every message addresses it.
    DIRECT = "direct"
    #: Several people: only what addresses the assistant reaches the core.
    GROUP = "group"


class Addressed(Flag):
    """The facts by which a message addresses the assistant, as far as the platform itself knows them."""

    NOT = 0
    DIRECT = auto()
    MENTION = auto()
    REPLY_TO_ASSISTANT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wrote a message: an id that stays, and the name shown at the time."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Where a message was written."""

    ref: str
    kind: ConversationKind
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """The message that a message replies to."""

    ref: str
    author: str
    text: str
    by_assistant: bool
    #: Who wrote it, as `Person.id` has it; empty where the platform does not say.
    author_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One message a person wrote, as the platform delivered it."""

    adapter: str
    #: Which of our accounts on the platform received it.
    account: str
    #: Unique per (adapter, account) for at least the platform's redelivery horizon, and made of what names the
    #: message, not the delivery: an edit of the message carries the same one.
    event_key: str
    conversation: Conversation
    #: The message's own reference, to reply to.
    message: str
    sender: Person
    text: str
    addressed: Addressed
    sent_at: datetime
    quoted: Quoted | None = None
    #: True where `addressed` already tells mentions (platforms with entities); the core reads no names then.
    mentions_known: bool = False
    #: What the platform calls an album: the messages that one person sent in one go carry the same one.
    group_key: str | None = None
    #: Whether the sender is an admin of the group; None where the platform does not tell.
    sender_is_admin: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A person gave a message another text: the whole message as it stands now, under its first event key."""

    inbound: Inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A person, or somebody who may, took a person's message back."""

    adapter: str
    account: str
    conversation: str
    #: The message's own reference.
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """A person asked to stop what the assistant is doing in a conversation."""

    adapter: str
    account: str
    conversation: str
    sender: Person


class Outcome(StrEnum):
    """What the core did with an inbound message, by what the adapter may tell its platform."""

    #: Not addressed to the assistant: nothing was committed. Acknowledge.
    IGNORED = "ignored"
    #: Committed as a turn of its own. Acknowledge.
    ACCEPTED = "accepted"
    #: Committed into the sender's turn that still waits. Acknowledge.
    JOINED = "joined"
    #: This event had been committed before; nothing changed. Acknowledge.
    DUPLICATE = "duplicate"
    #: Committed together with a notice that says why it is not answered. Acknowledge.
    REFUSED = "refused"
    #: Carried out at once (a stop, an edit, a withdrawal). Acknowledge.
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that the core has decided; for all but IGNORED and DONE it is committed."""

    outcome: Outcome
    turn_id: str | None = None
    #: The core's own id of the chat, where something was committed.
    chat_id: str | None = None
    #: How many stand in line before a turn of its own; None where nobody does, and it can be taken at once.
    ahead: int | None = None
    #: What was asked was taken back before anybody worked on it: the turn is over and nothing will follow.
    cancelled: bool = False


class Sink(Protocol):
    """Where an adapter hands over what comes in."""

    async def accept(self, event: Inbound) -> Receipt:
        """Decide on a message and, if it addresses the assistant, commit it before returning.

        May be called again with the same event. Raises when nothing could be committed: the adapter must then
        not acknowledge, so that the platform delivers it again.
        """
        ...

    async def stop(self, event: StopRequested) -> Receipt:
        """Cancel what runs and waits in a conversation; safe to repeat."""
        ...

    async def edited(self, event: Edited) -> Receipt:
        """Change a mention that nobody works on yet; safe to repeat.

        An edit that addresses the assistant for the first time is a new mention; one that no longer does takes the
        mention back. Raises like `accept`.
        """
        ...

    async def withdrawn(self, event: Withdrawn) -> Receipt:
        """Cancel the turn of a message that was taken back; of a burst only that message goes. Safe to repeat."""
        ...
