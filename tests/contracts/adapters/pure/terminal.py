"""The terminal: lines of JSON in, characters out."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import strategies as st

from adapters.content import Content
from adapters.errors import MalformedEvent
from adapters.links import KnownLinks
from adapters.names import NameRefused
from adapters.records import Record
from adapters.split import split_markdown
from adapters.terminal.entries import Entry, entry_of, said_key
from adapters.terminal.frames import VERSION, Author, Join, Say, from_wire
from adapters.terminal.parse import guest_of, inbound_of, stop_of, why_not
from adapters.terminal.render import render
from tests.contracts.adapters.pure.cases import Parser, Writer
from tests.contracts.adapters.pure.wire import TEXTS, json_of

AT = datetime(2026, 11, 23, tzinfo=UTC)
_FIELDS = ("v", "type", "person", "chat", "after", "id", "text", "reply_to")
_JSON = json_of(st.sampled_from(_FIELDS), st.sampled_from(["join", "say", "stop", "live", "ack"]))
_FRAME = st.fixed_dictionaries(
    {"v": st.just(VERSION), "type": st.sampled_from(["join", "say", "stop", "message", "live"])},
    optional=dict.fromkeys(_FIELDS[2:], TEXTS | _JSON),
)
_LINES = st.binary(max_size=200) | (_JSON | _FRAME).map(lambda data: json.dumps(data).encode())


def _read(line: bytes) -> Iterable[object]:
    frame = from_wire(line)
    if isinstance(frame, Join):
        return (stop_of(guest_of(frame, ("assistant",))),)
    if isinstance(frame, Say) and why_not(frame) is None:
        return (_said(frame),)
    return ()


def _said(say: Say) -> object:
    """Tell the core of a frame as it is stored in between."""
    guest = guest_of(Join(person="Anna", chat="Team"), ("assistant",))
    entry = Entry(author=Author.PERSON, person=guest.person.id, name="Anna", text=say.text, at=AT.isoformat())
    record = Record(position=1, key=said_key(guest.person.id, say.id), body=entry.to_wire(), stored_at=AT)
    assert entry_of(record).text == say.text
    return inbound_of(guest, record, None)


def _write(content: Content, known: KnownLinks) -> str:
    return render(content)


PARSERS = (
    Parser(
        name="lines",
        given=_LINES,
        read=_read,
        covers=frozenset({"frames", "parse"}),
        refuses=(MalformedEvent, NameRefused),
    ),
)
WRITERS = (
    Writer(
        name="characters",
        write=_write,
        cut=lambda markdown, limit: split_markdown(markdown, render, len, limit),
        measure=len,
    ),
)
