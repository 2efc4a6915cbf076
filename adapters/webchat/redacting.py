"""What stays of a room's log when a person, or everybody, is forgotten. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.base import Purpose
from adapters.webchat.entries import Entry, EntryKind


def without(log: Sequence[Entry], person: str | None, before: datetime) -> dict[str, Entry | None]:
    """Say what takes the place of which entries of a whole log, by ref; None where nothing does.

    What somebody (None: anybody) said up to an instant goes, with the news of it, what the assistant answered to it,
    whenever that came, and their reactions. That people came and went stays: the room names its members anyway.
    """
    gone = {entry.ref for entry in log if entry.is_message and _is_meant(entry, person, before)}
    gone |= _answers_to(log, gone)
    gone |= {entry.ref for entry in log if entry.target in gone or _is_reaction(entry, person, before)}
    changes: dict[str, Entry | None] = dict.fromkeys(gone)
    for entry in log:
        if entry.ref not in gone and (left := _without_reactions(entry, person)) is not entry:
            changes[entry.ref] = left
    return changes


def ratings_without(keys: Iterable[str], person: str | None, left: Collection[str]) -> list[str]:
    """Name the ratings that go, too: the person's own, and those of messages that are not among what is left."""
    found = []
    for key in keys:
        ref, _, by = key.rpartition(":")
        if by == person or ref not in left:
            found.append(key)
    return found


def _is_meant(entry: Entry, person: str | None, before: datetime) -> bool:
    return entry.at <= before and (person is None or entry.by == person)


def _answers_to(log: Sequence[Entry], asked: Collection[str]) -> set[str]:
    """Find the assistant's messages that answer some others; a late notice tells of the forgetting itself."""
    found: set[str] = set()
    is_answered = False
    for entry in log:
        if entry.kind is not EntryKind.SENT:
            continue
        if entry.reply_to is None and entry.purpose is Purpose.REPLY and not entry.answers:
            is_answer = is_answered  # a further part of the reply before
        else:
            is_answer = entry.reply_to in asked or any(ref in asked for ref in entry.answers)
            is_answered = is_answer and entry.purpose is Purpose.REPLY
        if is_answer and entry.purpose is not Purpose.NOTICE:
            found.add(entry.ref)
    return found


def _is_reaction(entry: Entry, person: str | None, before: datetime) -> bool:
    return entry.kind is EntryKind.REACT and _is_meant(entry, person, before)


def _without_reactions(entry: Entry, person: str | None) -> Entry:
    if person is None or not any(person in people for people in entry.reactions.values()):
        return entry
    left = {
        sign: tuple(each for each in people if each != person) for sign, people in entry.reactions.items()
    }
    return replace(entry, reactions={sign: people for sign, people in left.items() if people})
