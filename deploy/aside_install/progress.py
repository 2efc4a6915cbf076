"""One line that shows how far something is: rewritten in a terminal, repeated now and then in a log."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

#: Seconds between two lines where lines cannot be rewritten.
LOG_EVERY_S = 15.0


class ProgressLine:
    """Shows elapsed seconds and whatever else is told, until it is closed."""

    def __init__(self, out: TextIO = sys.stdout, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count the seconds."""
        self._out = out
        self._clock = clock
        self._began = clock()
        self._logged = self._began
        self._width = 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    def show(self, what: str) -> None:
        """Show the present state."""
        line = f"      {what}, {self.elapsed_s:.0f} s"
        if self._out.isatty():
            self._out.write("\r" + line.ljust(self._width))
            self._width = len(line)
        elif self._clock() - self._logged >= LOG_EVERY_S:
            self._logged = self._clock()
            self._out.write(line + "\n")
        self._out.flush()

    def close(self, what: str) -> None:
        """End with a last state, which stays."""
        line = f"      {what}, {self.elapsed_s:.0f} s"
        if self._out.isatty():
            self._out.write("\r" + line.ljust(self._width) + "\n")
        else:
            self._out.write(line + "\n")
        self._out.flush()

    def abandon(self) -> None:
        """End without a word; what comes next begins on a line of its own."""
        if self._out.isatty() and self._width:
            self._out.write("\n")
            self._out.flush()
