"""Server-sent events come out the same however the bytes were cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineMisbehaved
from engine.sse import ServerSentEvent, SseDecoder

LINES = st.one_of(
    st.sampled_from(["", "data", "data:", "event: x", "id: 7", "retry: 10", ": keep-alive", "data: [DONE]"]),
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12).map(
        "data: {}".format
    ),
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"])), max_size=20).map(
    lambda lines: "".join(line + ending for line, ending in lines).encode()
)


def decode(*chunks: bytes) -> list[ServerSentEvent]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


@given(STREAMS, st.lists(st.integers(min_value=0), max_size=30))
def test_any_cutting_gives_the_same_events(stream: bytes, places: list[int]) -> None:
    assert decode(*cut(stream, places)) == decode(stream)


@given(STREAMS)
def test_single_bytes_give_the_same_events(stream: bytes) -> None:
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == decode(stream)


@given(STREAMS)
def test_events_are_those_of_a_reading_of_the_whole_text(stream: bytes) -> None:
    """A plain line-by-line reading of the finished text is the reference."""
    events, data, name = [], [], "message"
    text = stream.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            events += [ServerSentEvent("\n".join(data), name)] if data else []
            data, name = [], "message"
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value or "message"
    assert decode(stream) == events


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        pytest.param(b"data: a\n\n", ["a"], id="one-line"),
        pytest.param(b"data: a\r\n\r\n", ["a"], id="crlf"),
        pytest.param(b"data:a\n\n", ["a"], id="no-space"),
        pytest.param(b"data:  a\n\n", [" a"], id="only-one-space-goes"),
        pytest.param(b"data: a\ndata: b\n\n", ["a\nb"], id="two-data-lines"),
        pytest.param(b": keep-alive\n\ndata: a\n\n", ["a"], id="comment"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", ["a"], id="byte-order-mark"),
        pytest.param(b"data: a\n", [], id="not-ended"),
        pytest.param(b"id: 1\n\n", [], id="no-data"),
        pytest.param(b"data: a\x85c\n\n", None, id="not-utf-8"),
        pytest.param("data: a\u2028b\x0bc\n\n".encode(), ["a\u2028b\x0bc"], id="other-line-separators-stay"),
    ],
)
def test_framing(stream: bytes, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(EngineMisbehaved, match="UTF-8"):
            decode(stream)
    else:
        assert [event.data for event in decode(stream)] == expected


def test_an_event_is_out_as_soon_as_its_last_cr_is_in() -> None:
    decoder = SseDecoder()
    assert list(decoder.feed(b"data: a\r\r")) == [ServerSentEvent("a")]
    assert list(decoder.feed(b"\ndata: b\n\n")) == [ServerSentEvent("b")]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([b"data: ", b"x" * 60, b"x" * 60], id="one-endless-line"),
        pytest.param([b"data: " + b"x" * 30 + b"\n"] * 4, id="endless-lines"),
    ],
)
def test_an_event_over_the_bound_is_refused_before_it_ends(chunks: list[bytes]) -> None:
    decoder = SseDecoder(max_event_bytes=100)
    with pytest.raises(EngineMisbehaved, match="100 bytes"):
        [list(decoder.feed(chunk)) for chunk in chunks]


def test_many_small_events_are_not_counted_together() -> None:
    decoder = SseDecoder(max_event_bytes=100)
    assert len(list(decoder.feed(b"data: 1234567890\n\n" * 50))) == 50


def test_what_came_before_a_fault_is_out_first() -> None:
    events = SseDecoder().feed(b"data: a\n\ndata: \xff\n\n")
    assert next(events) == ServerSentEvent("a")
    with pytest.raises(EngineMisbehaved):
        next(events)
