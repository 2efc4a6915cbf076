"""The controller finds how much an engine works on at once, keeps hardly anything waiting in it, and is fair."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.admission import Admission
from engine.base import EngineLoad

IDLE = EngineLoad(running=0, waiting=0)


def looks(admissions: list[Admission], capacity: int, rounds: int) -> list[int]:
    """Let senders with endless work look at an engine; return how many requests waited in it at each look."""
    waiting = []
    for _ in range(rounds):
        in_hand = [admission.limit for admission in admissions]
        total = sum(in_hand)
        load = EngineLoad(running=min(total, capacity), waiting=max(0, total - capacity))
        waiting.append(load.waiting)
        for admission, mine in zip(admissions, in_hand, strict=True):
            admission.observe(load, mine)
    return waiting


def test_all_slots_are_open_at_first() -> None:
    assert Admission(8).limit == 8


def test_at_least_one_slot_there_is() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Admission(0)


def test_a_request_that_has_just_come_changes_nothing() -> None:
    admission = Admission(8)
    admission.observe(EngineLoad(running=7, waiting=1), 8)
    admission.observe(EngineLoad(running=8, waiting=0), 8)
    assert admission.observe(EngineLoad(running=7, waiting=1), 8) == 8


def test_what_the_engine_does_not_work_on_is_given_up() -> None:
    admission = Admission(16)
    for _ in range(2):
        admission.observe(EngineLoad(running=4, waiting=12), 16)
    assert admission.limit == 4


def test_while_the_rest_ends_the_limit_falls_no_further() -> None:
    admission = Admission(16)
    for in_hand in (16, 16, 13, 10, 7, 5):
        admission.observe(EngineLoad(running=4, waiting=in_hand - 4), in_hand)
    assert admission.limit == 4


@pytest.mark.parametrize("capacity", [1, 3, 8, 20, 64])
def test_the_limit_settles_at_what_the_engine_does_at_once(capacity: int) -> None:
    admission = Admission(64)
    waiting = looks([admission], capacity, 400)
    assert capacity <= admission.limit <= capacity + 2
    assert sum(waiting[50:]) / len(waiting[50:]) <= 1.5


def test_an_engine_that_can_do_more_is_filled_again_within_a_minute() -> None:
    admission = Admission(64)
    looks([admission], 2, 50)
    assert admission.limit <= 4
    looks([admission], 64, 60)
    assert admission.limit >= 50


def test_two_senders_share_an_engine_without_knowing_of_each_other() -> None:
    admissions = [Admission(16), Admission(16)]
    looks(admissions, 8, 300)
    assert 8 <= sum(each.limit for each in admissions) <= 11
    assert abs(admissions[0].limit - admissions[1].limit) <= 2


def test_a_limit_that_nobody_reaches_is_not_raised() -> None:
    admission = Admission(16)
    for _ in range(2):
        admission.observe(EngineLoad(running=4, waiting=12), 16)
    for _ in range(100):
        admission.observe(IDLE, 0)
    assert admission.limit == 4


@given(
    st.integers(1, 1024),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 1024)), max_size=50),
)
def test_the_limit_stays_from_one_to_the_most(most: int, seen: list[tuple[int, int, int]]) -> None:
    admission = Admission(most)
    for running, waiting, in_hand in seen:
        assert 1 <= admission.observe(EngineLoad(running=running, waiting=waiting), in_hand) <= most
