"""A TCP proxy with a bad network inside: it cuts, stalls, delays and refuses, when it is told to."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 16
#: What a connection to a server on this machine may take.
_CONNECT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """Where the proxied server listens: a port of loopback, or a unix socket."""

    port: int = 0
    uds: Path | None = None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to it. Raises `OSError`."""
        if self.uds is not None:
            return await asyncio.open_unix_connection(self.uds)
        return await asyncio.open_connection("127.0.0.1", self.port)


@dataclass(slots=True)
class Weather:
    """What the network does to every connection of one proxy, at this moment."""

    #: Seconds added to every piece of data.
    delay_s: float = 0.0
    #: New connections are closed at once.
    refuses: bool = False
    #: Set while data flow; cleared, connections stay open and nothing arrives.
    flows: asyncio.Event = field(default_factory=asyncio.Event)


class Proxy:
    """Passes bytes between clients and one upstream; `upstream` may be changed while it runs."""

    def __init__(self, name: str, upstream: Upstream) -> None:
        self.name = name
        self.upstream = upstream
        self.port = 0
        self._weather = Weather()
        self._weather.flows.set()
        self._lines: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Proxy"]:
        """Listen on a free port of loopback until left."""
        server = await asyncio.start_server(self._joined, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for line in self._lines:
                line.cancel()
            await asyncio.gather(*self._lines, return_exceptions=True)

    @property
    def open_connections(self) -> int:
        """Count the clients connected now."""
        return len(self._lines)

    def cut(self) -> int:
        """Reset every connection, as a rebooting switch does; return how many."""
        writers, self._writers = self._writers, set()
        for writer in writers:
            _reset(writer)
        return len(writers)

    def refuse(self) -> None:
        """Reset every connection and take no new one until `heal`."""
        self._weather.refuses = True
        self.cut()

    def stall(self) -> None:
        """Let nothing through until `heal`: connections stay open, as behind a lost route."""
        self._weather.flows.clear()

    def delay(self, seconds: float) -> None:
        """Hold back every piece of data for so long, until `heal`."""
        self._weather.delay_s = seconds

    def heal(self) -> None:
        """Make the network good again."""
        self._weather.refuses = False
        self._weather.delay_s = 0.0
        self._weather.flows.set()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            if self._weather.refuses:
                _reset(writer)
            else:
                await self._carry(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy ends; asyncio's server would log the cancellation of a connection as an error
        finally:
            self._lines.discard(line)
            _reset(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_CONNECT_S):
                await self._weather.flows.wait()
                there, back = await self.upstream.connect()
        except (OSError, TimeoutError):
            return
        both = {writer, back}
        self._writers |= both
        try:
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except OSError:
            pass  # one side is gone: both are closed
        finally:
            self._writers -= both
            _reset(back)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK_BYTES):
            if self._weather.delay_s:
                await asyncio.sleep(self._weather.delay_s)
            await self._weather.flows.wait()
            target.write(data)
            await target.drain()
        await self._weather.flows.wait()
        # One side has said everything: HTTP and SQL answer such a client by closing as well.
        target.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close without waiting for what was written: the other side sees a reset."""
    transport = writer.transport
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    transport.abort()
