"""A clock that a test can put forward, for everything that a platform lets vanish or expire."""

import time


class VirtualClock:
    """Runs like the machine's clock, ahead of it by what a test has let pass."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Say what time it is, in seconds since 1970."""
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self._ahead_s += seconds
