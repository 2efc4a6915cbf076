"""What runs beside the turns is begun anew when it breaks."""

import asyncio

import pytest

from bot.turns.companions import kept_alive
from bot.turns.tasks import end
from tests.fixtures.rig import PATIENCE_S


class Fragile:
    """Breaks so often, then goes on."""

    def __init__(self, breaks: int) -> None:
        self.begun = 0
        self.goes_on = asyncio.Event()
        self._breaks = breaks

    async def run(self) -> None:
        self.begun += 1
        if self.begun <= self._breaks:
            raise KeyError("a fault of ours")
        self.goes_on.set()
        await asyncio.Event().wait()


async def test_a_companion_that_breaks_is_begun_anew_and_each_time_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    companion = Fragile(2)
    task = asyncio.create_task(kept_alive(companion.run, pause_s=0.001))
    async with asyncio.timeout(PATIENCE_S):
        await companion.goes_on.wait()
    assert caplog.text.count("unexpected KeyError") == 2
    await end({task})
    assert task.cancelled()
    assert companion.begun == 3
