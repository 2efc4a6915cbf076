"""A worker's sign of life: it comes while the loop turns, goes with the worker, and grows old when neither happens."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from bot.telemetry.pulse import Pulse, silent_for_s
from bot.turns.tasks import end


async def until_there(path: Path) -> None:
    async with asyncio.timeout(10):
        while not path.exists():  # noqa: ASYNC240 - a file in memory, and a test may wait
            await asyncio.sleep(0)


async def test_it_beats_while_the_loop_turns_and_goes_with_the_worker(tmp_path: Path) -> None:
    path = tmp_path / "pulse"
    beating = asyncio.create_task(Pulse(path, every_s=0.001).run())
    await until_there(path)
    first = path.read_text()
    async with asyncio.timeout(10):
        while path.read_text() == first:
            await asyncio.sleep(0)
    assert 0 <= silent_for_s(path) < 10
    await end({beating})
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a test may wait


async def test_a_disk_that_takes_nothing_is_told_once_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "gone"
    with caplog.at_level(logging.WARNING):
        beating = asyncio.create_task(Pulse(folder / "pulse", every_s=0).run())
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(caplog.records) == 1
    folder.mkdir()
    await until_there(folder / "pulse")
    await end({beating})


@pytest.mark.parametrize(
    ("content", "silent"),
    [
        pytest.param(lambda: f"{time.monotonic() - 100}", (100, 110), id="old"),
        pytest.param(lambda: f"{time.monotonic() + 1e6}", None, id="of the machine's last life"),
        pytest.param(lambda: "", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_how_long_it_has_been_silent(tmp_path: Path, content, silent) -> None:
    path = tmp_path / "pulse"
    if content is not None:
        path.write_text(content())
    if silent is None:
        assert silent_for_s(path) == float("inf")
    else:
        assert silent[0] <= silent_for_s(path) < silent[1]
