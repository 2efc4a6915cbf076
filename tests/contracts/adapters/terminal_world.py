"""The terminal over its real socket, as the adapter contract runs it."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import Inbound, Purpose, Send
from adapters.content import plain
from adapters.records_memory import MemoryRecordStore
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.frames import Ack, Join, Message, Refusal, Say, Stop, Welcome
from adapters.terminal.lines import close, read_frame, write_frame
from adapters.terminal.settings import TerminalSettings
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.harness import Deliver
from tests.contracts.adapters.sink import HeardSink

_OURS = "the socket and the store are ours, on this host"
GROUP = "Team"


class TerminalHarness:
    """A server on a socket of its own; Anna is in her own room and in a group."""

    account = "local"
    conversation = "direct:anna"
    handle = "@assistant"
    secrets = ()
    lacks = {  # noqa: RUF012 - nobody writes to it
        Ability.UNSURE: "its store keeps one message for an operation, so that none is ever in doubt",
        Ability.LIFETIME: "the running source is its lifetime",
        Ability.WEBHOOK: "people come in by a socket that only their own account can open",
        Ability.BODY_SIGNED: "no webhook, no signature",
        Ability.FORMS: "frames are JSON",
        Ability.HORIZON: "what is said is told at once or refused",
        Ability.OTHER_BOTS: "whoever connects is a person of this host",
        Ability.ECHOES: "it hands over what people say and nothing else",
        Ability.CAPTIONS: "a line of text carries no picture",
        Ability.TOGETHER: "a line of text carries no picture",
        Ability.EDITS: "what was printed stays",
        Ability.WITHDRAWALS: "what was printed stays",
        Ability.PRESSES: "a terminal has no buttons",
        Ability.MOVES: "a room keeps its name",
        Ability.MEMBERSHIPS: "whoever connects is there, and told to nobody",
        Ability.REPORTS: "what is stored has arrived",
        Ability.RATE_LIMITS: _OURS,
        Ability.LOST_ANSWERS: _OURS,
        Ability.WINDOWS: "it takes messages at any time",
        Ability.MEDIA: "a line of text carries no file",
    }

    def __init__(self) -> None:
        self.records = MemoryRecordStore()
        self.sink = HeardSink()
        self._numbers = itertools.count(1)

    @contextlib.asynccontextmanager
    async def running(self, folder: Path, *, call_s: float = 5.0) -> AsyncIterator["TerminalHarness"]:
        """Open the socket."""
        self.path = folder / "t.sock"
        settings = TerminalSettings(socket_path=self.path)
        self.adapter = self.source = TerminalAdapter(settings, self.records, lambda: datetime.now(UTC))
        await self.run_again()
        try:
            yield self
        finally:
            await self.cancel()

    async def run_again(self) -> None:
        """Serve the socket."""
        self.task = asyncio.create_task(self.adapter.run(self.sink))
        async with asyncio.timeout(10):
            await self.adapter.listening.wait()

    async def cancel(self) -> None:
        """Stop serving."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    def is_clean(self) -> bool:
        """Whether a cancelled run left nothing open."""
        return not self.path.exists()

    async def deliver(self, key: str) -> bool:
        """Deliver one message under a client's id."""
        async with self._joined() as (_, ask):
            return isinstance(await ask(Say(id=key, text="hi")), Ack)

    async def hear(self, text: str, *, pictured: bool = False) -> Inbound:
        """Let Anna write in the group."""
        async with self._joined(chat=GROUP) as (_, ask):
            await ask(Say(id=f"h{next(self._numbers)}", text=text))
        return self.sink.events[-1]

    async def hear_reply(self, quoted: str, *, of_ours: bool) -> Inbound:
        """Let Anna reply to Ben, or to us, in the group."""
        async with self._joined("Ben", chat=GROUP) as (_, ask):
            said = await ask(Say(id=f"q{next(self._numbers)}", text=quoted))
        ref, room = said.ref, self.sink.events[-1].conversation.ref
        if of_ours:
            content = plain(quoted)
            operation = Send(
                op_id="r", account=self.account, conversation=room, content=content, purpose=Purpose.REPLY
            )
            ref = (await self.adapter.send(operation)).message
        async with self._joined(chat=GROUP) as (_, ask):
            await ask(Say(id=f"h{next(self._numbers)}", text="and?", reply_to=ref))
        return self.sink.events[-1]

    async def happening(self, what: Ability) -> Deliver:
        """Let Anna ask to stop."""
        assert what is Ability.STOPS, what

        async def stop() -> bool:
            async with self._joined() as (_, ask):
                return isinstance(await ask(Stop()), Ack)

        return stop

    async def visible(self) -> list[str]:
        """Read the room as somebody who joins now."""
        async with self._joined() as (reader, _):
            texts: dict[str, str | None] = {}
            for _record in await self.records.latest(self.conversation, 100):
                message = await _next(reader, Message)
                texts[message.replaces or message.ref] = None if message.withdrawn else message.text
            return [text for text in texts.values() if text is not None]

    @contextlib.asynccontextmanager
    async def _joined(self, person: str = "Anna", chat: str | None = None) -> AsyncIterator[tuple[Any, Any]]:
        reader, writer = await asyncio.open_unix_connection(self.path, limit=4 * 1024 * 1024)

        async def ask(frame: Say | Stop) -> Any:
            await write_frame(writer, frame, 5)
            return await _next(reader, Ack | Refusal)

        try:
            await write_frame(writer, Join(person=person, chat=chat), 5)
            await _next(reader, Welcome)
            yield reader, ask
        finally:
            await close(writer)


async def _next(reader: asyncio.StreamReader, kind: Any) -> Any:
    async with asyncio.timeout(5):
        while not isinstance(frame := await read_frame(reader), kind):
            assert frame is not None
        return frame
