"""Waiting for a SQLite file that another process holds, with pauses that a cancellation can end."""

import sqlite3
import time
from collections.abc import Iterator

#: Seconds between two tries: those of SQLite's own busy handler.
_PAUSES_S = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.025, 0.025, 0.05, 0.05, 0.1)


def pauses_s(most_s: float) -> Iterator[float]:
    """Yield what to wait after each try that found the file held, until `most_s` seconds have passed."""
    until_s, tries = time.monotonic() + most_s, 0
    while (left_s := until_s - time.monotonic()) > 0:
        yield min(_PAUSES_S[min(tries, len(_PAUSES_S) - 1)], left_s)
        tries += 1


def is_busy(error: BaseException | None) -> bool:
    """Tell whether an error of the driver says that the file is held."""
    # What has no code is not SQLite's own.
    code = error.sqlite_errorcode if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_ERROR
    return code & 0xFF == sqlite3.SQLITE_BUSY
