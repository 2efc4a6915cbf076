"""First signs: what they say of the line, once in a chat's episode; and what becomes of failed and late ones."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput, Purpose, Send, Sent
from adapters.errors import AdapterError, Ambiguous, AuthFailed, RetryAfter, Unreachable
from adapters.loopback.adapter import LoopbackAdapter
from adapters.markdown import parse
from bot.bootstrap import make_line_watch
from bot.turns.journal import Journal
from bot.turns.line import Pace
from bot.turns.sign import PLACEHOLDER, take_back
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.rig import QUICK, Rig, loopback, open_rig, saying

AT_ONCE = replace(QUICK, first_sign_s=0.0, operator_s=60.0)
#: A line in which a turn waits a minute and a half.
SLOW = Pace(slots=1, turn_s=120.0)
MINUTE = "In line, about a minute: say @assistant stop to cancel"


class Held:
    """An engine that answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.engine = ScriptedEngine(lambda _: "noon", pace=self._pace)

    async def _pace(self, _request: ChatRequest, _n: int) -> None:
        self.asked.set()
        await self.go_on.wait()


def in_line(rig: Rig, pace: Pace = SLOW) -> None:
    """Have the gateway know of a line, whatever its real workers say."""
    rig.core.line.learn(1, pace, 0.0)


async def only_slot_taken(rig: Rig, held: Held) -> None:
    rig.start_worker(held.engine)
    await rig.say("first", conversation="other")
    await held.asked.wait()


@pytest.fixture
async def rig(tmp_path: Path) -> Iterator[Rig]:
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, slots=1, delays=AT_ONCE) as rig:
        yield rig


async def test_a_long_wait_is_told_and_later_becomes_the_answer(rig: Rig) -> None:
    held = Held()
    in_line(rig)
    await only_slot_taken(rig, held)
    await rig.say("what time is it?")
    await rig.until(lambda: rig.loopback.texts("room") == [MINUTE])
    held.go_on.set()
    await rig.settled()
    [seen] = rig.loopback.messages("room")
    assert (seen.text, seen.earlier[0]) == ("noon", MINUTE)


async def test_a_short_wait_is_not_told(rig: Rig) -> None:
    in_line(rig, Pace(slots=8, turn_s=4.0))
    await rig.say("what time is it?")
    rig.start_notices()
    await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])


async def test_where_nobody_knows_how_long_it_takes_nothing_is_told(rig: Rig) -> None:
    await rig.say("what time is it?")
    rig.start_notices()
    await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])


async def test_it_is_told_once_in_a_chat_while_somebody_waits_there(rig: Rig) -> None:
    in_line(rig)
    for person in ("ann", "bob", "eve"):
        await rig.say("what time is it?", sender=person)
    rig.start_notices()
    await rig.until(lambda: len(rig.loopback.texts("room")) == 3)
    await rig.say("and now?", sender="dan")
    await rig.until(lambda: len(rig.loopback.texts("room")) == 4)
    assert rig.loopback.texts("room") == [MINUTE, PLACEHOLDER, PLACEHOLDER, PLACEHOLDER]


async def test_the_next_episode_is_told_again(rig: Rig) -> None:
    in_line(rig)
    rig.start_notices()
    await rig.say("what time is it?")
    await rig.until(lambda: rig.loopback.texts("room") == [MINUTE])
    await rig.say("/stop")
    await rig.until(lambda: rig.loopback.texts("room") == ["Stopped."])
    await rig.say("what time is it, please?")
    await rig.until(lambda: rig.loopback.texts("room") == ["Stopped.", MINUTE])


async def test_the_line_is_learnt_from_a_worker_at_work(rig: Rig) -> None:
    """Nothing is set by hand: a turn is answered, its time is written down, and the gateway reads it."""
    rig.start_worker(saying("noon"))
    await rig.say("first", conversation="other")
    await rig.settled()
    rig.run(make_line_watch(rig.core).run())
    await rig.until(lambda: rig.core.line.predicted_wait_s() == 0.0)


class Failing:
    """Has the next signs of the loopback platform fail."""

    def __init__(self, adapter: LoopbackAdapter, error: AdapterError, times: int) -> None:
        self.tried: list[Send] = []
        self._send, self._error, self._times = adapter.send, error, times
        adapter.send = self.send  # type: ignore[method-assign]

    async def send(self, op: Send) -> Sent:
        self.tried.append(op)
        if len(self.tried) <= self._times:
            raise self._error
        return await self._send(op)


@pytest.mark.parametrize(
    "error", [RetryAfter(0.01), Unreachable("no connection")], ids=["asked to wait", "unreachable"]
)
async def test_a_sign_that_was_certainly_not_posted_is_posted_soon(rig: Rig, error: AdapterError) -> None:
    """Its claim, for fifteen seconds, is given back."""
    failing = Failing(rig.loopback, error, times=2)
    rig.start_notices()
    await rig.say("what time is it?")
    await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])
    assert len(failing.tried) == 3


async def test_a_worker_does_not_wait_for_a_sign_that_failed(rig: Rig) -> None:
    failing = Failing(rig.loopback, AuthFailed("x"), times=1)
    rig.start_notices()
    await rig.say("what time is it?")
    await rig.until(lambda: len(failing.tried) == 1)
    held = Held()
    rig.start_worker(held.engine)
    await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])
    held.go_on.set()
    assert await rig.texts(1) == ["noon"]


async def test_a_sign_that_may_have_been_posted_is_not_posted_again_at_once(rig: Rig) -> None:
    failing = Failing(rig.loopback, Ambiguous("no answer"), times=1)
    rig.start_notices()
    await rig.say("what time is it?")
    await rig.until(lambda: len(failing.tried) == 1)
    await asyncio.sleep(0.1)
    assert len(failing.tried) == 1


async def test_many_who_can_be_shown_no_sign_keep_nobody_from_theirs(rig: Rig, monkeypatch) -> None:
    monkeypatch.setattr("bot.turns.first_signs.BATCH", 2)
    plain = rig.loopback.capabilities("room")
    shown = rig.loopback.capabilities
    without = replace(plain, live=LiveOutput.NONE)
    monkeypatch.setattr(
        rig.loopback, "capabilities", lambda ref: without if ref.startswith("sms") else shown(ref)
    )
    for number in range(7):
        await rig.say("what time is it?", conversation=f"sms{number}")
    await rig.say("what time is it?")
    rig.start_notices()
    await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])


async def posted_late(rig: Rig, journal: Journal) -> tuple[str, str]:
    """Have a sign posted whose claim has run out meanwhile; return its turn and its message."""
    await rig.say("what time is it?")
    [turn] = await journal.unsigned(rig.core.clock.now() + timedelta(seconds=1), 10, adapters=["loopback"])
    await journal.sign_claim(turn.turn_id, rig.core.clock.now() - timedelta(seconds=1))
    operation = Send(
        op_id=f"{turn.turn_id}-sign",
        account="main",
        conversation="room",
        content=parse(PLACEHOLDER),
        purpose=Purpose.PLACEHOLDER,
    )
    return turn.turn_id, (await rig.loopback.send(operation)).message


async def test_on_a_keyed_platform_a_late_sign_of_a_waiting_turn_becomes_the_turns(tmp_path: Path) -> None:
    """Whoever answers is given this very message, and edits the answer into it."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED, LiveOutput.EDIT)) as rig:
        turn_id, message = await posted_late(rig, rig.journal)
        stored = await rig.journal.chat_by_conversation("loopback", "main", "room")
        await take_back(rig.loopback, rig.journal, turn_id, stored, message)
        assert (await rig.journal.sign_of(turn_id))[0] == message
        rig.start_worker(saying("noon"))
        assert await rig.texts(1) == ["noon"]


async def test_on_a_keyed_platform_a_late_sign_of_an_ended_turn_is_taken_back(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED, LiveOutput.EDIT)) as rig:
        turn_id, message = await posted_late(rig, rig.journal)
        stored = await rig.journal.chat_by_conversation("loopback", "main", "room")
        await rig.journal.request_cancel(stored.id)
        await take_back(rig.loopback, rig.journal, turn_id, stored, message)
        assert rig.loopback.texts("room") == []
