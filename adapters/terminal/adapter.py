"""The terminal platform: a server on a unix socket, its rooms, and their history in a store of its own."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    Idempotency,
    LiveSnapshot,
    Purpose,
    Send,
    SendsFrom,
    Sent,
    Sink,
)
from adapters.content import Content
from adapters.deciding import Decisions
from adapters.errors import Ambiguous, Rejected, Unreachable
from adapters.records import RecordStore, RecordsUnavailable
from adapters.split import split_markdown
from adapters.terminal.connection import Connection
from adapters.terminal.door import open_door
from adapters.terminal.history import History
from adapters.terminal.render import render
from adapters.terminal.rooms import Rooms
from adapters.terminal.settings import NAME, TEXT_LIMIT, TerminalSettings

logger = logging.getLogger(__name__)

_STORE_TIMEOUT_S = 10.0


class TerminalAdapter:
    """An `Adapter`, a `Source` and a `LiveSurface`: one process holds the socket and all of its rooms."""

    def __init__(self, settings: TerminalSettings, records: RecordStore, now: Callable[[], datetime]) -> None:
        self._settings = settings
        #: An `OwnHistory`; what a terminal has printed stays on its screen.
        self.history = History(records, settings.assistant_names[0], now)
        self._rooms = Rooms()
        #: Set while people can connect.
        self.listening = asyncio.Event()

    @property
    def name(self) -> str:
        """The adapter's name."""
        return NAME

    @property
    def sends_from(self) -> SendsFrom:
        """Only the process with the socket: it alone can tell the people connected."""
        return SendsFrom.OWNER

    @property
    def state(self) -> AdapterState:
        """Connected while people can come in."""
        return AdapterState.CONNECTED if self.listening.is_set() else AdapterState.CONNECTING

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what a room allows. Growing text comes by `show`, so no message is edited for it."""
        return Capabilities(text_limit=TEXT_LIMIT, live_min_interval_s=0.05, idempotency=Idempotency.KEYED)

    async def run(self, sink: Sink) -> None:
        """Serve the socket until cancelled. Raises `SocketRefused` where it cannot be opened."""
        decisions = Decisions(sink, self._settings.accept_timeout_s, NAME)
        connections = asyncio.TaskGroup()
        is_leaving = False

        def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if is_leaving:
                writer.transport.abort()
            else:
                connections.create_task(self._serve(reader, writer, decisions))

        async with open_door(self._settings.socket_path, welcome), connections:
            logger.info("the terminal adapter listens")
            self.listening.set()
            try:
                await asyncio.Event().wait()
            finally:
                is_leaving = True
                self.listening.clear()

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message; hardly any reply is that long here."""
        return split_markdown(markdown, render, len, TEXT_LIMIT)

    async def send(self, op: Send) -> Sent:
        """Store a message and tell the room; once, however often it is repeated with one `op_id`."""
        text = _rendered(op.content)
        room = self._rooms.known(op.conversation)
        answers = () if op.purpose is Purpose.PLACEHOLDER else self._answers(op.conversation, op.reply_to)
        try:
            async with asyncio.timeout(_STORE_TIMEOUT_S):
                record = await self.history.send(op, text, answers)
        except RecordsUnavailable as exc:
            raise Unreachable("the terminal's store is not available") from exc
        except TimeoutError as exc:
            raise Ambiguous("the terminal's store did not answer in time") from exc
        if room:
            room.settled(answers, replied=op.purpose is Purpose.REPLY)
            room.wake()
            self._rooms.drop_if_idle(op.conversation)
        return Sent(message=record.key)

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's text for everybody; nothing happens where it stands already."""
        text = _rendered(op.content)
        try:
            async with asyncio.timeout(_STORE_TIMEOUT_S):
                standing = await self.history.standing(op.conversation, op.message)
                answers = self._answers(op.conversation, standing[0].reply_to if standing else None)
                await self.history.edit(op, text, () if op.purpose is Purpose.PLACEHOLDER else answers)
        except RecordsUnavailable as exc:
            raise Unreachable("the terminal's store is not available") from exc
        except TimeoutError as exc:
            raise Ambiguous("the terminal's store did not answer in time") from exc
        if room := self._rooms.known(op.conversation):
            room.settled(answers, replied=op.purpose is Purpose.REPLY)
            room.wake()
        return Sent(message=op.message)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message back for everybody; nothing happens where that was done."""
        try:
            async with asyncio.timeout(_STORE_TIMEOUT_S):
                withdrawn = await self.history.withdraw(conversation, message)
        except RecordsUnavailable as exc:
            raise Unreachable("the terminal's store is not available") from exc
        except TimeoutError as exc:
            raise Ambiguous("the terminal's store did not answer in time") from exc
        if withdrawn and (room := self._rooms.known(conversation)):
            room.wake()

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Answer None: sending again with the same id is safe here."""
        return None

    async def show(self, snapshot: LiveSnapshot) -> None:
        """Show a reply as far as it has come to whoever is in the room."""
        self._rooms.at(snapshot.conversation).show(snapshot)
        self._rooms.drop_if_idle(snapshot.conversation)

    def _answers(self, conversation: str, reply_to: str | None) -> tuple[str, ...]:
        room = self._rooms.known(conversation)
        if room:
            return room.answering.answers(reply_to)
        return () if reply_to is None else (reply_to,)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decisions: Decisions
    ) -> None:
        connection = Connection(
            reader,
            writer,
            settings=self._settings,
            history=self.history,
            rooms=self._rooms,
            decisions=decisions,
        )
        try:
            await connection.serve()
        except Exception:
            logger.exception("a terminal's connection failed")


def _rendered(content: Content) -> str:
    text = render(content)
    if len(text) > TEXT_LIMIT:
        raise Rejected(f"the message has {len(text)} characters, more than the {TEXT_LIMIT} a terminal takes")
    return text
