"""The web chat's platform: its server, its rooms, and what the assistant writes in them."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import datetime
from typing import Any

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    EngineWatch,
    Idempotency,
    LiveSnapshot,
    Outcome,
    Purpose,
    Receipt,
    Send,
    SendsFrom,
    Sent,
    Sink,
)
from adapters.content import Content
from adapters.errors import AdapterError, Ambiguous, Gone, Rejected, Unreachable
from adapters.markdown import parse
from adapters.markdown_growing import GrowingMarkdown
from adapters.markdown_source import to_markdown
from adapters.records import RecordStore, RecordsUnavailable
from adapters.split import split_markdown
from adapters.webchat.entries import Entry
from adapters.webchat.handover import Handover
from adapters.webchat.history import RoomHistory
from adapters.webchat.house import House, HouseRules
from adapters.webchat.hub import Hub
from adapters.webchat.live import Render
from adapters.webchat.refusals import Refused
from adapters.webchat.render import nodes
from adapters.webchat.rooms import RoomState
from adapters.webchat.serving import Serving
from adapters.webchat.settings import (
    MEMBERS_LIMIT,
    NAME,
    SAID_LIMIT,
    TEXT_LIMIT,
    TITLE_LIMIT,
    WebchatSettings,
    checked,
)

#: Opens a listening socket on a host and port; says in words why it cannot.
Listen = Callable[[str, int], socket.socket]
_STORE_TIMEOUT_S = 10.0


class WebchatAdapter:
    """An `Adapter`, a `Source` and a `LiveSurface`: one process serves the page and all of its rooms."""

    def __init__(
        self,
        settings: WebchatSettings,
        records: RecordStore,
        now: Callable[[], datetime],
        *,
        engine: EngineWatch,
        listen: Listen,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = checked(settings)
        self._records = records
        self._now = now
        self._engine = engine
        self._listen = listen
        self._monotonic = monotonic
        rules = HouseRules(
            is_open=settings.anyone_may_enter,
            text_limit=SAID_LIMIT,
            title_limit=TITLE_LIMIT,
            members_limit=MEMBERS_LIMIT,
        )
        self._house = House(records, now, settings.assistant_names, rules)
        self._hub = Hub(
            self._house, _blocks, _growing, write_timeout_s=settings.write_timeout_s, monotonic=monotonic
        )
        #: An `OwnHistory`.
        self.history = RoomHistory(self._house, self._hub.begin_anew)
        #: Set while people can come in.
        self.listening = asyncio.Event()
        #: The port it listens on, once it does.
        self.port = settings.port

    @property
    def name(self) -> str:
        """The adapter's name."""
        return NAME

    @property
    def sends_from(self) -> SendsFrom:
        """Only the process with the page's connections: it alone can tell the people."""
        return SendsFrom.OWNER

    @property
    def state(self) -> AdapterState:
        """Connected while people can come in."""
        return AdapterState.CONNECTED if self.listening.is_set() else AdapterState.CONNECTING

    @property
    def address(self) -> str:
        """What people type to come in."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"{self._settings.public_url.rstrip('/') or f'http://{host}:{self.port}'}/"

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what a room allows. Growing text comes by `show`, so no message is edited for it."""
        return Capabilities(text_limit=TEXT_LIMIT, live_min_interval_s=0.05, idempotency=Idempotency.KEYED)

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message; hardly any reply is that long."""
        return split_markdown(markdown, to_markdown, len, TEXT_LIMIT)

    async def run(self, sink: Sink) -> None:
        """Serve the page until cancelled. Raises what `listen` does where the port cannot be had."""
        serving = Serving(
            settings=self._settings,
            house=self._house,
            hub=self._hub,
            handover=self._handover(sink),
            engine=self._engine,
            now=self._now,
            monotonic=self._monotonic,
        )
        with closing(self._listen(self._settings.host, self._settings.port)) as listener:
            self.port = int(listener.getsockname()[1])
            try:
                await serving.run(listener, self.listening)
            finally:
                self.listening.clear()

    def _handover(self, sink: Sink) -> Handover:
        return Handover(
            sink,
            self._records,
            self._house,
            self._decided,
            timeout_s=self._settings.accept_timeout_s,
            monotonic=self._monotonic,
        )

    async def send(self, op: Send) -> Sent:
        """Store a message and tell the room; once, however often it is repeated with one `op_id`."""
        markdown = _written(op.content)
        answers = () if op.purpose is Purpose.PLACEHOLDER else self._answers(op.conversation, op.reply_to)
        async with _translated(Gone):
            entry = await self._house.post(op, markdown, answers)
        self._tell(op.conversation, entry, op.purpose, answers)
        return Sent(message=entry.ref)

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's text for everybody; nothing happens where it stands already."""
        markdown = _written(op.content)
        async with _translated(Rejected):
            standing = await self._house.standing(op.conversation, op.message)
            is_answer = standing is not None and op.purpose is not Purpose.PLACEHOLDER
            answers = self._answers(op.conversation, standing.reply_to) if standing and is_answer else ()
            entry = await self._house.revise(op, markdown, answers)
        self._tell(op.conversation, entry, op.purpose, answers)
        return Sent(message=op.message)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message back for everybody; nothing happens where that was done."""
        async with _translated(Rejected):
            entry = await self._house.take_back(conversation, message)
        if entry is not None:
            self._hub.publish(conversation, entry)

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Answer None: sending again with the same id is safe here."""
        return None

    async def show(self, snapshot: LiveSnapshot) -> None:
        """Show a reply as far as it has come to whoever is in the room."""
        if room := self._hub.rooms.get(snapshot.conversation):
            room.live.show(snapshot)
            self._hub.wake(snapshot.conversation)

    def _answers(self, conversation: str, reply_to: str | None) -> tuple[str, ...]:
        if room := self._hub.rooms.get(conversation):
            return room.live.answering.answers(reply_to)
        return () if reply_to is None else (reply_to,)

    def _tell(self, conversation: str, entry: Entry | None, purpose: Purpose, answers: Sequence[str]) -> None:
        if room := self._hub.rooms.get(conversation):
            room.live.settle(answers, for_good=purpose is Purpose.REPLY)
            if entry is not None:
                self._hub.publish(conversation, entry)
            self._hub.wake(conversation)

    def _decided(self, state: RoomState, entry: Entry, receipt: Receipt) -> None:
        """Show that somebody's message waits for its answer, or that it no longer does."""
        room = self._hub.rooms.get(state.id)
        if room is None or receipt.turn_id is None:
            return
        if receipt.cancelled:
            room.live.withdrawn(entry.ref)
            self._hub.wake(state.id)
        if receipt.cancelled or entry.withdrawn:
            return
        room.live.answering.took(receipt.turn_id, entry.ref)
        if receipt.outcome is Outcome.ACCEPTED:
            room.live.waits(receipt.turn_id, entry.ref, receipt.ahead)
            self._hub.wake(state.id)


def _blocks(markdown: str) -> list[Any]:
    return nodes(parse(markdown))


def _growing() -> Render:
    reader = GrowingMarkdown()
    return lambda text: nodes(reader.read(text))


def _written(content: Content) -> str:
    markdown = to_markdown(content)
    if len(markdown) > TEXT_LIMIT:
        raise Rejected(
            f"the message has {len(markdown)} characters, more than the {TEXT_LIMIT} the page takes"
        )
    return markdown


@asynccontextmanager
async def _translated(refused: type[AdapterError]) -> AsyncIterator[None]:
    """Raise what goes wrong in the house as the core knows it; what a refusal means depends on what was asked."""
    try:
        async with asyncio.timeout(_STORE_TIMEOUT_S):
            yield
    except RecordsUnavailable as exc:
        raise Unreachable("the web chat's store is not available") from exc
    except TimeoutError as exc:
        raise Ambiguous("the web chat's store did not answer in time") from exc
    except Refused as exc:
        raise refused(exc.text) from exc
