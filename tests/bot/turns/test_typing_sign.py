"""While a reply is on its way and nothing of it shows, the platform's own sign says that the assistant writes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput, Platform
from adapters.errors import AdapterError, RetryAfter, Unreachable
from bot.turns.typing_sign import TypingSign
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.remembered import a_chat
from tests.fixtures.rig import Rig, loopback, open_rig

_LASTS_S = 0.01


class Slow(ScriptedEngine):
    """Says its first word when it is let go, and the others when it is let go again."""

    def __init__(self) -> None:
        super().__init__(lambda _request: "it is noon", pace=self._held)
        self.first, self.others = asyncio.Event(), asyncio.Event()

    async def _held(self, _request: ChatRequest, n: int) -> None:
        await (self.others if n else self.first).wait()


async def typed(rig: Rig, times: int) -> None:
    """Wait until typing was shown so often."""
    await rig.until(lambda: len(rig.loopback.typed) >= times)


async def goes_on(rig: Rig) -> bool:
    """Tell whether typing is shown again within ten of its lives."""
    before = len(rig.loopback.typed)
    await asyncio.sleep(_LASTS_S * 10)
    return len(rig.loopback.typed) > before


async def test_it_stands_until_a_reply_that_comes_whole_is_there(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(typing_lasts_s=_LASTS_S)) as rig:
        engine = Slow()
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await typed(rig, 3)
        engine.first.set()
        await typed(rig, len(rig.loopback.typed) + 2)
        engine.others.set()
        assert await rig.texts(1) == ["it is noon"]
        assert not await goes_on(rig)
        assert set(rig.loopback.typed) == {"room"}


async def test_it_gives_way_to_the_first_words(tmp_path: Path) -> None:
    platform = loopback(Idempotency.KEYED, LiveOutput.EDIT, typing_lasts_s=_LASTS_S)
    async with open_rig(tmp_path, platform=platform) as rig:
        engine = Slow()
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await typed(rig, 2)
        engine.first.set()
        await rig.until(lambda: bool(rig.loopback.texts("room")))
        assert not await goes_on(rig)
        engine.others.set()
        await rig.until(lambda: rig.loopback.texts("room") == ["it is noon"])


async def test_a_platform_that_refuses_it_is_not_asked_again_and_answers_all_the_same(tmp_path: Path) -> None:
    platform, asked = refusing(loopback(typing_lasts_s=_LASTS_S), lambda: Unreachable("down"))
    async with open_rig(tmp_path, platform=platform) as rig:
        engine = Slow()
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.until(lambda: bool(asked))
        await asyncio.sleep(_LASTS_S * 5)
        engine.first.set()
        engine.others.set()
        assert await rig.texts(1) == ["it is noon"]
        assert asked == ["room"]


async def test_a_wish_to_wait_is_kept() -> None:
    platform, asked = refusing(loopback(typing_lasts_s=_LASTS_S), lambda: RetryAfter(60))
    async with TypingSign(platform).during(a_chat(conversation="room")):
        await asyncio.sleep(_LASTS_S * 10)
    assert asked == ["room"]


@pytest.mark.parametrize("platform", [loopback(), replace(loopback(typing_lasts_s=5.0), typing=None)])
async def test_where_there_is_none_nothing_is_asked(platform: Platform) -> None:
    async with TypingSign(platform).during(a_chat(conversation="room")):
        await asyncio.sleep(0)
    assert platform.adapter.typed == []  # type: ignore[attr-defined] - the loopback one


def refusing(platform: Platform, error: Callable[[], AdapterError]) -> tuple[Platform, list[str]]:
    """Have the platform refuse to show typing; return it with the conversations it was asked for."""
    asked: list[str] = []

    class Refusing:
        async def typing(self, account: str, conversation: str) -> None:
            asked.append(conversation)
            raise error()

    return replace(platform, typing=Refusing()), asked
