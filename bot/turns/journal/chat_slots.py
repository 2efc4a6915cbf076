"""What a batch finds of its chats and makes of them while it is planned, and how chats and events are named."""

from dataclasses import dataclass, field
from typing import Any

from adapters.base import Inbound

#: (adapter, account, conversation) or (adapter, account, event key).
Key = tuple[str, str, str]


@dataclass(slots=True, kw_only=True)
class Joinable:
    """A turn that still waits unclaimed."""

    turn_id: str
    sender_id: str
    messages: int
    #: It is kept from the workers because the rest of what it was asked is on its way.
    held_back: bool = False


@dataclass(slots=True, kw_only=True)
class ChatSlot:
    """A chat while a batch is planned."""

    id: str
    key: bytes
    last_ord: int
    weight: float
    waiting: int = 0
    #: The `ord` of the turn that stands first, where any waits.
    head_ord: int | None = None
    #: The `ord` of the last one that waited before the batch.
    tail_ord: int | None = None
    #: The newest turn that was not refused, where it can be joined.
    newest: Joinable | None = None
    #: The newest turn of each person that can be joined, for the rest of what they wrote.
    theirs: dict[str, Joinable] = field(default_factory=dict)
    touched: bool = False
    #: The row of a chat that is yet to be stored.
    row: dict[str, Any] | None = None


def conversation_of(inbound: Inbound) -> Key:
    """Name the conversation a message belongs to."""
    return inbound.adapter, inbound.account, inbound.conversation.ref


def event_of(inbound: Inbound) -> Key:
    """Name the event a message arrived as."""
    return inbound.adapter, inbound.account, inbound.event_key
