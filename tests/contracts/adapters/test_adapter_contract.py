"""The contract that every adapter keeps: each is found by its manifest, and says what its platform does not have.

The cases are beside this, a file for each concern; each names the abilities it needs and runs on every adapter that
does not lack one of them. A harness (`harness.py`) makes one adapter over whatever stands for its platform.
"""

import pytest

from adapters.registry import manifests
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.subjects import HARNESSES

#: The adapters that come with the product: what only a test's own platform has is not shown by any of these.
SHIPPED = frozenset(manifest.name for manifest in manifests())
_PAIRS = [(name, ability) for name in HARNESSES for ability in Ability]


def test_every_adapter_has_a_harness() -> None:
    assert SHIPPED
    assert set(HARNESSES) >= SHIPPED


@pytest.mark.parametrize("ability", Ability)
def test_every_case_is_run_by_an_adapter_of_ours(ability: Ability) -> None:
    """Otherwise the contract would promise what nothing shows."""
    names = {name.partition("-")[0] for name, make in HARNESSES.items() if ability not in make().lacks}
    assert names & SHIPPED


@pytest.mark.parametrize(("name", "ability"), _PAIRS, ids=[f"{name}-{ability}" for name, ability in _PAIRS])
def test_a_harness_has_what_it_shows_and_says_why_it_lacks_the_rest(name: str, ability: Ability) -> None:
    lacks = HARNESSES[name]().lacks
    assert ability not in lacks or len(lacks[ability].split()) > 2, f"{name} does not say why"
