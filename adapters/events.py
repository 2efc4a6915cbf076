"""What people write, as it comes in from a platform.

References are opaque strings of the adapter's own making, as `adapters.base` says. Times are aware UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Flag, StrEnum, auto

from adapters.attachments import Attachment


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
    #: What is attached, in the platform's order; nothing of it was fetched.
    attachments: tuple[Attachment, ...] = ()


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
