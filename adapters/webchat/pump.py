"""One connection's outgoing side: what it has of every room, and whether it reads what it is sent."""

import asyncio
from collections.abc import Callable

from adapters.webchat.live import Shown

#: Bytes that may wait to be read by a person; with more than these they fall behind.
HIGH_WATER_BYTES = 128 * 1024
_LOOK_AGAIN_S = 0.05


class TooSlow(Exception):
    """Somebody does not read what is sent to them."""


class Pump:
    """Writes whole frames to one connection; never waits, and never makes anybody else wait."""

    __slots__ = ("_close", "_transport", "catching_up", "cursors", "person", "rooms", "shown", "slow_since_s")

    def __init__(
        self, person: str, transport: asyncio.WriteTransport, close: Callable[[int, str], None]
    ) -> None:
        self.person = person
        self._transport = transport
        self._close = close
        #: The rooms that are kept open for it.
        self.rooms: set[str] = set()
        #: The newest position it has, by room; until it has one it is told nothing of the room.
        self.cursors: dict[str, int] = {}
        #: What it was last shown of each growing reply, by room and turn.
        self.shown: dict[str, dict[str, Shown]] = {}
        #: The rooms whose entries come from the store just now.
        self.catching_up: set[str] = set()
        #: Since when it does not read, on the monotonic clock.
        self.slow_since_s: float | None = None

    def write(self, frame: bytes) -> None:
        """Send a frame; nothing happens where the connection is gone."""
        if not self._transport.is_closing():
            self._transport.write(frame)

    @property
    def is_congested(self) -> bool:
        """Whether so much waits to be read that more would only fill memory."""
        return self._transport.get_write_buffer_size() > HIGH_WATER_BYTES

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._transport.is_closing()

    def close(self, code: int, why: str) -> None:
        """End the connection with a reason; returns at once."""
        self._close(code, why)

    async def drained(self, within_s: float) -> None:
        """Wait until the person has read enough for more, or is gone. Raises `TooSlow`."""
        looks = max(1, round(within_s / _LOOK_AGAIN_S))
        for _ in range(looks):
            if self.is_closing or not self.is_congested:
                return
            # A transport has one waiter, and that is aiohttp's: whoever does not read is looked at now and then.
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise TooSlow
