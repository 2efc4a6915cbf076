"""Pages of the web chat as a bench needs them: many WebSockets in one process, each of which only notes arrivals.

They speak just enough of RFC 6455 to say hello, to say something, and to find in what comes the instants that were
written into the messages: nothing is decoded that is not needed, so that the clients are not the bottleneck.
"""

import asyncio
import base64
import json
import os
import re
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.webchat_world import Seat

_SAID = re.compile(rb'"text":"sent at (\d+) ')
_PATIENCE_S = 30.0
_HELLO = b'"re":1,'


@dataclass(slots=True)
class Arrivals:
    """How long every message took to every page, in milliseconds."""

    delays_ms: list[float] = field(default_factory=list)


class Page(asyncio.Protocol):
    """One open stream."""

    def __init__(self, seat: Seat, arrivals: Arrivals) -> None:
        """Keep whose it is, and where arrivals are noted."""
        self.seat = seat
        self._arrivals = arrivals
        self._transport: asyncio.Transport | None = None
        self._number = 1
        self._tail = b""
        #: Set once the server has answered the hello.
        self.is_in = asyncio.Event()

    async def open(self, port: int) -> None:
        """Connect and say hello."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", port)
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            (
                f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\nCookie: aside_guest={self.seat.cookie}\r\n\r\n"
            ).encode()
        )
        self._send({"id": 1, "do": "hello", "v": 1})
        async with asyncio.timeout(_PATIENCE_S):
            await self.is_in.wait()

    def say(self, room: str, *, counts: bool) -> None:
        """Say when it is, in words that are looked for where it counts."""
        self._number += 1
        word = "sent" if counts else "said"
        self._send(
            {
                "id": self._number,
                "do": "say",
                "room": room,
                "client_id": f"c{self._number}",
                "text": f"{word} at {time.perf_counter_ns()} and a few words more, as people write them",
            }
        )

    def close(self) -> None:
        """Go."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Note what arrived."""
        now_ns = time.perf_counter_ns()
        data = self._tail + data
        end = 0
        for found in _SAID.finditer(data):
            end = found.end()
            self._arrivals.delays_ms.append((now_ns - int(found[1])) / 1e6)
        if not self.is_in.is_set() and _HELLO in data:
            self.is_in.set()
        # A message may be cut in two; what was counted is not seen again.
        self._tail = data[max(end, len(data) - 60) :]

    def _send(self, frame: dict[str, object]) -> None:
        assert self._transport is not None, "the page is open"
        self._transport.write(_masked(json.dumps(frame).encode()))


def _masked(body: bytes) -> bytes:
    """Write a text frame from client to server; a mask of zeros is a mask."""
    length = len(body)
    size = struct.pack("!B", 0x80 | length) if length < 126 else struct.pack("!BH", 0x80 | 126, length)
    return b"\x81" + size + bytes(4) + body


async def opened(seats: Sequence[Seat], port: int, arrivals: Arrivals, *, together: int = 20) -> list[Page]:
    """Open a page for everybody, a few at a time."""
    pages = [Page(seat, arrivals) for seat in seats]
    for start in range(0, len(pages), together):
        await asyncio.gather(*(page.open(port) for page in pages[start : start + together]))
    return pages
