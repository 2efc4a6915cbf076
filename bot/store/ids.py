"""Identifiers that sort by when they were made: 48 bits of milliseconds, 16 of a counter, 64 of chance."""

import secrets

from bot.clock import Clock

_COUNTER_BITS = 16
_CHANCE_BYTES = 8
_CHANCES_AT_A_TIME = 64


class Ids:
    """Makes 32 hex digits at a time, each larger than the one before, also when the clock steps back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._chance = ""

    def new(self) -> str:
        """Make the next identifier."""
        stamp = int(self._clock.now().timestamp() * 1000) << _COUNTER_BITS
        self._last = max(self._last + 1, stamp)
        return f"{self._last:016x}{self._next_chance()}"

    def _next_chance(self) -> str:
        if not self._chance:
            # Every look at the system's randomness is a system call.
            self._chance = secrets.token_hex(_CHANCE_BYTES * _CHANCES_AT_A_TIME)
        digits = 2 * _CHANCE_BYTES
        chance, self._chance = self._chance[:digits], self._chance[digits:]
        return chance
