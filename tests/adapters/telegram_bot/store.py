"""A fake platform's durable memory: JSON documents in one SQLite file, committed before anybody is answered.

Every change of a document gets the next `seq`, so that what happened can be put in order without trusting any clock,
read in pages by another process, and found again after the server was killed.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT, key TEXT, seq INTEGER, body TEXT, PRIMARY KEY (kind, key));
CREATE INDEX IF NOT EXISTS documents_seq ON documents (seq);
CREATE TABLE IF NOT EXISTS files (key TEXT PRIMARY KEY, body BLOB);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A document as it stands now, and when it last changed."""

    kind: str
    key: str
    seq: int
    body: dict[str, Any]


class Store:
    """Documents by kind and key, and files."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        # Survives the end of this process at any moment, which is all that is done to it.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        self._seq: int = self._db.execute("SELECT coalesce(max(seq), 0) FROM documents").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def seq(self) -> int:
        """The number of the newest change."""
        return self._seq

    def put(self, kind: str, key: str, body: dict[str, Any]) -> int:
        """Keep a document and return the number of this change."""
        self._seq += 1
        self._db.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?)", (kind, key, self._seq, json.dumps(body))
        )
        return self._seq

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit what is put meanwhile in one step; within another such step, with that one."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            # What was changed in memory stands there, so that it is kept even where the step failed half-way.
            self._db.execute("COMMIT")

    def read(self, kind: str) -> Iterator[dict[str, Any]]:
        """Read every document of a kind, in the order of their last change."""
        rows = self._db.execute("SELECT body FROM documents WHERE kind = ? ORDER BY seq", (kind,))
        return (json.loads(body) for (body,) in rows)

    def page(self, after: int, limit: int, kinds: Sequence[str] = ()) -> list[Change]:
        """Read what changed after a number, oldest first; without kinds, of every kind."""
        among = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        rows = self._db.execute(
            f"SELECT kind, key, seq, body FROM documents WHERE seq > ? {among} ORDER BY seq LIMIT ?",  # noqa: S608 - question marks
            (after, *kinds, limit),
        )
        return [Change(kind=kind, key=key, seq=seq, body=json.loads(body)) for kind, key, seq, body in rows]

    def put_file(self, key: str, body: bytes) -> None:
        """Keep a file."""
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (key, body))

    def file(self, key: str) -> bytes | None:
        """Read a file."""
        row = self._db.execute("SELECT body FROM files WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None
