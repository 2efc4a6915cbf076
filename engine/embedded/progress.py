"""Says how far the conversion is, one line a stage, for a person or for the process that started this one."""

import sys
import time
from typing import TextIO

#: Reading, the embedding, five files of layers, sums, putting in place.
STAGES = 9


class Progress:
    """Prints `[n/m] what (seconds so far)`, flushed, so that a parent can show each line as it comes."""

    def __init__(self, stages: int = STAGES, stream: TextIO = sys.stdout) -> None:
        """Count up to `stages`, writing to `stream`."""
        self._stages = stages
        self._stream = stream
        self._done = 0
        self._started_s = time.monotonic()

    def stage(self, what: str) -> None:
        """Begin the next stage."""
        self._done += 1
        self._say(f"[{self._done}/{self._stages}] {what}")

    def note(self, what: str) -> None:
        """Say something that is not a stage."""
        self._say(what)

    def _say(self, text: str) -> None:
        elapsed_s = time.monotonic() - self._started_s
        print(f"{text} ({elapsed_s:.0f} s so far)", file=self._stream, flush=True)
