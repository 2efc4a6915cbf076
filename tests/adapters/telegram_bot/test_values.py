"""Parameters are read as documented, whatever comes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.telegram_bot.schema import METHODS
from tests.adapters.telegram_bot.values import (
    Unfit,
    boolean,
    chat_id,
    checked,
    integer,
    list_of,
    may,
    need,
    object_of,
    text,
    variant,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("check", "value", "expected"),
    [
        (integer(), "-5", -5),
        (integer(1, 100), 100, 100),
        (boolean, "True", True),
        (boolean, False, False),
        (chat_id, "@some_group", "@some_group"),
        (chat_id, "-100123", -100123),
        (text(1, 4), "abcd", "abcd"),
        (list_of(integer()), "[1, 2]", [1, 2]),
        (object_of({"a": need(integer()), "b": may(text())}), '{"a": 1}', {"a": 1}),
        (variant("type", {"x": {"n": need(integer())}}), {"type": "x", "n": 1}, {"type": "x", "n": 1}),
    ],
)
def test_what_fits_is_read(check, value, expected) -> None:
    assert check(value) == expected


@pytest.mark.parametrize(
    ("check", "value", "why"),
    [
        (integer(), True, "Integer"),
        (integer(), 1.0, "Integer"),
        (integer(), "1.0", "Integer"),
        (integer(1, 100), 101, "between 1 and 100"),
        (integer(), 1 << 53, "between"),
        (boolean, 1, "Boolean"),
        (boolean, "yes", "Boolean"),
        (chat_id, "some_group", "Integer"),
        (text(1), "", "1- characters, not 0"),
        (text(0, 2, in_bytes=True), "éé", "0-2 bytes, not 4"),
        (text(), "\ud83d", "UTF-8"),
        (text(), 1, "String"),
        (list_of(integer()), "[1", "JSON"),
        (list_of(integer()), [1, "x"], r"\[1\] must be an Integer"),
        (list_of(integer(), most=1), [1, 2], "0-1 items"),
        (object_of({"a": need(integer())}), {}, "lacks a"),
        (object_of({"a": need(integer())}), {"a": 1, "b": 2}, "has no b"),
        (variant("type", {"x": {}}), {"type": "y"}, "no known type"),
    ],
)
def test_what_does_not_fit_is_named(check, value, why) -> None:
    with pytest.raises(Unfit, match=why):
        check(value)


@given(st.sampled_from(sorted(METHODS)), st.data())
def test_whatever_comes_is_read_or_unfit(method: str, data) -> None:
    names = st.sampled_from([*METHODS[method], "surprise"])
    values = data.draw(st.dictionaries(names, ANYTHING | ANYTHING.map(json.dumps), max_size=4))
    try:
        read = checked(values, METHODS[method])
    except Unfit:
        return
    assert read.keys() == values.keys()
