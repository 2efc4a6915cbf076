"""Each of five faulty collaborators is found within a few hundred seeds, and its failure shrunk to a short schedule."""

import pytest

from tests.simulation.campaign import explain, failures, shortened
from tests.simulation.faulty import FAULTY
from tests.simulation.verdict import Promise

#: Seeds within which each is found; what finds it first is told by the failing test.
WITHIN = 600
#: People, a fault or two, and what makes the fault matter.
SHORT = 6

_BREAKS = {
    "no fence on renew": {Promise.FENCE, Promise.ONCE},
    "fence checked only in Redis": {Promise.FENCE, Promise.ONCE},
    "acknowledged before commit": {Promise.ANSWERED},
    "reply regenerated": {Promise.ONCE, Promise.FENCE},
    "done before sent": {Promise.ANSWERED, Promise.FENCE},
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(FAULTY))
def test_it_is_found(name: str):
    parts = FAULTY[name]
    found = next(
        (each for each in failures(range(WITHIN), parts) if each and each.promises & _BREAKS[name]), None
    )
    assert found is not None, f"{name} was not found within {WITHIN} seeds"
    short = shortened(found, parts)
    assert short.promises & _BREAKS[name], explain(short, parts)
    assert len(short.schedule.events) <= SHORT, explain(short, parts)


def test_all_five_are_looked_for():
    assert set(FAULTY) == set(_BREAKS)
    assert len(FAULTY) == 5
