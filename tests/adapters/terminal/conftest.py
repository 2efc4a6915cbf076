"""A terminal server over a real socket, with a recording core behind it, and people who talk to it."""

import asyncio
import contextlib
from datetime import UTC, datetime

import pytest

from adapters.base import LivePhase, LiveSnapshot, Outcome, Purpose, Receipt, Send
from adapters.markdown import parse
from adapters.records_memory import MemoryRecordStore
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.frames import Ack, Join, Live, Message, Say, Welcome
from adapters.terminal.lines import close, read_frame, write_frame
from adapters.terminal.settings import TerminalSettings


class RecordingSink:
    """The core's place: records what is handed over, and decides what the test says."""

    def __init__(self):
        self.events = []
        self.stops = []
        self.outcome = Outcome.ACCEPTED
        self.turn_id = None
        self.failures = 0
        self.arrived = asyncio.Event()
        self._keys = set()

    async def accept(self, event):
        if self.failures:
            self.failures -= 1
            raise OSError("the database is locked")
        self.events.append(event)
        self.arrived.set()
        turn = self.turn_id or f"turn-{len(self.events)}"
        if event.event_key in self._keys:
            return Receipt(outcome=Outcome.DUPLICATE, turn_id=turn)
        self._keys.add(event.event_key)
        return Receipt(outcome=self.outcome, turn_id=None if self.outcome is Outcome.IGNORED else turn)

    async def stop(self, event):
        self.stops.append(event)
        self.arrived.set()
        return Receipt(outcome=Outcome.DONE)


class Person:
    """A client that speaks frames."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def write(self, frame):
        await write_frame(self.writer, frame, 5)

    async def read(self, kind=None):
        """Read the next frame, or the next of a kind."""
        async with asyncio.timeout(5):
            while True:
                frame = await read_frame(self.reader)
                if kind is None or frame is None or isinstance(frame, kind):
                    return frame

    async def say(self, text, *, id="1", reply_to=None):  # noqa: A002 - the frame's own word
        await self.write(Say(id=id, text=text, reply_to=reply_to))
        return await self.read(Ack)

    async def message(self):
        return await self.read(Message)

    async def live(self):
        return await self.read(Live)

    async def leave(self):
        await close(self.writer)


class Terminal:
    """The server, its store and its core, and ways to join it."""

    def __init__(self, path, *, records=None, **settings):
        self.path = path
        self.settings = TerminalSettings(socket_path=path, **settings)
        self.records = records or MemoryRecordStore()
        self.sink = RecordingSink()
        self.people = []
        self.start()

    def start(self):
        self.adapter = TerminalAdapter(self.settings, self.records, lambda: datetime.now(UTC))

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.adapter.run(self.sink))
        try:
            async with asyncio.timeout(10):
                await self.adapter.listening.wait()
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            for person in self.people:
                await close(person.writer)
            self.people.clear()

    async def connect(self, limit=4 * 1024 * 1024):
        person = Person(*await asyncio.open_unix_connection(self.path, limit=limit))
        self.people.append(person)
        return person

    async def join(self, name, chat=None, after=None, **connection):
        person = await self.connect(**connection)
        await person.write(Join(person=name, chat=chat, after=after))
        person.welcome = await person.read()
        assert isinstance(person.welcome, Welcome), person.welcome
        return person

    async def reply(self, room, text, *, to=None, op_id="op-1", purpose=Purpose.REPLY):
        return await self.adapter.send(
            Send(
                op_id=op_id,
                account="local",
                conversation=room,
                content=parse(text),
                purpose=purpose,
                reply_to=to,
            )
        )

    async def show(self, room, text, *, to, number=1, phase=LivePhase.STREAMING, turn="turn-1"):
        await self.adapter.show(
            LiveSnapshot(
                turn_id=turn,
                account="local",
                conversation=room,
                reply_to=to,
                phase=phase,
                text=text,
                number=number,
            )
        )


@pytest.fixture
def socket_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s", numbered=True)
    folder.chmod(0o700)
    return folder / "t.sock"


@pytest.fixture
async def terminal(socket_path):
    async with Terminal(socket_path).running() as terminal:
        yield terminal


@pytest.fixture
def make_terminal():
    return Terminal
