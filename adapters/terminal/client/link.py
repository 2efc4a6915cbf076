"""The client's connection: comes back by itself when the server restarts, and misses nothing."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import MalformedEvent
from adapters.terminal.frames import Ack, Frame, Join, Message, Refusal, Say, Stop, Welcome
from adapters.terminal.lines import close, read_frame, write_frame

#: Frames from the server may be a little longer than those to it: a message with its names.
_READ_LIMIT = 4 * 1024 * 1024
_WRITE_TIMEOUT_S = 30.0
_WELCOME_TIMEOUT_S = 10.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0
#: How often a message that the server could not take is offered again by itself.
_RETRIES = 6


class NotRunning(Exception):
    """Nobody listens at the socket."""


class TurnedAway(Exception):
    """The server refused to let this person in; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The connection is gone; the link tries to come back."""


class Link:
    """One person in one room, over as many connections as it takes."""

    def __init__(self, socket_path: Path, *, person: str, chat: str | None) -> None:
        self._path = socket_path
        self._person = person
        self._chat = chat
        self._cursor: int | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._unacked: dict[str, Say] = {}
        self._refused: dict[str, int] = {}

    async def frames(self) -> AsyncGenerator[Frame | Lost, None]:
        """Yield what comes; `Lost` once for every lost connection. The first connection must succeed.

        Raises `NotRunning` where nobody listens at first, `TurnedAway` where the server does not let the person in.
        """
        async with aclosing(self._connection()) as first:
            async for frame in first:
                yield frame
        waits = 0
        yield Lost()
        while True:
            await asyncio.sleep(backoff_s(waits))
            waits += 1
            try:
                async with aclosing(self._connection()) as again:
                    async for frame in again:
                        waits = 0
                        yield frame
            except NotRunning:
                continue
            yield Lost()

    async def say(self, say: Say) -> None:
        """Send a message now or as soon as the connection is back; it arrives once."""
        self._unacked[say.id] = say
        await self._write(say)

    async def stop(self) -> None:
        """Ask to stop the reply; without a connection there is nothing to ask."""
        await self._write(Stop())

    async def offer_again(self, say_id: str) -> bool:
        """Send a message once more that the server could not take; False when that was tried often enough."""
        tries = self._refused.get(say_id, 0)
        if say_id not in self._unacked or tries >= _RETRIES:
            self._unacked.pop(say_id, None)
            return False
        self._refused[say_id] = tries + 1
        await asyncio.sleep(backoff_s(tries))
        await self._write(self._unacked[say_id])
        return True

    async def _connection(self) -> AsyncGenerator[Frame, None]:
        """Join, and yield frames until the connection ends."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._path, limit=_READ_LIMIT)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as exc:
            raise NotRunning from exc
        try:
            await write_frame(
                writer, Join(person=self._person, chat=self._chat, after=self._cursor), _WRITE_TIMEOUT_S
            )
            async with asyncio.timeout(_WELCOME_TIMEOUT_S):
                welcome = await _welcome(reader)
            self._writer = writer
            for say in list(self._unacked.values()):
                await self._write(say)
            yield welcome
            while frame := await read_frame(reader):
                self._note(frame)
                yield frame
        except (ConnectionError, TimeoutError, MalformedEvent):
            return
        finally:
            self._writer = None
            await close(writer)

    def _note(self, frame: Frame) -> None:
        match frame:
            case Message():
                self._cursor = frame.position
            case Ack():
                self._unacked.pop(frame.id, None)
            case Refusal(retry=False):
                self._unacked.pop(frame.id, None)

    async def _write(self, frame: Frame) -> None:
        """Write if connected; what matters is written again after the next joining."""
        if self._writer is None:
            return
        try:
            await write_frame(self._writer, frame, _WRITE_TIMEOUT_S)
        except (ConnectionError, TimeoutError):
            self._writer.close()


async def _welcome(reader: asyncio.StreamReader) -> Welcome:
    frame = await read_frame(reader)
    match frame:
        case Welcome():
            return frame
        case Refusal():
            raise TurnedAway(frame.why)
        case _:
            raise ConnectionResetError("the server left before it let anybody in")


def backoff_s(tries: int) -> float:
    """Return how long to wait before the next try, with jitter so that many clients do not come back at once."""
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(tries, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreading, not secrecy
