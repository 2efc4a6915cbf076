"""Answers become shorter while a line stands, before anybody is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.skills.shortening import shortened


@pytest.mark.parametrize(
    ("wait_s", "tokens"),
    [
        pytest.param(None, 512, id="nobody knows"),
        pytest.param(0.0, 512, id="no line"),
        pytest.param(19.9, 512, id="a short line"),
        pytest.param(20.0, 384, id="a line"),
        pytest.param(45.0, 256, id="a long line"),
        pytest.param(600.0, 128, id="a very long line"),
    ],
)
def test_the_longer_the_line_the_shorter_the_answer(wait_s: float | None, tokens: int) -> None:
    assert shortened(512, wait_s) == tokens


def test_an_answer_is_not_shortened_to_nothing() -> None:
    assert (shortened(200, 600.0), shortened(50, 600.0)) == (96, 50)


@given(st.integers(1, 100_000), st.floats(0, 1e6), st.floats(0, 1e6))
def test_it_never_grows_with_the_line(most: int, first_s: float, second_s: float) -> None:
    short_s, long_s = sorted((first_s, second_s))
    assert 1 <= shortened(most, long_s) <= shortened(most, short_s) <= most
