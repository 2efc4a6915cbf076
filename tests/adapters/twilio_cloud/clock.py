"""The cloud's own time, which a test may let pass."""

import time


class Clock:
    """Seconds since 1970, moved on by what was let pass."""

    def __init__(self, passed_s: float = 0.0) -> None:
        self.passed_s = passed_s

    def now(self) -> float:
        """Tell the time."""
        return time.time() + self.passed_s
