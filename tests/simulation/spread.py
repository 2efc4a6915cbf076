"""Seeds spread over processes: each runs a handful at a time, and they come back in order."""

import multiprocessing
from collections.abc import Iterator
from functools import partial

from adapters.base import Idempotency
from tests.simulation.campaign import Failure, failures
from tests.simulation.deployment import Parts
from tests.simulation.faulty import FAULTY

_HANDFUL = 50


def failures_on(
    processes: int, seeds: range, *, faulty: str | None = None, idempotency: Idempotency | None = None
) -> Iterator[Failure | None]:
    """Run seeds on so many processes; yield what each broke, or None for a good run."""
    handfuls = [seeds[first : first + _HANDFUL] for first in range(0, len(seeds), _HANDFUL)]
    # A collaborator is a function of this module's making: what travels is its name.
    run = partial(_run, faulty, idempotency)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for found in pool.imap(run, handfuls):
            yield from found


def parts_of(faulty: str | None) -> Parts:
    """Choose the collaborators: the project's own, or with a faulty one among them."""
    return FAULTY[faulty] if faulty else Parts()


def _run(faulty: str | None, idempotency: Idempotency | None, seeds: range) -> list[Failure | None]:
    return list(failures(seeds, parts_of(faulty), idempotency=idempotency))
