"""A worker's sign of life, for whoever watches a process that listens on no port."""

import asyncio
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

#: Seconds between two beats.
EVERY_S = 5.0
#: A loop that has not turned for so long, in seconds, hangs.
SILENT_S = 30.0


class Pulse:
    """Writes the machine's monotonic seconds to a file while the event loop turns."""

    def __init__(self, path: Path, *, every_s: float = EVERY_S) -> None:
        self._path = path
        self._every_s = every_s
        self._failing = False

    async def run(self) -> None:
        """Beat until cancelled, then remove the file."""
        try:
            while True:
                self._beat()
                await asyncio.sleep(self._every_s)
        finally:
            with suppress(OSError):
                self._path.unlink()

    def _beat(self) -> None:
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            # Not rounded: a beat must not lie ahead of the clock.
            draft.write_text(f"{time.monotonic()}\n", encoding="ascii")
            draft.replace(self._path)
        except OSError as exc:
            # A full disk must not stop the answers; the missing beat is told by the health check.
            if not self._failing:
                logger.warning("the pulse cannot be written: %s", exc.strerror)
            self._failing = True
        else:
            self._failing = False


def silent_for_s(path: Path) -> float:
    """Tell how many seconds ago the last beat was; infinity where there is none of this machine's present life."""
    try:
        age_s = time.monotonic() - float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return float("inf")
    # Before a restart of the machine the clock stood higher.
    return age_s if age_s >= 0 else float("inf")
