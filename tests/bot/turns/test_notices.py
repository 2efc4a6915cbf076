"""Notices and first signs where any process may send: each said once, whatever is in doubt, nothing left over."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Edit, Idempotency, LiveOutput, Purpose, Send, Sent
from adapters.errors import Ambiguous, AuthFailed, Gone, Rejected, RetryAfter, Unreachable
from bot.bootstrap import make_notices
from bot.errors import StoreUnavailable
from bot.telemetry.events import AmbiguousSend, NoticeSent
from bot.turns.model import NoticeKind
from bot.turns.notice_texts import NOTICES
from bot.turns.send_policy import SendPolicy
from bot.turns.sign import PLACEHOLDER
from engine.base import ChatRequest, EngineState
from engine.errors import EngineFailed
from engine.scripted import ScriptedEngine
from tests.fixtures.freezing import Freezer
from tests.fixtures.rig import PATIENCE_S, QUICK, Rig, loopback, open_rig, saying

AT_ONCE = replace(QUICK, first_sign_s=0.0)
RECLAIMED_AT_ONCE = replace(QUICK, notice_claim_s=0.05)
GARBAGE = "\x00\x01\x02\x7f" * 50


async def noticed(rig: Rig, number: int = 1) -> list[str]:
    await rig.until(lambda: len(rig.told(NoticeSent)) >= number)
    return rig.loopback.texts("room")


class Held:
    """An engine that answers when it is let."""

    def __init__(self, text: str) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.engine = ScriptedEngine(lambda request: text, pace=self._pace)

    async def _pace(self, request: ChatRequest, n: int) -> None:
        self.asked.set()
        await self.go_on.wait()


async def test_a_turn_that_waits_for_a_slot_gets_a_sign_and_its_answer_in_it(tmp_path: Path) -> None:
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, slots=1, delays=AT_ONCE) as rig:
        held = Held("noon")
        rig.start_worker(held.engine)
        await rig.say("first", conversation="other")
        await held.asked.wait()
        await rig.say("what time is it?")
        await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])
        held.go_on.set()
        await rig.settled()
        [seen] = rig.loopback.messages("room")
        assert (seen.text, seen.earlier[0], seen.purpose) == ("noon", PLACEHOLDER, Purpose.REPLY)


async def test_a_turn_whose_engine_is_slow_gets_its_sign_from_the_worker(tmp_path: Path) -> None:
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, delays=AT_ONCE) as rig:
        held = Held("noon")
        rig.start_worker(held.engine)
        await rig.say("what time is it?")
        await held.asked.wait()
        await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])
        held.go_on.set()
        assert await rig.texts(1) == ["noon"]


async def test_an_engine_that_starts_is_not_told_by_edits(tmp_path: Path) -> None:
    """The placeholder stands once; every further try of the turn leaves it alone."""
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, delays=AT_ONCE) as rig:
        calls: list[Edit] = []
        standing = rig.loopback.edit

        async def counted(op: Edit) -> Sent:
            calls.append(op)
            return await standing(op)

        rig.loopback.edit = counted  # type: ignore[method-assign]
        engine = saying("noon")
        engine.set_status(EngineState.STARTING)
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.until(lambda: len(rig.events) > 20)
        assert rig.loopback.texts("room") == [PLACEHOLDER]
        assert calls == []
        engine.set_status(EngineState.READY)
        assert await rig.texts(1) == ["noon"]


@pytest.mark.parametrize("idempotency", [Idempotency.READ_BACK, Idempotency.NONE])
async def test_a_late_sign_is_taken_back_and_no_answer_waits_for_it(
    tmp_path: Path, idempotency: Idempotency
) -> None:
    platform = loopback(idempotency, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, delays=AT_ONCE) as rig:
        freezer = Freezer("after platform send")
        rig.run(make_notices(freezer.core(rig.core)).run())
        await rig.say("what time is it?")
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        rig.start_worker(saying("noon"))
        await rig.settled()
        assert rig.loopback.texts("room") == [PLACEHOLDER, "noon"]
        freezer.thaw(slept_s=0.0)
        await rig.until(lambda: rig.loopback.texts("room") == ["noon"])


@pytest.mark.parametrize("point", ["before platform send", "after platform send"])
@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_a_notice_whose_sender_stalled_is_recovered_by_its_class(
    tmp_path: Path, idempotency: Idempotency, point: str
) -> None:
    async with open_rig(tmp_path, platform=loopback(idempotency), delays=RECLAIMED_AT_ONCE) as rig:
        freezer = Freezer(point)
        rig.run(make_notices(freezer.core(rig.core)).run())
        await rig.say(GARBAGE)
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        rig.start_notices()
        try:
            texts = await noticed(rig)
        finally:
            freezer.thaw(slept_s=0.0)
        arrived_before = point == "after platform send"
        assert len(texts) == (2 if arrived_before and idempotency is Idempotency.NONE else 1)
        assert rig.loopback.messages("room")[-1].may_be_duplicate == (idempotency is Idempotency.NONE)


@pytest.mark.parametrize(
    "error",
    [RetryAfter(0.01), RetryAfter(86_400), Unreachable("x"), AuthFailed("x")],
    ids=["soon", "much later", "unreachable", "credentials"],
)
async def test_a_notice_that_was_not_taken_is_tried_again_and_no_doubt_about_it(
    tmp_path: Path, error: Exception
) -> None:
    delays = replace(QUICK, longest_wait_s=0.05)
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), delays=delays) as rig:
        fail_sends(rig, error, times=2)
        rig.start_notices()
        await rig.say(GARBAGE)
        assert await noticed(rig) == [NOTICES[NoticeKind.UNREADABLE]]
        assert not rig.loopback.messages("room")[0].may_be_duplicate


def fail_sends(rig: Rig, error: Exception, *, times: int, conversation: str = "room") -> list[Send]:
    """Have the next sends to a conversation fail; return every send that was tried there."""
    standing, tried = rig.loopback.send, list[Send]()

    async def failing(op: Send) -> Sent:
        if op.conversation == conversation:
            tried.append(op)
            if len(tried) <= times:
                raise error
        return await standing(op)

    rig.loopback.send = failing  # type: ignore[method-assign]
    return tried


@pytest.mark.parametrize("write", ["notice_sent", "notice_not_sent"])
async def test_a_store_that_is_away_behind_a_notice_makes_no_doubt(tmp_path: Path, write: str) -> None:
    """What the platform said is known: writing it down is tried as long as nobody else can have the notice."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), policy=SendPolicy.GIVE_UP) as rig:
        tried = fail_sends(rig, RetryAfter(0.01), times=1)
        standing, away = getattr(rig.journal, write), [True]

        async def away_once(*args, **kwargs) -> None:
            if away:
                away.pop()
                raise StoreUnavailable("it restarts")
            await standing(*args, **kwargs)

        setattr(rig.journal, write, away_once)
        rig.start_notices()
        await rig.say(GARBAGE)
        assert await noticed(rig) == [NOTICES[NoticeKind.UNREADABLE]]
        assert not away
        assert len(tried) == 2
        assert not rig.told(AmbiguousSend)


@pytest.mark.parametrize("error", [Gone("kicked"), Rejected("never")], ids=["gone", "rejected"])
async def test_a_notice_nobody_can_be_told_is_left_and_the_others_go_on(
    tmp_path: Path, error: Exception
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), delays=RECLAIMED_AT_ONCE) as rig:
        tried = fail_sends(rig, error, times=1_000, conversation="shut")
        rig.start_notices()
        await rig.say(GARBAGE, conversation="shut")
        for number in range(3):
            await rig.say(GARBAGE, sender=f"person{number}")
            await noticed(rig, number + 1)
            await asyncio.sleep(RECLAIMED_AT_ONCE.notice_claim_s)
        assert len(tried) == 1


async def test_a_notice_that_stays_in_doubt_is_sent_so_often_and_no_oftener(tmp_path: Path) -> None:
    # Long enough that a busy machine begins the first send within its claim.
    delays = replace(QUICK, notice_claim_s=0.5)
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), delays=delays) as rig:
        tried = fail_sends(rig, Ambiguous("no answer"), times=1_000)
        rig.start_notices()
        await rig.say(GARBAGE)
        await rig.until(lambda: len(tried) >= 3)
        await rig.say(GARBAGE, conversation="other")
        await rig.until(lambda: bool(rig.told(NoticeSent)))
        await asyncio.sleep(delays.notice_claim_s * 2)
        assert [op.may_be_duplicate for op in tried] == [False, True, True]


async def test_a_notice_takes_the_place_of_what_was_shown(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE, LiveOutput.EDIT)) as rig:
        engine = saying("one two three four")
        for _ in range(3):
            engine.fail_next(EngineFailed("killed"), after=2)
        rig.start_worker(engine)
        await rig.say("poison")
        await noticed(rig)
        assert rig.loopback.texts("room") == [NOTICES[NoticeKind.FAILED]]


async def test_a_notice_whose_placeholder_is_gone_is_posted(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE, LiveOutput.EDIT)) as rig:

        async def refuse(op: Edit) -> Sent:
            await rig.loopback.delete(op.account, op.conversation, op.message)
            raise Rejected("a person deleted it")

        rig.loopback.edit = refuse  # type: ignore[method-assign]
        engine = saying("one two three four")
        for _ in range(3):
            engine.fail_next(EngineFailed("killed"), after=2)
        rig.start_worker(engine)
        await rig.say("poison")
        assert await noticed(rig) == [NOTICES[NoticeKind.FAILED]]


@pytest.mark.parametrize("live", list(LiveOutput))
async def test_a_turn_whose_deadline_passes_while_it_waits_gets_one_notice(
    tmp_path: Path, live: LiveOutput
) -> None:
    platform = loopback(Idempotency.NONE, live)
    async with open_rig(tmp_path, platform=platform, deadline_s=0.3, delays=AT_ONCE) as rig:
        engine = saying("too late")
        engine.set_status(EngineState.STARTING)
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.settled()
        assert await noticed(rig) == [NOTICES[NoticeKind.EXPIRED]]
        assert not engine.requests


async def test_what_is_beyond_a_chats_cap_is_refused_with_a_word_and_the_rest_is_answered(
    tmp_path: Path,
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), per_chat=2) as rig:
        for number in range(3):
            await rig.say("what time is it?", sender=f"person{number}")
        rig.start_worker(saying("noon"))
        await noticed(rig)
        assert sorted(await rig.texts(3)) == sorted(["noon", "noon", NOTICES[NoticeKind.BUSY]])


async def test_a_stop_under_a_sign_is_said_in_its_place(tmp_path: Path) -> None:
    platform = loopback(Idempotency.NONE, LiveOutput.EDIT)
    async with open_rig(tmp_path, platform=platform, delays=AT_ONCE) as rig:
        rig.start_notices()
        await rig.say("never mind")
        await rig.until(lambda: rig.loopback.texts("room") == [PLACEHOLDER])
        await rig.say("/stop")
        rig.start_worker(saying("too late"))
        await noticed(rig)
        assert rig.loopback.texts("room") == [NOTICES[NoticeKind.STOPPED]]


async def test_notices_of_a_platform_that_is_not_enabled_here_stop_nothing(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        await rig.say(GARBAGE)
        other = replace(rig.platform, adapter=Renamed(rig.loopback))
        core = replace(rig.core, platforms={"other": other})
        task = rig.run(make_notices(core).run())
        await asyncio.sleep(0.05)
        assert not task.done()
        assert rig.loopback.texts("room") == []


class Renamed:
    """Another platform."""

    name = "other"

    def __init__(self, inner) -> None:
        self._inner = inner

    def __getattr__(self, name: str):
        return getattr(self._inner, name)
