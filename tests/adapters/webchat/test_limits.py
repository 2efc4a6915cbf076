"""Token buckets, on a clock that only a test moves."""

import pytest

from adapters.webchat.limits import Kind, Limits, Rate, SlowDown
from tests.fixtures.clocks import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def limits(clock):
    return Limits(clock.monotonic, {Kind.MESSAGE: Rate(10, 30), Kind.TYPING: Rate(1, 60)})


def taken(limits, kind=Kind.MESSAGE, who="ann"):
    count = 0
    try:
        while count < 1000:
            limits.take(kind, who)
            count += 1
    except SlowDown:
        pass
    return count


def test_a_burst_is_taken_and_no_more(limits):
    assert taken(limits) == 10


@pytest.mark.parametrize(("passed_s", "more"), [(0, 0), (1.9, 0), (2, 1), (10, 5), (3600, 10)])
def test_what_was_used_comes_back_at_the_rate(limits, clock, passed_s, more):
    taken(limits)
    clock.advance(passed_s)
    assert taken(limits) == more


def test_it_says_how_long_to_wait(limits, clock):
    taken(limits)
    with pytest.raises(SlowDown) as refused:
        limits.take(Kind.MESSAGE, "ann")
    assert refused.value.retry_s == pytest.approx(2.0)
    clock.advance(refused.value.retry_s)
    limits.take(Kind.MESSAGE, "ann")


def test_asking_again_and_again_does_not_make_it_longer(limits, clock):
    taken(limits)
    for _ in range(20):
        with pytest.raises(SlowDown):
            limits.take(Kind.MESSAGE, "ann")
        clock.advance(0.1)
    limits.take(Kind.MESSAGE, "ann")


def test_people_and_kinds_are_counted_apart(limits):
    taken(limits)
    assert taken(limits, who="bob") == 10
    assert taken(limits, kind=Kind.TYPING) == 1
