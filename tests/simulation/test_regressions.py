"""Schedules that once broke a promise, as short as they could be made."""

from collections.abc import Sequence

import pytest

from adapters.base import Idempotency, LiveOutput
from tests.simulation.campaign import Failure, explain
from tests.simulation.schedule import Blow, Erase, Event, Moment, Say, Schedule, Seam, Strike
from tests.simulation.verdict import judge
from tests.simulation.world import simulate

#: The seeds draw the latencies: in one of them what the schedule wants to meet meets.
_SEEDS = tuple(range(12))


def _says(number: int, at_s: float) -> Say:
    return Say(at_s=at_s, number=number, conversation="lobby", sender="ann")


def _erased_at(process: str, seam: Seam, call: int, moment: Moment) -> Strike:
    return Strike(process=process, seam=seam, call=call, moment=moment, blow=Blow.ERASE)


def _check(
    idempotency: Idempotency,
    live: LiveOutput,
    *events: Event,
    workers: int,
    seeds: Sequence[int] = _SEEDS,
) -> None:
    for seed in seeds:
        schedule = Schedule(
            seed=seed, idempotency=idempotency, live=live, gateways=1, workers=workers, events=events
        )
        violations = tuple(judge(simulate(schedule)))
        assert not violations, explain(Failure(schedule=schedule, violations=violations))


def test_a_schedule_erased_during_a_send_sends_nothing_twice():
    """The chat was given to another at once, who looked for the message before it had arrived, and sent it again."""
    strikes = [_erased_at(f"worker {n}", Seam.PLATFORM, 1, Moment.BEFORE) for n in (1, 2, 3)]
    _check(Idempotency.READ_BACK, LiveOutput.NONE, _says(1, 1.0), *strikes, workers=3)


@pytest.mark.parametrize("at_s", [2.1, 2.3])
def test_an_edit_on_its_way_when_the_reply_is_complete_is_not_cut_off(at_s: float):
    """Losing the lease at that moment did, and what was cut off arrived behind the successor's final text."""
    _check(Idempotency.KEYED, LiveOutput.EDIT, _says(1, 1.0), _says(2, 1.2), Erase(at_s=at_s), workers=1)


def test_a_late_edit_under_an_erased_lease_does_not_stand():
    """Who lost its lease with the schedule edited on until its next KEEP, over the final text of its successor."""
    erased = _erased_at("gateway 1", Seam.STORE, 16, Moment.AFTER)
    said = (_says(1, 1.66), _says(3, 2.88), _says(2, 3.72))
    _check(Idempotency.NONE, LiveOutput.EDIT, *said, erased, workers=1, seeds=(30859, *_SEEDS))
