"""What changes while a line stands: shorter answers, then refusals; and no generation that nobody would wait for."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.base import Outcome
from bot.skills.answer import CUT_MARK, SHORT_MARK
from bot.turns.attempt import Attempt, AttemptSettings
from bot.turns.line import STANDS_AFTER_S, Pace
from bot.turns.model import NoticeKind
from engine.scripted import ScriptedEngine
from tests.fixtures.clocks import ManualClock
from tests.fixtures.rig import Rig, open_rig

#: With one chat ready a minute's wait.
MINUTE = Pace(slots=1, turn_s=60 / 1.7)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as rig:
        yield rig


def endless() -> ScriptedEngine:
    return ScriptedEngine(lambda _: "on and " * 2_000)


async def test_answers_become_shorter_and_say_so(rig: Rig) -> None:
    rig.core.line.learn(1, MINUTE, 0.0)
    engine = endless()
    rig.start_worker(engine)
    await rig.say("tell me everything")
    [text] = await rig.texts(1)
    assert engine.requests[0].max_tokens == rig.core.settings.engine.max_reply_tokens // 2
    assert text.endswith(SHORT_MARK)


async def test_without_a_line_answers_are_as_long_as_ever(rig: Rig) -> None:
    rig.core.line.learn(0, MINUTE, 0.0)
    engine = endless()
    rig.start_worker(engine)
    await rig.say("tell me everything")
    [text] = await rig.texts(1)
    assert engine.requests[0].max_tokens == rig.core.settings.engine.max_reply_tokens
    assert text.endswith(CUT_MARK)


async def test_a_line_that_stands_lets_nobody_in_who_would_wait_long_and_says_when_to_ask_again(
    rig: Rig,
) -> None:
    long_line = Pace(slots=8, turn_s=8.0)
    rig.core.line.learn(99, long_line, 0.0)
    assert (await rig.say("what time is it?")).outcome is Outcome.ACCEPTED
    rig.core.line.learn(99, long_line, STANDS_AFTER_S)
    assert (await rig.say("what time is it?", conversation="other")).outcome is Outcome.REFUSED
    rig.start_notices()
    await rig.until(lambda: bool(rig.loopback.texts("other")))
    assert "Please ask again in about 2 minutes." in rig.loopback.texts("other")[0]


@pytest.mark.parametrize(
    ("left_s", "usual_s", "ending"),
    [
        pytest.param(30.0, None, None, id="nobody knows how long an answer takes"),
        pytest.param(0.0, None, NoticeKind.EXPIRED, id="the deadline"),
        pytest.param(6.0, 10.0, None, id="half an answer fits in"),
        pytest.param(4.0, 10.0, NoticeKind.EXPIRED, id="not even half of one does"),
        pytest.param(31.0, 300.0, None, id="more than a tenth of the time allowed is left"),
    ],
)
async def test_no_answer_is_begun_that_would_expire_in_the_engines_hands(
    rig: Rig, left_s: float, usual_s: float | None, ending: NoticeKind | None
) -> None:
    await rig.say("what time is it?")
    [chat] = await rig.journal.unfinished()
    turn = await rig.journal.claim(chat.chat_id, 1, "epoch")
    clock = ManualClock()
    clock.instant = turn.accepted_at + timedelta(seconds=300 - left_s)
    turn = replace(turn, deadline_at=turn.accepted_at + timedelta(seconds=300))
    attempt = Attempt(
        journal=rig.journal,
        deliveries={},
        skills={},
        keeper=None,
        trouble=None,
        clock=clock,
        settings=AttemptSettings(),
        usual_s=lambda: usual_s,
    )
    assert attempt._ending(turn) is ending
