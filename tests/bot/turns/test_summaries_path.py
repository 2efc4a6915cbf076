"""Summaries over the whole path: asked for behind a reply, in no turn's way, and overtaken by a reset."""

import asyncio
from pathlib import Path

from adapters.base import Idempotency
from bot.telemetry.events import ContextCut, CutWithoutSummary, SummaryFailed, SummaryProblem, SummaryStored
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.rig import Rig, loopback, open_rig

WISH = "‹summary wanted›"
LONG = "and so on and so forth " * 5


def is_wish(request: ChatRequest) -> bool:
    return request.messages[-1].content.startswith(WISH)


class Engine(ScriptedEngine):
    """An engine of a small window whose summaries a test may hold back."""

    def __init__(self, summary: str) -> None:
        super().__init__(
            lambda request: summary if is_wish(request) else LONG, pace=self._hold, max_model_len=1024
        )
        self.let_go = asyncio.Event()

    def wishes(self) -> list[ChatRequest]:
        return [request for request in self.requests if is_wish(request)]

    async def _hold(self, request: ChatRequest, _n: int) -> None:
        if is_wish(request):
            await self.let_go.wait()


def reasons(rig: Rig) -> set[SummaryProblem]:
    return {failed.reason for failed in rig.told(SummaryFailed) if isinstance(failed, SummaryFailed)}


async def talk_until_a_summary_is_asked_for(rig: Rig, engine: Engine) -> None:
    n = 0
    while not engine.wishes():
        await rig.say(f"number {n}: {LONG}")
        await rig.settled()
        # The wish goes out beside the turns, a few steps behind the reply.
        for _ in range(50):
            await asyncio.sleep(0)
        n += 1


async def test_a_summary_stands_in_no_turns_way(tmp_path: Path) -> None:
    """While it is made the old log stays in use, and one that is not ready for the cut is told."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        engine = Engine("Ann said a lot")
        rig.start_worker(engine)
        await talk_until_a_summary_is_asked_for(rig, engine)
        while not rig.told(CutWithoutSummary):
            await rig.say(LONG)
            await rig.settled()
        assert not rig.told(ContextCut)
        assert len(engine.wishes()) == 1
        engine.let_go.set()
        await rig.until(lambda: bool(rig.told(SummaryFailed)))
        assert reasons(rig) == {SummaryProblem.OVERTAKEN}


async def test_a_reset_overtakes_a_summary(tmp_path: Path) -> None:
    """What was said before the reset does not come back by way of a summary."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        engine = Engine("Ann said a lot")
        rig.start_worker(engine)
        await talk_until_a_summary_is_asked_for(rig, engine)
        await rig.say("/reset")
        await rig.settled()
        engine.let_go.set()
        await rig.until(lambda: bool(rig.told(SummaryFailed)))
        await rig.say("hello")
        await rig.settled()
        assert len(engine.requests[-1].messages) == 2
        assert not rig.told(SummaryStored)


async def test_a_chat_whose_summaries_are_empty_goes_on(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        engine = Engine("‹from Ann›")
        engine.let_go.set()
        rig.start_worker(engine)
        for _ in range(30):
            await rig.say(LONG)
            await rig.settled()
        assert len(rig.told(CutWithoutSummary)) >= 2
        assert reasons(rig) == {SummaryProblem.EMPTY}
        assert len(rig.loopback.texts("room")) == 30
