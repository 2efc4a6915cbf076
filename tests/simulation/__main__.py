"""`python -m tests.simulation`: many seeds, or one of them told in full."""

import argparse
import os
import sys
import time

from adapters.base import Idempotency
from tests.simulation.campaign import Failure, explain, shortened, timeline
from tests.simulation.deployment import Parts
from tests.simulation.faulty import FAULTY
from tests.simulation.schedule import draw
from tests.simulation.spread import failures_on, parts_of
from tests.simulation.verdict import judge
from tests.simulation.world import simulate

_TELL_EVERY_S = 5.0


def main() -> int:
    """Run what the command line asks for; 1 if any promise was broken."""
    options = _options()
    parts = parts_of(options.faulty)
    if options.seed is not None:
        return _tell_one(options, parts)
    return _run_many(options, parts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many runs")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="tell this one run in full instead")
    parser.add_argument("--shrink", action="store_true", help="with --seed: shorten it first, if it fails")
    parser.add_argument("--class", dest="idempotency", choices=[each.value for each in Idempotency])
    parser.add_argument("--faulty", choices=list(FAULTY), help="inject a faulty collaborator")
    parser.add_argument("--minutes", type=float, help="end after so many minutes at the latest")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--most-failures", type=int, default=3, help="end after so many")
    return parser.parse_args()


def _class(options: argparse.Namespace) -> Idempotency | None:
    return Idempotency(options.idempotency) if options.idempotency else None


def _tell_one(options: argparse.Namespace, parts: Parts) -> int:
    schedule = draw(options.seed, idempotency=_class(options))
    violations = judge(simulate(schedule, parts))
    failure = Failure(schedule=schedule, violations=tuple(violations))
    if violations:
        _say(explain(shortened(failure, parts) if options.shrink else failure, parts))
        return 1
    _say(f"seed {options.seed}, {schedule}", "timeline:")
    _say(*timeline(simulate(schedule, parts, tracing=True)))
    return 0


def _run_many(options: argparse.Namespace, parts: Parts) -> int:
    began_s = told_s = time.monotonic()
    ran, failed = 0, 0
    seeds = range(options.first, options.first + options.seeds)
    for failure in failures_on(options.processes, seeds, faulty=options.faulty, idempotency=_class(options)):
        ran += 1
        if failure is not None:
            failed += 1
            _say(explain(shortened(failure, parts), parts), "")
        took_s = time.monotonic() - began_s
        if took_s - told_s + began_s >= _TELL_EVERY_S and sys.stderr.isatty():
            told_s = time.monotonic()
            sys.stderr.write(f"{ran} of {options.seeds} seeds, {failed} failed\n")
        if failed >= options.most_failures or (options.minutes and took_s > options.minutes * 60):
            break
    rate = ran / max(took_s, 1e-9) * 60
    _say(
        f"seeds={ran} failed={failed} first={options.first} seconds={took_s:.1f} seeds_per_minute={rate:.0f}"
    )
    return 1 if failed else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
