"""The web chat: frames of a page in, Markdown for the page out."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import strategies as st

from adapters.content import Content
from adapters.links import KnownLinks
from adapters.markdown import parse
from adapters.markdown_source import to_markdown
from adapters.records import Record
from adapters.split import split_markdown
from adapters.webchat.entries import Entry, EntryKind, entry_of
from adapters.webchat.frames import Ask, BadFrame, read_ask
from adapters.webchat.parse import edit_of, inbound_of, withdrawal_of
from adapters.webchat.render import nodes
from adapters.webchat.rooms import RoomKind, RoomState
from tests.contracts.adapters.pure.cases import Parser, Writer
from tests.contracts.adapters.pure.wire import TEXTS, json_of

AT = datetime(2026, 11, 23, tzinfo=UTC)
_FIELDS = ("id", "do", "room", "client_id", "text", "ref", "reply_to", "pos", "on", "cursors")
_JSON = json_of(st.sampled_from(_FIELDS), st.sampled_from(["say", "edit", "react", "hello"]))
_FRAME = st.fixed_dictionaries(
    {"id": st.integers(1, 9), "do": st.sampled_from(["say", "edit", "react", "hello"])},
    optional=dict.fromkeys(_FIELDS[2:], TEXTS | _JSON) | {"text": TEXTS, "room": TEXTS},
)


def _read(frame: str) -> Iterable[object]:
    ask = read_ask(frame)
    assert (ask.number > 0, bool(ask.do)) == (True, True)
    match ask.do:
        case "say":
            said = _entry(ask)
            return (inbound_of(_ROOM, said, None), withdrawal_of(_ROOM.id, said.ref))
        case "edit":
            return (edit_of(_ROOM, _entry(ask), None),)
        case "react":
            ask.switch("on")
        case _:
            ask.cursors(), ask.whole("pos"), ask.client_id()
    return ()


def _entry(ask: Ask) -> Entry:
    """Make the entry that the house stores, as it comes out of the store."""
    said = Entry(kind=EntryKind.SAID, at=AT, by="p1", name="Anna", text=ask.text("text", 500_000))
    return entry_of(Record(position=1, key="said-1", body=said.to_body(), stored_at=AT))


_ROOM = RoomState(id="r1", kind=RoomKind.GROUP, title="Team", created_by="p1", created_at=AT)


def _write(content: Content, known: KnownLinks) -> str:
    markdown = to_markdown(content)
    # The page shows nodes, which must be JSON.
    json.dumps(nodes(parse(markdown)))
    return markdown


PARSERS = (
    Parser(
        name="frames",
        given=TEXTS | (_JSON | _FRAME).map(json.dumps),
        read=_read,
        covers=frozenset({"frames", "parse"}),
        refuses=(BadFrame,),
    ),
)
WRITERS = (
    Writer(
        name="markdown",
        write=_write,
        cut=lambda markdown, limit: split_markdown(markdown, to_markdown, len, limit),
        measure=len,
    ),
)
