"""What is opened is closed, and may be opened and closed again."""

import pytest

from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.operations import send
from tests.contracts.adapters.subjects import having


@having(Ability.RUNS)
async def test_a_cancelled_run_cleans_up(harness) -> None:
    await harness.deliver("k1")
    await harness.cancel()
    assert harness.is_clean()


@having(Ability.RUNS)
async def test_a_source_runs_twice_and_is_cancelled_twice(harness) -> None:
    assert await harness.deliver("k1")
    for _ in range(2):
        await harness.cancel()
    await harness.run_again()
    assert await harness.deliver("k2")
    assert len({event.event_key for event in harness.sink.events}) == 2
    for _ in range(2):
        await harness.cancel()
    assert harness.is_clean()


@having(Ability.LIFETIME)
async def test_connections_are_closed_twice_and_opened_again(harness) -> None:
    await send(harness, "one", op_id="1")
    for _ in range(2):
        await harness.lifetime.__aexit__(None, None, None)
    with pytest.raises(Exception, match=r"lifetime|closed"):
        await send(harness, "nobody reads this", op_id="2")
    await harness.lifetime.__aenter__()
    await send(harness, "three", op_id="3")
    assert await harness.visible() == ["one", "three"]
