"""Prefix breaks on the whole path: none while a chat goes on, and the right one when it does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.telemetry.events import BreakCause, PrefixBroken
from bot.turns.journal.rows import chats
from engine.scripted import ScriptedEngine
from engine.scripted_cache import PrefixCache
from tests.fixtures.rig import Rig, open_rig, saying

REPLY = "considerable information regarding everything discussed"
TURNS = 6


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as opened:
        yield opened


async def talk(rig: Rig, turns: int, *, said: int = 0) -> int:
    """Have a chat go on, with a question of its own each time; return how much was said by then."""
    for number in range(said, said + turns):
        await rig.say(f"question {number} " + f"word{number} " * 30)
        await rig.texts(number + 1)
    return said + turns


def causes(rig: Rig) -> list[BreakCause]:
    return [event.cause for event in rig.events if isinstance(event, PrefixBroken)]


async def test_a_chat_that_goes_on_breaks_nothing(rig: Rig) -> None:
    engine = saying(REPLY)
    rig.start_worker(engine)
    await talk(rig, TURNS)
    assert causes(rig) == []
    salts = {request.cache_salt for request in engine.requests}
    assert len(salts) == 1


async def test_a_reset_is_told_as_one(rig: Rig) -> None:
    rig.start_worker(saying(REPLY))
    said = await talk(rig, TURNS)
    await rig.say("/reset")
    await rig.texts(said + 1)
    await talk(rig, 3, said=said + 1)
    assert causes(rig) == [BreakCause.RESET]


async def test_forgetting_gives_the_chat_another_salt(rig: Rig) -> None:
    engine = saying(REPLY)
    rig.start_worker(engine)
    said = await talk(rig, TURNS)
    async with rig.core.database.write() as connection:
        await connection.execute(update(chats).values(salt_epoch=chats.c.salt_epoch + 1))
    await talk(rig, 2, said=said)
    assert causes(rig) == [BreakCause.SALT]
    assert len({request.cache_salt for request in engine.requests}) == 2


async def test_what_the_engine_lost_is_told_with_numbers(rig: Rig) -> None:
    engine = ForgetfulEngine(lambda request: REPLY)
    rig.start_worker(engine)
    said = await talk(rig, TURNS)
    engine.forget()
    await talk(rig, 2, said=said)
    [broken] = rig.told(PrefixBroken)
    assert isinstance(broken, PrefixBroken)
    assert (broken.cause, broken.cached_tokens, broken.message_index) == (BreakCause.EVICTED, 0, 0)
    assert broken.predicted_tokens > 100


class ForgetfulEngine(ScriptedEngine):
    """An engine whose cache can be emptied."""

    def forget(self) -> None:
        """Empty it."""
        self._cache = PrefixCache()
