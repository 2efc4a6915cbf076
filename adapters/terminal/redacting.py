"""What of a room's records goes when a person, or everybody, is forgotten. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from adapters.records import Record
from adapters.terminal.entries import Entry, entry_of
from adapters.terminal.frames import Author


def without(records: Sequence[Record], person: str | None, before: datetime) -> list[str]:
    """Name the records that go, of all records of a room: by their keys.

    Those are what somebody (None: anybody) said up to an instant, its edits, and what was answered to it, whenever
    that came.
    """
    log = [(record.key, entry_of(record)) for record in records]
    gone = {key for key, entry in log if entry.replaces is None and _is_meant(entry, person, before)}
    gone |= _answers_to(log, gone)
    gone |= {key for key, entry in log if entry.replaces in gone}
    return [record.key for record in records if record.key in gone]


def _is_meant(entry: Entry, person: str | None, before: datetime) -> bool:
    return entry.sent_at <= before and (person is None or entry.person == person)


def _answers_to(log: Sequence[tuple[str, Entry]], asked: Collection[str]) -> set[str]:
    """Find the assistant's messages that answer some others; a late notice tells of the forgetting itself."""
    found: set[str] = set()
    is_answered = False
    for key, entry in log:
        if entry.author is not Author.ASSISTANT or entry.replaces is not None:
            continue
        if entry.reply_to is None and not entry.answers:
            is_answer = is_answered  # a further part of the reply before
        else:
            is_answer = is_answered = entry.reply_to in asked or any(ref in asked for ref in entry.answers)
        if is_answer:
            found.add(key)
    return found
