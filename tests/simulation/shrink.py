"""Making a failing schedule short: what is left fails still, and nothing of it can be left out."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from adapters.base import LiveOutput
from tests.simulation.schedule import Event, Say, Schedule

#: Tells whether a schedule still fails in the way that is looked for.
Fails = Callable[[Schedule], bool]


def shrink(schedule: Schedule, fails: Fails, *, most_runs: int = 400) -> Schedule:
    """Leave out and simplify, greedily, until nothing more can go or the runs are used up.

    First by halves, quarters and so on, as delta debugging does (Zeller and Hildebrandt 2002), then one by one.
    """
    runs = 0

    def still_fails(candidate: Schedule) -> bool:
        nonlocal runs
        runs += 1
        return runs <= most_runs and fails(candidate)

    smallest = _without_chunks(schedule, still_fails)
    while shorter := next(filter(still_fails, _simpler(smallest)), None):
        smallest = shorter
    return smallest


def _without_chunks(schedule: Schedule, still_fails: Fails) -> Schedule:
    size = len(schedule.events) // 2
    while size > 1:
        at = 0
        while at < len(schedule.events):
            events = schedule.events[:at] + schedule.events[at + size :]
            candidate = replace(schedule, events=events)
            if still_fails(candidate):
                schedule = candidate
            else:
                at += size
        size //= 2
    return schedule


def _simpler(schedule: Schedule) -> Iterator[Schedule]:
    """Make every schedule that is one step simpler."""
    events = schedule.events
    for at in range(len(events)):
        yield replace(schedule, events=events[:at] + events[at + 1 :])
    for at, event in enumerate(events):
        for simpler in _simpler_events(event):
            yield replace(schedule, events=(*events[:at], simpler, *events[at + 1 :]))
    named = {getattr(event, "process", "") for event in events}
    if schedule.workers > 1 and f"worker {schedule.workers}" not in named:
        yield replace(schedule, workers=schedule.workers - 1)
    if schedule.gateways > 1 and f"gateway {schedule.gateways}" not in named:
        yield replace(schedule, gateways=schedule.gateways - 1)
    if schedule.live is not LiveOutput.NONE:
        yield replace(schedule, live=LiveOutput.NONE)


def _simpler_events(event: Event) -> Iterator[Event]:
    if not isinstance(event, Say):
        return
    if event.copies:
        yield replace(event, copies=0)
    if event.parts > 1:
        yield replace(event, parts=1)
    if event.poison:
        yield replace(event, poison=False)
    if event.sender != "ann":
        yield replace(event, sender="ann")
