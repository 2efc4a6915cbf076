"""Whatever comes in, every adapter's readers end with facts that can be kept, or refuse it in one known way."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import Edited
from adapters.registry import manifests
from tests.contracts.adapters.pure.cases import Parser
from tests.contracts.adapters.pure.found import cases_of, parsers, readers_in

PARSERS = parsers()
#: What the core keeps in columns of this length, wherever an event has it.
_REFERENCES = ("event_key", "message", "account", "adapter")


@pytest.mark.parametrize("name", [manifest.name for manifest in manifests()])
def test_every_reader_of_every_adapter_is_tried(name: str) -> None:
    covered = {module for parser in cases_of(name).PARSERS for module in parser.covers}
    assert covered == readers_in(name)


def test_there_are_parsers() -> None:
    assert PARSERS


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_nothing_that_comes_in_raises_anything_else(parser: Parser, data: st.DataObject) -> None:
    try:
        events = list(parser.read(data.draw(parser.given)))
    except parser.refuses:
        return
    for event in events:
        check(event.inbound if isinstance(event, Edited) else event)


def check(event: Any) -> None:
    """Look at the facts that the core stores and compares."""
    references = [getattr(event, name) for name in _REFERENCES if hasattr(event, name)]
    conversation = getattr(event, "conversation", "x")
    references.append(getattr(conversation, "ref", conversation))
    for person in (getattr(event, "sender", None), getattr(event, "person", None)):
        references += [person.id] if person is not None else []
    assert all(isinstance(each, str) and 0 < len(each) <= 255 for each in references), references
    if hasattr(event, "sent_at"):
        assert isinstance(event.sent_at, datetime)
        assert event.sent_at.tzinfo is not None
        assert isinstance(event.text, str)
