"""A worker stalls at every point of a turn, another one takes over, the first one wakes (G2, G4)."""

import asyncio
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput
from bot.bootstrap import make_worker
from bot.turns.tasks import end
from tests.fixtures.freezing import Freezer
from tests.fixtures.labels import unlabelled
from tests.fixtures.rig import PATIENCE_S, Rig, loopback, open_rig, saying

LIVE_POINTS = (
    "after journal claim",
    "engine piece 2",
    "before platform send",
    "after platform send",
    "before journal placeholder_posted",
    "after journal placeholder_posted",
    "before platform edit",
    "after platform edit",
    "before journal store_reply",
    "after journal store_reply",
    "before journal start_part",
    "after journal start_part",
    "before journal part_sent",
    "after journal part_sent",
    "before journal finish",
    "after journal finish",
)
PLAIN_POINTS = tuple(point for point in LIVE_POINTS if point not in LIVE_POINTS[4:8])
OLD, NEW = "the first worker says one two three", "the second worker says four five six"


async def stored_text(rig: Rig) -> str:
    chat = await rig.journal.chat_by_conversation(rig.loopback.name, "main", "room")
    assert chat is not None
    [exchange] = await rig.journal.exchanges(chat, 2**62)
    return exchange.reply


async def taken_over(rig: Rig, point: str) -> list[str]:
    """Freeze a worker at a point, let another finish the turn, wake the first; return what stands at the end."""
    freezer = Freezer(point)
    worker, _ = make_worker(freezer.core(rig.core), freezer.engine(OLD), embedded=False)
    stalled = rig.run(worker.run())
    await rig.say("count")
    async with asyncio.timeout(PATIENCE_S):
        await freezer.frozen.wait()
    rig.scheduler.erase()  # its lease is gone, without waiting for it to end
    rig.start_worker(saying(NEW))
    await rig.settled()
    freezer.thaw()
    await end({stalled})
    await rig.settled()
    return unlabelled(rig.loopback.texts("room"))


@pytest.mark.parametrize("point", LIVE_POINTS)
@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_with_a_placeholder_the_stored_text_stands_and_no_second_answer(
    tmp_path: Path, idempotency: Idempotency, point: str
) -> None:
    """The answer is an edit: no class shows it twice, wherever a worker stalls."""
    async with open_rig(tmp_path, platform=loopback(idempotency, LiveOutput.EDIT), drain_s=20.0) as rig:
        texts = await taken_over(rig, point)
        assert texts == [await stored_text(rig)]


@pytest.mark.parametrize("point", PLAIN_POINTS)
@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_without_a_placeholder_only_a_stall_inside_the_send_may_show_it_twice(
    tmp_path: Path, idempotency: Idempotency, point: str
) -> None:
    async with open_rig(tmp_path, platform=loopback(idempotency), drain_s=20.0) as rig:
        texts = await taken_over(rig, point)
        assert set(texts) == {await stored_text(rig)}
        assert len(texts) <= most_answers(idempotency, point)


def most_answers(idempotency: Idempotency, point: str) -> int:
    if idempotency is Idempotency.KEYED:
        return 1
    if idempotency is Idempotency.READ_BACK:
        return 2 if point == "before platform send" else 1
    doubtful = ("before platform send", "after platform send", "before journal part_sent")
    return 2 if point in doubtful else 1
