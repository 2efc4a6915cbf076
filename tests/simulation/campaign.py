"""Many seeds, one after another: which fail, and the shortest schedule that fails in the same way."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from adapters.base import Idempotency
from tests.simulation.deployment import Parts
from tests.simulation.evidence import Evidence
from tests.simulation.schedule import Schedule, draw
from tests.simulation.shrink import shrink
from tests.simulation.verdict import Promise, Violation, judge
from tests.simulation.world import simulate

#: Runs leave many tasks and frames behind that know each other; the collector looks at them so often.
_COLLECT_EVERY = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A run that broke a promise."""

    schedule: Schedule
    violations: tuple[Violation, ...]

    @property
    def promises(self) -> set[Promise]:
        return {violation.promise for violation in self.violations}


def failures(
    seeds: Iterable[int], parts: Parts | None = None, *, idempotency: Idempotency | None = None
) -> Iterator[Failure | None]:
    """Run seeds; yield what each broke, or None for a good run."""
    with _collecting_rarely() as ran:
        for seed in seeds:
            schedule = draw(seed, idempotency=idempotency)
            violations = judge(simulate(schedule, parts))
            ran()
            yield Failure(schedule=schedule, violations=tuple(violations)) if violations else None


def shortened(failure: Failure, parts: Parts | None = None) -> Failure:
    """Shrink a failing schedule to a short one that breaks one of the same promises."""

    def fails(schedule: Schedule) -> bool:
        return any(violation.promise in failure.promises for violation in judge(simulate(schedule, parts)))

    schedule = shrink(failure.schedule, fails)
    violations = judge(simulate(schedule, parts))
    return Failure(schedule=schedule, violations=tuple(violations))


def explain(failure: Failure, parts: Parts | None = None) -> str:
    """Tell a failure so that it can be followed: the schedule, what was broken, and what happened when."""
    evidence = simulate(failure.schedule, parts, tracing=True)
    broken = [f"  {violation}" for violation in failure.violations]
    return "\n".join(
        [
            f"seed {failure.schedule.seed}, {failure.schedule}",
            "broken:",
            *broken,
            "timeline:",
            *timeline(evidence),
        ]
    )


def timeline(evidence: Evidence) -> Iterator[str]:
    """Tell a run, a line an event, turns named by what they answer."""
    names = {turn.id: "+".join(f"#m{mention}" for mention in turn.mentions) for turn in evidence.turns}
    for at_s, who, what in evidence.lines:
        for turn_id, name in names.items():
            what = what.replace(turn_id, f"({name})").replace(turn_id[:16], f"({name})")  # noqa: PLW2901 - the same text, readable
        yield f"{at_s:8.3f}  {who:10}  {what}"


@contextmanager
def _collecting_rarely() -> Iterator[object]:
    was_on, count = gc.isenabled(), 0

    def ran() -> None:
        nonlocal count
        count += 1
        if count % _COLLECT_EVERY == 0:
            gc.collect()

    gc.disable()
    try:
        yield ran
    finally:
        if was_on:
            gc.enable()
