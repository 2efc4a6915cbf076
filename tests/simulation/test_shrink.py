"""A failing schedule is made as short as its failure allows, and still fails."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import LiveOutput
from tests.simulation.schedule import Erase, Freeze, Say, Schedule, draw
from tests.simulation.shrink import shrink


def _with(schedule: Schedule, *events: Erase | Freeze | Say) -> Schedule:
    return replace(schedule, events=(*schedule.events, *events), workers=3)


_ERASE = Erase(at_s=3.25)
_FREEZE = Freeze(at_s=4.25, process="worker 2", for_s=5.0)
_SAY = Say(at_s=0.75, number=99, conversation="lobby", sender="ann", parts=2, copies=4)


def _fails(schedule: Schedule) -> bool:
    says = [event for event in schedule.events if isinstance(event, Say) and event.parts == 2]
    return _ERASE in schedule.events and _FREEZE in schedule.events and bool(says)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_only_what_is_needed_stays(seed: int):
    shortest = shrink(_with(draw(seed), _ERASE, _FREEZE, _SAY), _fails)
    assert _fails(shortest)
    assert len(shortest.events) == 3
    assert shortest.workers == 2, "the third is not needed, the second is named"
    assert shortest.live is LiveOutput.NONE


def test_the_runs_are_bounded():
    asked = []

    def fails(schedule: Schedule) -> bool:
        asked.append(schedule)
        return _fails(schedule)

    shrink(_with(draw(1), _ERASE, _FREEZE, _SAY), fails, most_runs=5)
    assert len(asked) == 5
