"""The promises hold in every run, a run is the same every time, and thousands of runs take a minute."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.base import Idempotency
from tests.simulation.campaign import explain, failures, shortened

#: About half a minute of one core in all; `make simulate SEEDS=100000` runs more.
SEEDS = 170
_ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("idempotency", list(Idempotency), ids=lambda each: each.value)
def test_the_promises_hold(idempotency: Idempotency):
    """Whatever dies, freezes, is lost or erased: G1 to G4, G6 and G10."""
    found = failures(range(SEEDS), idempotency=idempotency)
    failure = next((failure for failure in found if failure is not None), None)
    assert failure is None, explain(shortened(failure))


def _told(seed: int, hash_seed: str) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(seed)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert not run.stderr, run.stderr
    return run.stdout


def test_the_same_seed_is_the_same_run():
    """Also in another process, where sets of texts have another order."""
    one, other = _told(7, "1"), _told(7, "2")
    assert "EVENT" in one, "a run with nothing in it shows nothing"
    assert one == other
