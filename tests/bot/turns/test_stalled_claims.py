"""A process that stalls while it shows something of its own takes nothing from what others have shown meanwhile."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Idempotency, LiveOutput
from bot.bootstrap import make_notices, make_worker
from bot.errors import StoreUnavailable
from tests.fixtures.freezing import Freezer
from tests.fixtures.rig import PATIENCE_S, QUICK, loopback, open_rig, saying

GARBAGE = "\x00\x01\x02\x7f" * 50
CLASSES = list(Idempotency)


class Counted:
    """A journal that counts the claims of notices."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.claims = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def claim_notice(self, *args: Any) -> Any:
        """Count, then pass it on."""
        self.claims += 1
        return await self._inner.claim_notice(*args)


@pytest.mark.parametrize("idempotency", CLASSES)
async def test_a_notice_whose_claim_has_ended_is_another_ones_to_send(
    tmp_path: Path, idempotency: Idempotency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.turns.notices.AT_ONCE", 1)
    delays = replace(QUICK, notice_claim_s=0.1)
    async with open_rig(tmp_path, platform=loopback(idempotency), delays=delays) as rig:
        freezer = Freezer("after journal claim_notice")
        await rig.say(GARBAGE)
        stalled = freezer.core(rig.core)
        journal = Counted(stalled.journal)
        rig.run(make_notices(replace(stalled, journal=journal)).run())
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        rig.start_notices()
        await rig.until(lambda: len(rig.loopback.texts("room")) == 1)
        freezer.thaw()
        await rig.until(lambda: journal.claims > 1)  # it is done with what it had in hand
        assert len(rig.loopback.texts("room")) == 1


class Unkept:
    """A journal whose commit of a placeholder is lost with its connection, and of which nobody knows."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def placeholder_posted(self, turn: Any, message: str) -> None:
        """Take nothing."""
        await self._inner.sign_of(turn.id)  # a point to stall at
        raise StoreUnavailable("the connection was lost")


@pytest.mark.parametrize("idempotency", CLASSES)
async def test_a_placeholder_that_became_the_answer_is_not_taken_back(
    tmp_path: Path, idempotency: Idempotency
) -> None:
    """On a keyed platform whoever goes on is given the very message that the stalled worker had posted."""
    async with open_rig(tmp_path, platform=loopback(idempotency, LiveOutput.EDIT)) as rig:
        freezer = Freezer("before journal sign_of")
        stalled = freezer.core(rig.core)
        stalled = replace(stalled, journal=Unkept(stalled.journal))
        worker, _ = make_worker(stalled, freezer.engine("one two three four"), embedded=False)
        first = rig.run(worker.run())
        await rig.say("count")
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        rig.scheduler.erase()
        rig.start_worker(saying("four five six"))
        await rig.settled()
        freezer.thaw()
        await rig.until(lambda: not worker._serves)
        await rig.settled()
        assert "four five six" in rig.loopback.texts("room")
        first.cancel()
