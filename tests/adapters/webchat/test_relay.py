"""The newest entries of a room: whoever has a position gets exactly what is behind it, or must read the store."""

import json

from hypothesis import given
from hypothesis import strategies as st

from adapters.webchat.relay import MOST_ENTRIES, Relay


def positions(frame):
    body = frame[frame.index(b"{") :]
    return [entry["pos"] for entry in json.loads(body)["entries"]]


def filled(begin, number, characters=10):
    relay = Relay("r", begin)
    for position in range(begin + 1, begin + 1 + number):
        relay.add(position, json.dumps({"pos": position, "text": "x" * characters}))
    return relay


@given(st.integers(0, 50), st.integers(0, 3 * MOST_ENTRIES), st.integers(0, 700))
def test_everything_behind_a_position_or_nothing_at_all(begin, number, cursor):
    relay = filled(begin, number)
    frame = relay.behind(cursor)
    if frame is None:
        assert cursor < relay.since
    else:
        assert positions(frame) == list(range(cursor + 1, relay.last + 1))


def test_memory_is_bounded_also_for_long_entries():
    relay = filled(0, 100, characters=20_000)
    assert 75 < relay.since < 100
    assert positions(relay.behind(relay.since)) == list(range(relay.since + 1, 101))


def test_an_entry_that_is_there_changes_nothing():
    relay = filled(0, 5)
    relay.add(3, '{"pos":3,"text":"other"}')
    assert positions(relay.behind(0)) == [1, 2, 3, 4, 5]


def test_everybody_at_one_position_gets_the_same_bytes():
    relay = filled(0, 5)
    assert relay.behind(2) is relay.behind(2)
    before = relay.behind(2)
    relay.add(6, '{"pos":6}')
    assert positions(relay.behind(2)) == [3, 4, 5, 6]
    assert positions(before) == [3, 4, 5]
