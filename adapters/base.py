"""The contract every platform's adapter keeps: it states facts, the core decides.

References (`conversation`, `message`, `sender`) are opaque strings of the adapter's own making: the core stores and
compares them, and never looks inside. Times are aware UTC.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from adapters.content import Content
from adapters.events import (
    Addressed,
    Conversation,
    ConversationKind,
    Edited,
    Inbound,
    Outcome,
    Person,
    Quoted,
    Receipt,
    Sink,
    StopRequested,
    Withdrawn,
)

#: The whole contract is imported from here.
__all__ = [
    "Adapter",
    "AdapterState",
    "Addressed",
    "Capabilities",
    "Conversation",
    "ConversationKind",
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
    "Outcome",
    "Person",
    "Platform",
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
    "Webhook",
    "Withdrawn",
]


class Idempotency(StrEnum):
    """What a platform offers against duplicates, by what to do after an ambiguous send."""

    #: Class A: it honours our operation id; send again with the same id.
    KEYED = "keyed"
    #: Class B: the message can be looked up; look, then send again.
    READ_BACK = "read_back"
    #: Class C: neither; the send policy decides.
    NONE = "none"


class LiveOutput(StrEnum):
    """How a reply can be shown while it grows."""

    #: Not at all: one message when it is complete.
    NONE = "none"
    #: A message is sent and then edited.
    EDIT = "edit"


class TextUnit(StrEnum):
    """What a platform counts when it limits a message's length."""

    CODE_POINTS = "code_points"
    UTF16 = "utf16"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one conversation allows, in numbers."""

    text_limit: int
    text_unit: TextUnit = TextUnit.CODE_POINTS
    live: LiveOutput = LiveOutput.NONE
    #: Seconds to leave between two edits of one message.
    live_min_interval_s: float = 1.0
    idempotency: Idempotency = Idempotency.NONE
    #: Where people's clients cut what they write into several messages, in `text_unit`; None where they never do.
    client_splits_at: int | None = None
    #: Seconds for which the sign that somebody writes stands by itself; 0 where there is none.
    typing_lasts_s: float = 0.0


class SendsFrom(StrEnum):
    """Which process may call the platform."""

    #: Any worker.
    ANY = "any"
    #: Only the process that runs the adapter and holds its connections.
    OWNER = "owner"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The platform took it; `message` is the reference to edit or quote later."""

    message: str


class LivePhase(StrEnum):
    """How far a reply has come, by what to show."""

    #: The engine is not ready yet: say so, with `text` as the reason.
    WARMING = "warming"
    #: Taken; no text yet.
    THINKING = "thinking"
    #: `text` is the reply so far.
    STREAMING = "streaming"
    #: Nothing more will come live: the stored reply or notice follows.
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot:
    """The whole reply so far, to show in place of the snapshot before; loss is allowed."""

    turn_id: str
    account: str
    conversation: str
    #: The message that is being answered.
    reply_to: str
    phase: LivePhase
    text: str = ""
    #: Grows with every snapshot of one take; a smaller one is stale.
    number: int = 0


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
        """Look up what an operation posted: class B only; other classes answer None."""
        ...


class Source(Protocol):
    """An adapter that takes in events by a connection of its own: polling, a socket, a server."""

    async def run(self, sink: Sink) -> None:
        """Take in events until cancelled; on cancellation close what was opened."""
        ...


class LiveSurface(Protocol):
    """An adapter with `sends_from: owner` that can show a reply while it grows."""

    async def show(self, snapshot: LiveSnapshot) -> None:
        """Show a snapshot to whoever is connected; never blocks on a slow person, never raises."""
        ...


class Typing(Protocol):
    """An adapter with `sends_from: any` that can show that the assistant writes."""

    async def typing(self, account: str, conversation: str) -> None:
        """Show it for `typing_lasts_s`, or until a message of ours comes. Raises an `AdapterError`; never repeated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNow:
    """How the engine fares, in words for people."""

    ready: bool
    #: A clause that says what it is doing while it is not ready.
    text: str = ""
    #: How much of a usual start has passed, from 0 to 1; None where nobody knows.
    share: float | None = None


class EngineWatch(Protocol):
    """What a platform that has a face of its own may ask about the engine."""

    async def now(self) -> EngineNow:
        """Tell how the engine fares; never raises, and answers within two seconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """A webhook request, before anything is believed."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResponse:
    """What to answer a webhook."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A route on the gateway that an adapter answers; it verifies the signature on the raw bytes first."""

    path: str
    ingest: Callable[[RawRequest, Sink], Awaitable[RawResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One configured adapter with the abilities it declares."""

    adapter: Adapter
    source: Source | None = None
    webhooks: tuple[Webhook, ...] = ()
    live: LiveSurface | None = None
    typing: Typing | None = None
    #: Entered before the platform is called and left when nobody calls it any more (an HTTP session, say).
    lifetime: AbstractAsyncContextManager[object] | None = None
