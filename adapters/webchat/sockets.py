"""The open WebSockets: ending one with a reason, and all of them when the server stops."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

#: Dead peers are noticed by a ping that is not answered.
HEARTBEAT_S = 25.0
#: How long a page may take to say goodbye.
_GOODBYE_S = 2.0
_MOST_REASON_BYTES = 120


class Sockets:
    """Keeps the open ones, and the tasks that close some of them."""

    def __init__(self, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.heartbeat_s = heartbeat_s
        self._open: dict[web.WebSocketResponse, asyncio.WriteTransport] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @contextmanager
    def kept(
        self, socket: web.WebSocketResponse, transport: asyncio.WriteTransport
    ) -> Iterator[Callable[[int, str], None]]:
        """Count a socket among the open ones; yields what closes it."""

        def close(code: int, why: str) -> None:
            task = asyncio.ensure_future(_close(socket, transport, code, why))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

        self._open[socket] = transport
        try:
            yield close
        finally:
            del self._open[socket]

    async def close_all(self, code: int, why: str) -> None:
        """Close every socket and wait a bounded while for all of them."""
        closing = [
            asyncio.ensure_future(_close(socket, transport, code, why))
            for socket, transport in self._open.items()
        ]
        if waiting := {*closing, *self._closing}:
            await asyncio.wait(waiting, timeout=2 * _GOODBYE_S)


async def _close(
    socket: web.WebSocketResponse, transport: asyncio.WriteTransport, code: int, why: str
) -> None:
    """Close a socket; one that does not read is cut off."""
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await socket.close(code=code, message=why.encode()[:_MOST_REASON_BYTES])
    except (TimeoutError, ConnectionError, RuntimeError):
        transport.abort()
