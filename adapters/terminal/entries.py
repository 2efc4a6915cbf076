"""The records of a room's history: what is stored, and how it reads as frames and as events. Pure."""

import json
from dataclasses import dataclass, fields
from datetime import datetime

from adapters.records import Record
from adapters.terminal.frames import Author, Message

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record's body: a message, or the new text of an earlier one."""

    author: Author
    #: The person's id; empty for the assistant.
    person: str
    name: str
    text: str
    at: str
    reply_to: str | None = None
    answers: tuple[str, ...] = ()
    replaces: str | None = None
    #: The message it replaces was taken back.
    withdrawn: bool = False

    def to_wire(self) -> str:
        """Encode for the store."""
        return json.dumps(
            {"v": VERSION, **{name: getattr(self, name) for name in _FIELDS}},
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @property
    def sent_at(self) -> datetime:
        """When it was written, aware UTC."""
        return datetime.fromisoformat(self.at)

    @property
    def by_assistant(self) -> bool:
        """Whether the assistant wrote it."""
        return self.author is not Author.PERSON


_FIELDS = tuple(each.name for each in fields(Entry))


def entry_of(record: Record) -> Entry:
    """Decode a stored record. Raises `ValueError` for a version this code does not know."""
    data = json.loads(record.body)
    if data.pop("v", None) != VERSION:
        raise ValueError(f"record {record.position} was written by another version")
    data["author"] = Author(data["author"])
    data["answers"] = tuple(data["answers"])
    return Entry(**data)


def message_of(record: Record) -> Message:
    """Turn a stored record into the frame that shows it."""
    entry = entry_of(record)
    return Message(
        position=record.position,
        ref=record.key,
        author=entry.author,
        name=entry.name,
        text=entry.text,
        at=entry.at,
        reply_to=entry.reply_to,
        answers=entry.answers,
        replaces=entry.replaces,
        withdrawn=entry.withdrawn,
    )


def said_key(person: str, client_id: str) -> str:
    """Name a person's message; the client's id makes it idempotent."""
    return f"said:{person}:{client_id}"


def sent_key(op_id: str) -> str:
    """Name a message of the assistant; the operation id makes it idempotent."""
    return f"sent:{op_id}"


def edit_key(message: str, number: int) -> str:
    """Name the n-th new text of a message, counted from 1."""
    return f"{message}#{number}"
