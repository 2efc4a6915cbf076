"""Identifiers that sort by when they were made: 48 bits of milliseconds, 16 of a counter, 64 of chance."""

import secrets

from bot.clock import Clock

_COUNTER_BITS = 16


class Ids:
    """Makes 32 hex digits at a time, each larger than the one before, also when the clock steps back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        """Make the next identifier."""
        stamp = int(self._clock.now().timestamp() * 1000) << _COUNTER_BITS
        self._last = max(self._last + 1, stamp)
        return f"{self._last:016x}{secrets.token_hex(8)}"
