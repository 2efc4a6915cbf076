"""What the drivers' errors mean: one table per database, and the translation into `StoreUnavailable`.

Codes: https://www.sqlite.org/rescode.html and appendix A of PostgreSQL's manual. What is in neither table is
a fault of this program (a constraint, a malformed statement) and passes through unchanged.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from bot.errors import StoreUnavailable

#: SQLite's primary result codes (the low byte of the extended ones).
SQLITE_SENTENCES: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "another process holds the database",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_NOMEM: "the machine is out of memory",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_READONLY: "the database file cannot be written",
    sqlite3.SQLITE_PERM: "the database file may not be used by this user",
    sqlite3.SQLITE_CORRUPT: "the database file is damaged: restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the database file is not a database",
    sqlite3.SQLITE_PROTOCOL: "another process holds the database",
    sqlite3.SQLITE_INTERRUPT: "the statement was interrupted",
}

#: PostgreSQL's SQLSTATE codes; two characters stand for a whole class. The longest match counts.
POSTGRES_SENTENCES: dict[str, str] = {
    "08": "the connection to the database was lost",
    "25006": "the database takes no writes: it is a standby or read-only",
    "25P03": "the database ended a transaction that stood still too long",
    "28": "the database refuses our name or password",
    "3D000": "the database does not exist on its server",
    "40": "the database asks to try the transaction again",
    "53100": "the disk of the database is full",
    "53200": "the database is out of memory",
    "53300": "the database has no connection left for us",
    "53": "the database is out of resources",
    "55P03": "another transaction holds what we need",
    "57014": "the database did not answer in time",
    "57": "the database is shutting down or starting",
    "58": "the database's machine reports an error",
    "XX": "the database reports an internal error",
}

LOST = "the connection to the database was lost"
UNREACHABLE = "the database cannot be reached"
EXHAUSTED = "every connection to the database is in use"


def sentence_for(error: Exception) -> str | None:
    """Name why the database cannot be used now; None for an error that is no outage."""
    if isinstance(error, PoolTimeoutError):
        return EXHAUSTED
    if isinstance(error, DBAPIError):
        return _driver_sentence(error)
    if isinstance(error, sqlite3.Error):
        return _sqlite_sentence(error)
    return UNREACHABLE if isinstance(error, OSError) else None


def _driver_sentence(error: DBAPIError) -> str | None:
    if hasattr(error.orig, "sqlite_errorcode"):
        return _sqlite_sentence(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return POSTGRES_SENTENCES.get(state) or POSTGRES_SENTENCES.get(state[:2])
    # A driver that lost its connection often has no code to give.
    return LOST if error.connection_invalidated or _speaks_of_connection(error) else None


def _sqlite_sentence(error: Any) -> str | None:
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else SQLITE_SENTENCES.get(code & 0xFF)


def _speaks_of_connection(error: DBAPIError) -> bool:
    text = str(error.orig).lower()
    if "another operation" in text:
        # asyncpg's word for a connection that a timeout left in the middle of something: it is of no more use.
        return True
    return "connection" in text and ("closed" in text or "lost" in text or "no active" in text)


@contextmanager
def translated() -> Iterator[None]:
    """Raise `StoreUnavailable`, with its sentence, in place of any driver's error that means an outage."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, PoolTimeoutError, OSError) as exc:
        sentence = sentence_for(exc)
        if sentence is None:
            raise
        raise StoreUnavailable(sentence) from exc
