"""G2 and G4 at every await point: a process is killed, or frozen past its lease, at each named step of a turn.

Real processes on a real Valkey, SQLite (PostgreSQL where a frozen process would hold the file) and fake platforms; what
counts is what the platforms' users see in the end. All cases are played side by side before the first one is judged.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.registry import PlatformClass
from tests.await_points.campaign import Played, open_campaign
from tests.await_points.cases import CASES
from tests.await_points.expected import complaints
from tests.await_points.gate import How
from tests.await_points.scenes import Case, Scene
from tests.await_points.steps import STEPS, passed
from tests.fixtures.valkey import RealServer, find_server

T = TypeVar("T")

pytestmark = [pytest.mark.timeout(900), pytest.mark.redis]


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Iterator[Played]:
    """Play every case that was asked for."""
    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    cases = [params["case"] for params in asked if isinstance(params.get("case"), Case)]
    scenes = [params["scene"] for params in asked if isinstance(params.get("scene"), Scene)]
    postgres = request.getfixturevalue("postgres") if any(case.on_postgres for case in cases) else None
    with tempfile.TemporaryDirectory(prefix="aside-ap-") as name:
        folder = Path(name)
        (folder / "valkey").mkdir()
        server = RealServer(find_server(), folder / "valkey", "--databases", "4096")
        server.start()
        try:
            yield asyncio.run(_play(folder, server.url, postgres, cases, scenes))
        finally:
            server.kill()


async def _play(folder: Path, redis_url: str, postgres, cases: list[Case], scenes: list[Scene]) -> Played:
    async with open_campaign(folder, redis_url=redis_url, postgres=postgres) as campaign:
        return await campaign.play_all(cases, [whole(scene) for scene in scenes])


def whole(scene: Scene) -> Case:
    """A case in which nobody is stopped."""
    return Case(scene=scene, platform_class=PlatformClass.A, how=How.KILL, step="")


@pytest.mark.parametrize("scene", list(Scene))
def test_a_turn_passes_exactly_the_steps_that_are_named(played: Played, scene: Scene) -> None:
    assert passed(scene, unless_failed(played.traces[scene])) == set(STEPS[scene])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_the_user_sees(played: Played, case: Case) -> None:
    assert complaints(case, unless_failed(played.endings[case])) == []


def test_hardly_any_case_had_to_be_played_twice(played: Played) -> None:
    """A machine under load may lose a lease of its own accord; what fails twice has failed."""
    assert len(played.again) <= max(3, len(played.endings) // 10), [case.id for case in played.again]


def unless_failed(outcome: T | Exception) -> T:
    """Return what came out of playing something, or raise what kept it from its end."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
