"""Identifiers that sort by when they were made: 48 bits of milliseconds, 16 of a counter, 64 of chance."""

import secrets

from bot.clock import Clock

_COUNTER_BITS = 16
_CHANCE_BYTES = 8
_CHANCE_DIGITS = 2 * _CHANCE_BYTES


class Ids:
    """Makes 32 hex digits at a time, each larger than the one before, also when the clock steps back."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        """Make the next identifier."""
        return self.several(1)[0]

    def several(self, count: int) -> list[str]:
        """Make the next identifiers, with one look at the clock and one at the system's randomness."""
        stamp = int(self._clock.now().timestamp() * 1000) << _COUNTER_BITS
        first = max(self._last + 1, stamp)
        self._last = first + count - 1
        chance = secrets.token_hex(_CHANCE_BYTES * count)
        return [
            f"{first + number:016x}{chance[number * _CHANCE_DIGITS : (number + 1) * _CHANCE_DIGITS]}"
            for number in range(count)
        ]
