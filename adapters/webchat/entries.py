"""The log of a room: what an entry holds, how it is stored, and how it goes to the page. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from adapters.base import Purpose
from adapters.records import Record

VERSION = 1

#: Turns the assistant's Markdown into the page's JSON blocks.
Blocks = Callable[[str], list[Any]]


class EntryKind(StrEnum):
    """What an entry is, by what the page does with it."""

    #: A person's message: show it.
    SAID = "said"
    #: A message of the assistant: show it.
    SENT = "sent"
    #: News of an earlier message: show its new text in its place.
    EDIT = "edit"
    #: News of an earlier message: show it as taken back.
    WITHDRAW = "withdraw"
    #: News of an earlier message: add or take off a reaction.
    REACT = "react"
    #: Something happened to the room: show it as a line.
    EVENT = "event"


#: The kinds that have a place of their own in what is shown; the others are news of these.
SHOWN = frozenset({EntryKind.SAID, EntryKind.SENT, EntryKind.EVENT})
MESSAGES = frozenset({EntryKind.SAID, EntryKind.SENT})


class Happening(StrEnum):
    """What happened to a room."""

    #: It was made.
    CREATED = "created"
    #: Somebody came in.
    JOINED = "joined"
    #: Somebody went.
    LEFT = "left"
    #: It has a new title.
    TITLED = "titled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a room's log; a message is always as it stands now, with its edits and reactions."""

    #: Position in the room's log; only grows.
    pos: int = 0
    #: The entry's own name, by which others speak of it.
    ref: str = ""
    kind: EntryKind
    at: datetime
    #: The person's id; empty for the assistant.
    by: str
    #: The author's name at the time.
    name: str
    #: What a person wrote, characters as they are.
    text: str = ""
    #: What the assistant wrote.
    markdown: str = ""
    purpose: Purpose | None = None
    reply_to: str | None = None
    #: The messages that this one answers.
    answers: tuple[str, ...] = ()
    #: The message that this is news of.
    target: str | None = None
    emoji: str = ""
    #: Whether the reaction is there or was taken off.
    on: bool = True
    what: Happening | None = None
    title: str = ""
    edited: bool = False
    withdrawn: bool = False
    #: Who reacted how: person ids by emoji. Never changed in place.
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: The pages' ids of the edits so far, so that a repeated one changes nothing. Never leaves the house.
    edit_ids: tuple[str, ...] = ()

    @property
    def by_assistant(self) -> bool:
        """Whether the assistant wrote it."""
        return not self.by

    @property
    def is_message(self) -> bool:
        """Whether somebody wrote it, so that it can be quoted, changed and reacted to."""
        return self.kind in MESSAGES

    def to_body(self) -> str:
        """Encode for the store: all that is not as usual."""
        facts = {name: getattr(self, name) for name in _STORED}
        kept = {name: _plain(value) for name, value in facts.items() if value != _USUAL.get(name)}
        return json.dumps({"v": VERSION, **kept}, ensure_ascii=False, separators=(",", ":"))

    def to_wire(self, blocks: Blocks) -> dict[str, Any]:
        """Return the page's JSON object; `blocks` renders the assistant's Markdown."""
        common = {
            "pos": self.pos,
            "ref": self.ref,
            "kind": self.kind.value,
            "at": self.at.isoformat(),
            "by": self.by,
            "name": self.name,
        }
        return common | self._details(blocks)

    def _details(self, blocks: Blocks) -> dict[str, Any]:
        match self.kind:
            case EntryKind.SAID | EntryKind.SENT:
                return self._written(blocks) | self._state()
            case EntryKind.EDIT:
                return {"target": self.target, **self._written(blocks)}
            case EntryKind.WITHDRAW:
                return {"target": self.target}
            case EntryKind.REACT:
                return {"target": self.target, "emoji": self.emoji, "on": self.on}
            case EntryKind.EVENT:
                return {"what": self.what, "title": self.title} if self.title else {"what": self.what}

    def _written(self, blocks: Blocks) -> dict[str, Any]:
        if self.purpose is None:
            return {"text": self.text}
        return {
            "blocks": blocks(self.markdown),
            "markdown": self.markdown,
            "purpose": self.purpose.value,
            "answers": list(self.answers),
        }

    def _state(self) -> dict[str, Any]:
        """Return what changed about a message since it was written; nothing that is as usual."""
        reactions = {emoji: list(people) for emoji, people in self.reactions.items()}
        state: dict[str, Any] = {
            "reply_to": self.reply_to,
            "edited": self.edited,
            "withdrawn": self.withdrawn,
            "reactions": reactions,
        }
        return {name: value for name, value in state.items() if value}


def entry_of(record: Record) -> Entry:
    """Decode a stored record. Raises `ValueError` for a version this code does not know."""
    facts = json.loads(record.body)
    if facts.pop("v", None) != VERSION:
        raise ValueError(f"log record {record.position} was written by another version")
    for name, read in _READ.items():
        if name in facts:
            facts[name] = read(facts[name])
    return Entry(pos=record.position, ref=record.key, **facts)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else value


def _reactions(stored: dict[str, list[str]]) -> Mapping[str, tuple[str, ...]]:
    return {emoji: tuple(people) for emoji, people in stored.items()}


_STORED = tuple(each.name for each in fields(Entry) if each.name not in ("pos", "ref"))
_USUAL = {each.name: each.default for each in fields(Entry)} | {"reactions": {}}
_READ: dict[str, Callable[[Any], Any]] = {
    "kind": EntryKind,
    "at": datetime.fromisoformat,
    "purpose": Purpose,
    "what": Happening,
    "answers": tuple,
    "edit_ids": tuple,
    "reactions": _reactions,
}
