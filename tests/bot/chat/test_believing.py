"""A clock that jumps does not make everything old."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.believing import TRUST_AFTER_S, BelievedClock

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def looks(*steps: tuple[timedelta, float], newest: datetime | None = NOW) -> list[bool]:
    """Look at both clocks, each time a step of the wall clock and one of the monotonic clock later."""
    clock, wall, monotonic, believed = BelievedClock(), NOW, 1000.0, []
    for step, seconds in ((timedelta(), 0.0), *steps):
        wall, monotonic = wall + step, monotonic + seconds
        believed.append(clock.believes(wall, monotonic, newest))
    return believed


@pytest.mark.parametrize(
    ("steps", "believed"),
    [
        pytest.param([(timedelta(minutes=5), 300.0)] * 3, [True] * 4, id="even"),
        pytest.param([(timedelta(hours=23), 300.0)], [True, True], id="a small step"),
        pytest.param([(40 * DAY, 300.0)], [True, False], id="a jump"),
        pytest.param([(-40 * DAY, 300.0)], [True, True], id="a jump back"),
        pytest.param([(40 * DAY, 300.0), (-40 * DAY, 300.0)], [True, False, False], id="a jump, set right"),
        pytest.param(
            [(40 * DAY, 300.0), (timedelta(seconds=TRUST_AFTER_S), TRUST_AFTER_S)],
            [True, False, True],
            id="a jump, and an hour",
        ),
        pytest.param(
            [(40 * DAY, 300.0), (40 * DAY, 3500.0), (timedelta(minutes=5), 300.0)],
            [True, False, False, False],
            id="a second jump begins the hour anew",
        ),
    ],
)
def test_a_running_clock(steps: list[tuple[timedelta, float]], believed: list[bool]) -> None:
    assert looks(*steps) == believed


def test_at_the_start_the_record_is_the_measure() -> None:
    assert looks(newest=NOW - 30 * DAY) == [False]
    assert looks(newest=NOW - timedelta(hours=20)) == [True]
    assert looks(newest=None) == [True]


@given(st.lists(st.tuples(st.floats(0.001, 600.0), st.floats(-3600.0, 3600.0)), max_size=40))
def test_a_clock_that_is_only_set_a_little_is_always_believed(steps: list[tuple[float, float]]) -> None:
    clock, wall, monotonic = BelievedClock(), NOW, 1000.0
    for seconds, drift in steps:
        wall, monotonic = wall + timedelta(seconds=seconds + drift), monotonic + seconds
        assert clock.believes(wall, monotonic, None)
