"""The fake cloud's durable record: one SQLite file, committed before anybody is answered."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.adapters.twilio_cloud.clock import Clock
from tests.adapters.twilio_cloud.shown import Bubble, Call, Change, Delivery, Page

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    sid TEXT PRIMARY KEY, seq INTEGER, direction TEXT, channel TEXT, sender TEXT, person TEXT, body TEXT, status TEXT,
    error_code INTEGER, created_at REAL, sent_at REAL, updated_at REAL, segments INTEGER, price REAL, num_media INTEGER,
    reply_to TEXT, content_sid TEXT, service TEXT, callback TEXT, validity_s INTEGER, read_at REAL, operation TEXT,
    purpose TEXT, may_be_duplicate INTEGER, answers TEXT, acked_at REAL, acked_seq INTEGER, outcome TEXT,
    given_up_at REAL);
CREATE INDEX IF NOT EXISTS messages_seq ON messages (seq);
CREATE INDEX IF NOT EXISTS messages_person ON messages (person, sender, created_at);
CREATE TABLE IF NOT EXISTS changes (seq INTEGER PRIMARY KEY, sid TEXT, at REAL, status TEXT, error_code INTEGER);
CREATE INDEX IF NOT EXISTS changes_sid ON changes (sid);
CREATE TABLE IF NOT EXISTS media (
    sid TEXT PRIMARY KEY, message TEXT, url TEXT, content_type TEXT, labelled TEXT, body BLOB, redirect TEXT,
    lengthless INTEGER, deleted INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS media_message ON media (message);
CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY, at REAL, endpoint TEXT, person TEXT, status INTEGER, code INTEGER, fault TEXT);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY, at REAL, sid TEXT, kind TEXT, what TEXT, url TEXT, status INTEGER, took_s REAL,
    token TEXT);
CREATE INDEX IF NOT EXISTS deliveries_sid ON deliveries (sid);
CREATE TABLE IF NOT EXISTS typings (seq INTEGER PRIMARY KEY, at REAL, person TEXT, sender TEXT, message TEXT);
CREATE TABLE IF NOT EXISTS optouts (sender TEXT, person TEXT, PRIMARY KEY (sender, person));
CREATE TABLE IF NOT EXISTS violations (seq INTEGER PRIMARY KEY, at REAL, text TEXT);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value REAL);
"""
_NUMBERED = ("messages", "changes", "calls", "deliveries", "typings", "violations")


class Record:
    """Everything the cloud knows; every change is one transaction."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # Survives the end of this process at any moment, which is all that is done to it.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        self._seq: int = max(self.scalar(f"SELECT coalesce(max(seq), 0) FROM {name}") for name in _NUMBERED)  # noqa: S608 - our own names
        self.clock = Clock(self.scalar("SELECT value FROM meta WHERE name = 'passed_s'") or 0.0)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def seq(self) -> int:
        """The number of the newest change."""
        return self._seq

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.passed_s += seconds
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('passed_s', ?)", (self.clock.passed_s,))

    def add(self, media: Iterable[dict[str, Any]] = (), **message: Any) -> None:
        """Keep a new message with its media and its first status."""
        at, seq = self.clock.now(), self._next()
        files = list(media)
        times = {"seq": seq, "created_at": at, "updated_at": at, "num_media": len(files)}
        with self._db:
            self._db.execute("BEGIN")
            self._insert("messages", **(times | message))
            self._insert("changes", seq=seq, sid=message["sid"], at=at, status=message["status"])
            for file in files:
                self._insert("media", message=message["sid"], **file)

    def change(self, sid: str, status: str, error_code: int | None = None, **values: Any) -> None:
        """Give a message another status."""
        at, seq = self.clock.now(), self._next()
        with self._db:
            self._db.execute("BEGIN")
            self._update(sid, seq=seq, status=status, error_code=error_code, updated_at=at, **values)
            self._insert("changes", seq=seq, sid=sid, at=at, status=status, error_code=error_code)

    def touch(self, sid: str, **values: Any) -> None:
        """Change a message otherwise."""
        self._update(sid, seq=self._next(), **values)

    def message(self, sid: str) -> sqlite3.Row | None:
        """Read a message."""
        return self.row("SELECT * FROM messages WHERE sid = ?", sid)

    def bubble(self, sid: str) -> Bubble:
        """Read a message as it is shown."""
        row = self.message(sid)
        assert row is not None, f"there is no message {sid}"
        return self._bubble(row)

    def bubbles(self, where: str = "1", *values: Any) -> list[Bubble]:
        """Read messages as they are shown, oldest first."""
        rows = self.rows(f"SELECT * FROM messages WHERE {where} ORDER BY created_at, rowid", *values)  # noqa: S608 - our own words
        return [self._bubble(row) for row in rows]

    def called(self, **call: Any) -> None:
        """Keep that the API was called."""
        self._insert("calls", seq=self._next(), at=self.clock.now(), **call)

    def delivered(self, *, outcome: str | None = None, **delivery: Any) -> None:
        """Keep one try to tell of something; the first 2xx acknowledges a person's message."""
        seq, sid = self._next(), delivery["sid"]
        self._insert("deliveries", seq=seq, at=self.clock.now(), **delivery)
        if delivery["kind"] == "message":
            first = delivery["status"] // 100 == 2 and self.scalar(
                "SELECT acked_at IS NULL FROM messages WHERE sid = ?", sid
            )
            acked = {"acked_at": self.clock.now(), "acked_seq": seq, "outcome": outcome}
            self._update(sid, seq=seq, **(acked if first else {}))

    def gave_up(self, sid: str) -> None:
        """Keep that nobody will be told of a message any more, unless somebody else is being told of it."""
        self._update(sid, seq=self._next(), given_up_at=self.clock.now())

    def typed(self, **typing: Any) -> None:
        """Keep that the assistant was shown writing."""
        self._insert("typings", seq=self._next(), at=self.clock.now(), **typing)

    def violate(self, text: str) -> None:
        """Keep something that must not happen."""
        self._insert("violations", seq=self._next(), at=self.clock.now(), text=text)

    def opt(self, sender: str, person: str, *, out: bool) -> None:
        """Keep that a person unsubscribed, or subscribed again."""
        word = (
            "INSERT OR IGNORE INTO optouts VALUES (?, ?)"
            if out
            else "DELETE FROM optouts WHERE sender=? AND person=?"
        )
        self._db.execute(word, (sender, person))

    def page(self, after: int, limit: int) -> Page:
        """Read what changed after a number, at most so many rows."""
        found: list[tuple[int, str, sqlite3.Row]] = []
        for table in ("messages", "calls", "deliveries", "violations"):
            statement = f"SELECT * FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our own names
            found += [(row["seq"], table, row) for row in self.rows(statement, after, limit + 1)]
        found.sort(key=lambda each: each[0])
        chosen, more = found[:limit], len(found) > limit
        of = {name: [row for _, table, row in chosen if table == name] for name in _NUMBERED}
        return Page(
            messages=tuple(self._bubble(row) for row in of["messages"]),
            calls=tuple(Call(**dict(row)) for row in of["calls"]),
            deliveries=tuple(Delivery(**dict(row)) for row in of["deliveries"]),
            violations=tuple(row["text"] for row in of["violations"]),
            next=chosen[-1][0] if chosen else after,
            more=more,
        )

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """Read one row."""
        found: sqlite3.Row | None = self._db.execute(statement, values).fetchone()
        return found

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Read rows."""
        return self._db.execute(statement, values).fetchall()

    def scalar(self, statement: str, *values: Any) -> Any:
        """Read one value; None where there is none."""
        row = self.row(statement, *values)
        return row[0] if row else None

    def execute(self, statement: str, *values: Any) -> None:
        """Change something that carries no number."""
        self._db.execute(statement, values)

    def _bubble(self, row: sqlite3.Row) -> Bubble:
        changes = self.rows(
            "SELECT seq, at, status, error_code FROM changes WHERE sid = ? ORDER BY seq", row["sid"]
        )
        media = self.rows("SELECT coalesce(url, sid) FROM media WHERE message = ? ORDER BY rowid", row["sid"])
        tries = self.rows(
            "SELECT status FROM deliveries WHERE sid = ? AND kind = 'message' ORDER BY seq", row["sid"]
        )
        own = set(Bubble.__slots__) & set(row.keys())
        fields = {name: row[name] for name in own} | {"may_be_duplicate": bool(row["may_be_duplicate"])}
        return Bubble(
            **fields,
            media=tuple(each[0] for each in media),
            changes=tuple(Change(**dict(change)) for change in changes),
            tries=tuple(each[0] for each in tries),
        )

    def _update(self, sid: str, **values: Any) -> None:
        assignments = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(f"UPDATE messages SET {assignments} WHERE sid = ?", (*values.values(), sid))  # noqa: S608 - our own names

    def _insert(self, table: str, **values: Any) -> None:
        names, marks = ", ".join(values), ", ".join("?" for _ in values)
        self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 - our own names

    def _next(self) -> int:
        self._seq += 1
        return self._seq
