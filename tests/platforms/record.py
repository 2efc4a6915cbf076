"""A fake platform's durable record: one SQLite file, committed before anybody is answered."""

import sqlite3
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.platforms.seen import Endpoint, Fault, Injected, Mention, Message, Page, Version

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY, seq INTEGER, operation TEXT, account TEXT, conversation TEXT, text TEXT, purpose TEXT,
    reply_to TEXT, may_be_duplicate INTEGER, posted_at REAL, edited_at REAL, deleted_at REAL, key TEXT, marker TEXT);
CREATE INDEX IF NOT EXISTS messages_seq ON messages (seq);
CREATE UNIQUE INDEX IF NOT EXISTS messages_key ON messages (account, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_marker ON messages (conversation, marker) WHERE marker IS NOT NULL;
CREATE TABLE IF NOT EXISTS versions (
    seq INTEGER PRIMARY KEY, message TEXT, at REAL, text TEXT, purpose TEXT, operation TEXT);
CREATE INDEX IF NOT EXISTS versions_message ON versions (message);
CREATE TABLE IF NOT EXISTS mentions (
    id TEXT PRIMARY KEY, seq INTEGER, said_seq INTEGER, account TEXT, conversation TEXT, kind TEXT, sender TEXT,
    text TEXT, reply_to TEXT, said_at REAL, acked_at REAL, acked_seq INTEGER, outcome TEXT, edited_at REAL,
    withdrawn_at REAL);
CREATE INDEX IF NOT EXISTS mentions_seq ON mentions (seq);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, mention TEXT, event TEXT, at REAL, gateway TEXT, status INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_mention ON deliveries (mention);
CREATE TABLE IF NOT EXISTS faults (
    seq INTEGER PRIMARY KEY, at REAL, fault TEXT, endpoint TEXT, operation TEXT, conversation TEXT);
"""
_TABLES = ("messages", "mentions", "faults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A message to post, with what the platform's class takes against duplicates."""

    account: str
    conversation: str
    text: str
    reply_to: str | None = None
    key: str | None = None
    marker: str | None = None
    operation: str = ""
    purpose: str = ""
    may_be_duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something a user says."""

    account: str
    conversation: str
    kind: str
    sender: str
    text: str
    reply_to: str | None = None


class Record:
    """Everything a platform knows; every change is one transaction."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # Survives the end of this process at any moment, which is all that is done to it.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        self._seq = max(self._newest(table) for table in (*_TABLES, "versions"))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def seq(self) -> int:
        """The number of the newest change."""
        return self._seq

    def post(self, posting: Posting) -> str:
        """Show a message and return its id; under a key that was used before, the id of that message."""
        if posting.key is not None and (known := self._keyed(posting)):
            return known
        message, at, seq = f"m-{uuid.uuid4().hex[:16]}", time.time(), self._next()
        with self._transaction():
            self._insert(
                "messages",
                id=message,
                seq=seq,
                posted_at=at,
                **{name: getattr(posting, name) for name in posting.__slots__},
            )
            marks = {"purpose": posting.purpose, "operation": posting.operation}
            self._insert("versions", message=message, seq=seq, at=at, text=posting.text, **marks)
        return message

    def edit(self, message: str, text: str, *, purpose: str, operation: str) -> None:
        """Show another text in place of a message's; the same text changes nothing."""
        if self._scalar("SELECT text FROM messages WHERE id = ?", message) == text:
            return
        at, seq = time.time(), self._next()
        with self._transaction():
            self._db.execute(
                "UPDATE messages SET text = ?, purpose = ?, edited_at = ?, seq = ? WHERE id = ?",
                (text, purpose, at, seq, message),
            )
            marks = {"purpose": purpose, "operation": operation}
            self._insert("versions", message=message, seq=seq, at=at, text=text, **marks)

    def delete(self, message: str) -> None:
        """Take a message away."""
        self._db.execute(
            "UPDATE messages SET deleted_at = ?, seq = ? WHERE id = ? AND deleted_at IS NULL",
            (time.time(), self._next(), message),
        )

    def standing(self, message: str) -> sqlite3.Row | None:
        """Read a message of ours, deleted or not."""
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM messages WHERE id = ?", (message,)
        ).fetchone()
        return row

    def marked(self, conversation: str, marker: str) -> list[str]:
        """Look up the messages that stand in a conversation under a marker, oldest first."""
        rows = self._db.execute(
            "SELECT id FROM messages WHERE conversation = ? AND marker = ? AND deleted_at IS NULL ORDER BY posted_at",
            (conversation, marker),
        )
        return [row["id"] for row in rows]

    def say(self, said: Said) -> str:
        """Keep what a user said and return its id."""
        mention, seq = f"u-{uuid.uuid4().hex[:16]}", self._next()
        values = {name: getattr(said, name) for name in said.__slots__}
        self._insert("mentions", id=mention, seq=seq, said_seq=seq, said_at=time.time(), **values)
        return mention

    def mention(self, mention: str) -> sqlite3.Row | None:
        """Read what a user said."""
        row: sqlite3.Row | None = self._db.execute(
            "SELECT * FROM mentions WHERE id = ?", (mention,)
        ).fetchone()
        return row

    def say_otherwise(self, mention: str, text: str) -> None:
        """Let a user edit what was said."""
        self._change_mention(mention, text=text, edited_at=time.time())

    def unsay(self, mention: str) -> None:
        """Let a user withdraw what was said."""
        self._change_mention(mention, withdrawn_at=time.time())

    def delivered(
        self, mention: str | None, event: str, gateway: str, status: int, outcome: str | None
    ) -> None:
        """Keep what a gateway answered to one try; the first 2xx of the message itself acknowledges it."""
        at = time.time()
        with self._transaction():
            self._insert("deliveries", mention=mention, event=event, at=at, gateway=gateway, status=status)
            if mention is not None and event == mention:
                first = status // 100 == 2 and self._scalar(
                    "SELECT acked_at IS NULL FROM mentions WHERE id = ?", mention
                )
                acked = {"acked_at": at, "acked_seq": self._seq + 1, "outcome": outcome} if first else {}
                self._change_mention(mention, **acked)

    def injected(self, fault: Fault, endpoint: Endpoint, operation: str, conversation: str) -> None:
        """Keep that a call ran into a fault."""
        values = {"fault": fault, "endpoint": endpoint, "operation": operation, "conversation": conversation}
        self._insert("faults", seq=self._next(), at=time.time(), **values)

    def page(self, after: int, limit: int) -> Page:
        """Read what changed after a number, at most so many rows."""
        rows = [
            (row["seq"], table, row)
            for table in _TABLES
            for row in self._db.execute(
                f"SELECT * FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - our own names
                (after, limit + 1),
            )
        ]
        rows.sort(key=lambda row: row[0])
        chosen: dict[str, list[sqlite3.Row]] = defaultdict(list)
        for _, table, row in rows[:limit]:
            chosen[table].append(row)
        return Page(
            messages=tuple(self._messages(chosen["messages"])),
            mentions=tuple(self._mentions(chosen["mentions"])),
            faults=tuple(Injected(**dict(row)) for row in chosen["faults"]),
            next=rows[:limit][-1][0] if rows else after,
            more=len(rows) > limit,
        )

    def _messages(self, rows: Iterable[sqlite3.Row]) -> Iterable[Message]:
        for row in rows:
            fields = {name: row[name] for name in Message.__slots__ if name != "versions"}
            fields["may_be_duplicate"] = bool(fields["may_be_duplicate"])
            yield Message(**fields, versions=tuple(self._versions(row["id"])))

    def _versions(self, message: str) -> Iterable[Version]:
        rows = self._db.execute(
            "SELECT seq, at, text, purpose, operation FROM versions WHERE message = ? ORDER BY seq",
            (message,),
        )
        return (Version(**dict(row)) for row in rows)

    def _mentions(self, rows: Iterable[sqlite3.Row]) -> Iterable[Mention]:
        for row in rows:
            statuses = self._db.execute(
                "SELECT status FROM deliveries WHERE mention = ? AND event = ? ORDER BY number",
                (row["id"], row["id"]),
            )
            yield Mention(**dict(row), statuses=tuple(status for (status,) in statuses))

    def _keyed(self, posting: Posting) -> str | None:
        known: str | None = self._scalar(
            "SELECT id FROM messages WHERE account = ? AND key = ?", posting.account, posting.key
        )
        return known

    def _change_mention(self, mention: str, **values: Any) -> None:
        values["seq"] = self._next()
        assignments = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(
            f"UPDATE mentions SET {assignments} WHERE id = ?",  # noqa: S608 - our own names
            (*values.values(), mention),
        )

    def _insert(self, table: str, **values: Any) -> None:
        names, marks = ", ".join(values), ", ".join("?" for _ in values)
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 - our own names

    def _newest(self, table: str) -> int:
        return self._scalar(f"SELECT max(seq) FROM {table}") or 0  # noqa: S608 - our own names

    def _scalar(self, statement: str, *values: Any) -> Any:
        row = self._db.execute(statement, values).fetchone()
        return row[0] if row else None

    def _next(self) -> int:
        self._seq += 1
        return self._seq

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db)


class _Transaction:
    """All of it or nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN")

    def __exit__(self, kind: object, exc: object, trace: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
