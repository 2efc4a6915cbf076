"""What goes out to a platform: a message to post, new content for one that stands, and what came of it.

References are opaque strings of the adapter's own making, as `adapters.base` says.
"""

from dataclasses import dataclass
from enum import StrEnum

from adapters.content import Content
from adapters.pressing import Button


class Purpose(StrEnum):
    """Why a message is sent."""

    REPLY = "reply"
    NOTICE = "notice"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One message to post."""

    #: Stays the same however often this message is tried.
    op_id: str
    account: str
    conversation: str
    content: Content
    purpose: Purpose
    #: The message to quote, if any.
    reply_to: str | None = None
    #: Set when an earlier try of this very send may have arrived on a class C platform.
    may_be_duplicate: bool = False
    #: What people may press under it, as far as the conversation allows buttons.
    buttons: tuple[Button, ...] = ()
    #: Addresses that may be live links: they stood in this chat, or are the operator's. All others are only text.
    links: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """New content for a message that was sent before."""

    op_id: str
    account: str
    conversation: str
    message: str
    content: Content
    purpose: Purpose
    #: Set when the message itself was sent as a possible duplicate: it goes on saying so.
    may_be_duplicate: bool = False
    #: Set while the reply still grows: the next edit replaces this one, so it may be left out.
    live: bool = False
    #: As in `Send`; what stood before and is not here goes away.
    buttons: tuple[Button, ...] = ()
    links: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The platform took it; `message` is the reference to edit or quote later."""

    message: str
