"""The contract every platform's adapter keeps: it states facts, the core decides.

References (`conversation`, `message`, `sender`) are opaque strings of the adapter's own making: the core stores and
compares them, and never looks inside. Times are aware UTC.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from adapters.attachments import Attachment, AttachmentKind, Media
from adapters.capabilities import Capabilities, Idempotency, LiveOutput, TextUnit
from adapters.checking import Checks
from adapters.drafting import Drafting
from adapters.engine_watch import EngineNow, EngineWatch
from adapters.events import (
    Addressed,
    Conversation,
    ConversationKind,
    Edited,
    Inbound,
    Person,
    Quoted,
    StopRequested,
    Withdrawn,
)
from adapters.growing import LivePhase, LiveSnapshot, LiveSurface
from adapters.happenings import (
    ConversationMoved,
    Delivery,
    DeliveryFailure,
    DeliveryState,
    Membership,
    MembershipChanged,
)
from adapters.outgoing import Edit, Purpose, Send, Sent
from adapters.own_history import OwnHistory
from adapters.pressing import Action, Button, Pressed
from adapters.sink import Outcome, Receipt, Sink
from adapters.webhooks import RawRequest, RawResponse, Webhook

#: The whole contract is imported from here.
__all__ = [
    "Action",
    "Adapter",
    "AdapterState",
    "Addressed",
    "Attachment",
    "AttachmentKind",
    "Button",
    "Capabilities",
    "Checks",
    "Conversation",
    "ConversationKind",
    "ConversationMoved",
    "Delivery",
    "DeliveryFailure",
    "DeliveryState",
    "Drafting",
    "Edit",
    "Edited",
    "EngineNow",
    "EngineWatch",
    "Idempotency",
    "Inbound",
    "LiveOutput",
    "LivePhase",
    "LiveSnapshot",
    "LiveSurface",
    "Media",
    "Membership",
    "MembershipChanged",
    "Outcome",
    "Person",
    "Platform",
    "Pressed",
    "Purpose",
    "Quoted",
    "RawRequest",
    "RawResponse",
    "Receipt",
    "Send",
    "SendsFrom",
    "Sent",
    "Sink",
    "Source",
    "StopRequested",
    "TextUnit",
    "Typing",
    "Webhook",
    "Withdrawn",
]


class SendsFrom(StrEnum):
    """Which process may call the platform."""

    #: Any worker.
    ANY = "any"
    #: Only the process that runs the adapter and holds its connections.
    OWNER = "owner"


class AdapterState(StrEnum):
    """How an adapter fares, by what an operator must do."""

    #: It is opening its connections; wait.
    CONNECTING = "connecting"
    #: All is well.
    CONNECTED = "connected"
    #: The platform is out of reach; it comes back by itself.
    TRANSIENT_DISCONNECT = "transient_disconnect"
    #: Our credentials are refused: mend them.
    BAD_CREDENTIALS = "bad_credentials"
    #: The platform has shut us out: ask it why.
    BLOCKED = "blocked"


class Adapter(Protocol):
    """What every platform can do: post and edit.

    Each call has a timeout of its own inside the adapter and raises an `AdapterError`; no call retries by itself.
    """

    @property
    def name(self) -> str:
        """The adapter's name, equal to its folder's."""
        ...

    @property
    def sends_from(self) -> SendsFrom:
        """Which process may call `send` and `edit`."""
        ...

    @property
    def state(self) -> AdapterState:
        """How it fares in this process, at this moment."""
        ...

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what a conversation allows; pure, called often."""
        ...

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message of this conversation after rendering.

        Pure and total: nothing is lost, at least one text comes back, and each is Markdown of its own (a code fence
        that is cut is closed and opened again).
        """
        ...

    async def send(self, op: Send) -> Sent:
        """Post a message. May be repeated with the same `op_id` as the idempotency class allows.

        Raises `RetryAfter` or `Unreachable` when it did not happen, `Ambiguous` when that is unknown.
        """
        ...

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's content; repeating it is harmless, and so is editing to what already stands."""
        ...

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message of ours back, as far as the platform can; one that is gone already is fine."""
        ...

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Look up what an operation posted: class B, and class C where a look may help; others answer None.

        On class C None is no proof that it was not posted: the send policy decides then.
        """
        ...


class Source(Protocol):
    """An adapter that takes in events by a connection of its own: polling, a socket, a server."""

    async def run(self, sink: Sink) -> None:
        """Take in events until cancelled; on cancellation close what was opened."""
        ...


class Typing(Protocol):
    """An adapter with `sends_from: any` that can show that the assistant writes."""

    async def typing(self, account: str, conversation: str) -> None:
        """Show it for `typing_lasts_s`, or until a message of ours comes. Raises an `AdapterError`; never repeated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One configured adapter with the abilities it declares."""

    adapter: Adapter
    source: Source | None = None
    webhooks: tuple[Webhook, ...] = ()
    live: LiveSurface | None = None
    typing: Typing | None = None
    history: OwnHistory | None = None
    media: Media | None = None
    drafts: Drafting | None = None
    checks: Checks | None = None
    #: Entered before the platform is called and left when nobody calls it any more (an HTTP session, say).
    lifetime: AbstractAsyncContextManager[object] | None = None
