"""What a run draws comes from its seed alone, as often as the odds say, and tells itself by its marks."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.blows import ODDS, Blow, strikes
from tests.chaos.cast import POISON, Corner, Line
from tests.chaos.plan import FEW, NAMES, Plan, Vendor
from tests.chaos.words import Asked, answer, asked, marks


def test_the_same_seed_draws_the_same_blows_and_another_seed_others() -> None:
    assert [*islice(strikes(7), 200)] == [*islice(strikes(7), 200)]
    assert [*islice(strikes(7), 200)] != [*islice(strikes(8), 200)]


@pytest.mark.parametrize("blow", list(Blow))
def test_a_blow_is_dealt_as_often_as_its_odds(blow: Blow) -> None:
    ticks = 20_000
    dealt = sum(strike.blow is blow for drawn in islice(strikes(1), ticks) for strike in drawn)
    assert dealt == pytest.approx(ODDS[blow] * ticks, rel=0.25)


def test_a_corner_says_the_same_whatever_the_timing() -> None:
    first, second = (Corner("cloud", 3, seed=5) for _ in range(2))
    said: list[list[Line]] = [[], []]
    for number in range(1, 100):
        for corner, lines in zip((first, second), said, strict=True):
            lines.append(corner.next(number))
            corner.pause_s()
            if corner.is_over:
                corner.move_on()
    assert said[0] == said[1]


def test_one_in_twenty_mentions_is_poison() -> None:
    corner, poisoned = Corner("cloud", 0, seed=1), 0
    for number in range(5000):
        poisoned += corner.next(number).asked.poison
        if corner.is_over:
            corner.move_on()
    assert poisoned / 5000 == pytest.approx(POISON, rel=0.25)


@given(st.lists(st.builds(Asked, number=st.integers(1, 10**6), sections=st.integers(1, 3)), max_size=4))
def test_an_answer_carries_every_mark_of_what_was_asked_in_order(wanted: list[Asked]) -> None:
    text = "\n".join(f"‹from Ann› {one.text()}" for one in wanted)
    assert asked(text) == wanted
    assert marks(answer(asked(text))) == [mark for one in wanted for mark in one.marks()]


@pytest.mark.parametrize("seed", range(5))
def test_few_platforms_are_one_of_every_class_and_those_of_vendors(seed: int) -> None:
    stages = Plan(seed=seed, platforms=(FEW,)).stages()
    assert [stage.platform_class.value for stage in stages] == ["A", "B", "C", "C", "C"]
    assert [stage.vendor for stage in stages[3:]] == [Vendor.TELEGRAM, Vendor.TWILIO]


def test_a_run_has_every_platform_unless_some_are_named() -> None:
    assert tuple(stage.name for stage in Plan().stages()) == NAMES
    assert [stage.name for stage in Plan(platforms=("twilio",)).stages()] == ["twilio"]
