"""A SQLite connection that leaves the event loop's thread only where it may wait: for a lock or for the disk.

aiosqlite sends every call through a queue to a thread and back, some seventy times for one turn, and each time two
threads fight for the interpreter. A statement on an indexed table takes microseconds: it runs where it is called.
Beginning a write waits for other processes, and committing waits for the disk: those go to the thread.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite

#: Statements that wait for the disk or for another process.
_WAITS = ("BEGIN IMMEDIATE", "PRAGMA")


class InlineConnection(aiosqlite.Connection):
    """Runs what cannot wait in the caller's thread. One caller at a time, as SQLAlchemy's pool sees to."""

    #: Whether commits reach the disk: they do not where nothing is ever written.
    writes = True

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None or self._may_wait(fn, args):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        return fn(*args, **kwargs)

    def _may_wait(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
        name = getattr(fn, "__name__", "")
        if name == "execute":
            return str(args[0]).startswith(_WAITS)
        return name == "close" or (name == "commit" and self.writes)


def connect_inline(path: str, *, timeout_s: float, writes: bool) -> InlineConnection:
    """Prepare a connection to a file; await it to open."""
    # SQLite itself is built to be called from several threads; sqlite3 only has to be told that we know.
    connector = partial(
        sqlite3.connect, path, timeout=timeout_s, isolation_level=None, check_same_thread=False
    )
    connection = InlineConnection(connector, iter_chunk_size=64)
    connection.writes = writes
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does with the connections it makes
    return connection
