"""A reply in several messages: every part once, in order, whatever happens at any of them."""

import asyncio
from pathlib import Path

import pytest

from adapters.base import Edit, Idempotency, LiveOutput, Sent
from adapters.errors import Rejected
from adapters.loopback.faults import Fault
from bot.bootstrap import make_worker
from bot.errors import StoreUnavailable
from bot.telemetry.events import AmbiguousSend, AttemptFailed, TurnFinished, TurnOutcome
from bot.turns.model import NoticeKind
from bot.turns.notice_texts import MAY_HAVE_ARRIVED, NOTICES
from bot.turns.send_policy import SendPolicy
from bot.turns.tasks import end
from tests.fixtures.freezing import Freezer
from tests.fixtures.labels import LABELLED
from tests.fixtures.rig import PATIENCE_S, Rig, loopback, open_rig, saying

PARTS = ["a" * 110, "b" * 110, "c" * 110]
REPLY = "\n\n".join(PARTS)
LIMIT = 140


def several(idempotency: Idempotency, live: LiveOutput = LiveOutput.NONE):
    return loopback(idempotency, live, text_limit=LIMIT)


@pytest.mark.parametrize("at", range(3), ids=lambda at: f"part{at}")
@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_a_fault_at_any_part_leaves_every_part_in_order(
    tmp_path: Path, idempotency: Idempotency, fault: Fault, at: int
) -> None:
    async with open_rig(tmp_path, platform=several(idempotency)) as rig:
        rig.loopback.faults.next_call(*[None] * at, fault)
        rig.start_worker(saying(REPLY))
        await rig.say("tell me much")
        texts = await rig.texts(3)
        is_doubled = idempotency is Idempotency.NONE and fault is Fault.LOST_ANSWER
        is_doubtful = idempotency is Idempotency.NONE and fault in (Fault.LOST_ANSWER, Fault.LOST_REQUEST)
        again = LABELLED * is_doubtful + PARTS[at]
        assert texts == [*PARTS[: at + is_doubled], again, *PARTS[at + 1 :]]
        marked = [seen.may_be_duplicate for seen in rig.loopback.messages("room")]
        assert marked.count(True) == is_doubtful


@pytest.mark.parametrize("at", range(3), ids=lambda at: f"part{at}")
@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_a_drain_in_the_middle_of_a_send_leaves_no_doubt(
    tmp_path: Path, idempotency: Idempotency, at: int
) -> None:
    """A rolling restart lets the call end and writes down that it arrived: no class shows a part twice."""
    async with open_rig(tmp_path, platform=several(idempotency), drain_s=0.0) as rig:
        freezer = Freezer("after platform send", nth=at)
        worker, _ = make_worker(freezer.core(rig.core), saying(REPLY), embedded=False)
        leaving = rig.run(worker.run())
        await rig.say("tell me much")
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        leaving.cancel()
        freezer.thaw(slept_s=0.0)
        await end({leaving})
        rig.start_worker(saying("never said"))
        assert await rig.texts(3) == PARTS
        assert not rig.told(AmbiguousSend)
        assert not rig.told(AttemptFailed)


async def test_a_store_that_is_away_behind_a_send_makes_no_doubt(tmp_path: Path) -> None:
    """The platform answered: writing that down is tried until the store is back."""
    async with open_rig(tmp_path, platform=several(Idempotency.NONE), busy_timeout_s=0.05) as rig:
        freezer = Freezer("after platform send")
        worker, _ = make_worker(freezer.core(rig.core), saying(REPLY), embedded=False)
        rig.run(worker.run())
        await rig.say("tell me much")
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        async with rig.core.database.write():
            freezer.thaw(slept_s=0.0)
            await asyncio.sleep(0.2)
        assert await rig.texts(3) == PARTS
        assert not rig.told(AmbiguousSend)


async def test_a_store_that_is_away_behind_a_refusal_makes_no_doubt(tmp_path: Path) -> None:
    """The platform took nothing: writing that down is tried until the store is back, and the reply still comes."""
    platform = loopback(Idempotency.NONE)
    async with open_rig(tmp_path, platform=platform, policy=SendPolicy.GIVE_UP, busy_timeout_s=0.05) as rig:
        rig.loopback.faults.next_call(Fault.UNREACHABLE)
        rig.core.journal.part_not_sent = AwayOnce(rig.core.journal.part_not_sent)  # type: ignore[method-assign]
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["noon"]
        assert not rig.told(AmbiguousSend)


class AwayOnce:
    """A call to the store that finds it away the first time."""

    def __init__(self, inner) -> None:
        self._inner = inner
        self.called = 0

    async def __call__(self, *args, **kwargs) -> None:
        self.called += 1
        if self.called == 1:
            raise StoreUnavailable("it restarts")
        await self._inner(*args, **kwargs)


async def test_a_platform_that_never_answers_ends_in_a_notice_and_frees_its_chat(tmp_path: Path) -> None:
    """Every ambiguous send of class C may show the reply once more: their number has an end (G10)."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        rig.loopback.faults.next_call(*[Fault.LOST_REQUEST] * 3)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        await rig.say("and now?", sender="bob")
        assert await rig.texts(2) == [MAY_HAVE_ARRIVED, "noon"]
        assert (await rig.journal.counts()).dead == 1


async def test_a_text_that_is_never_taken_ends_in_a_notice_and_frees_its_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        standing = rig.loopback.send

        async def picky(op):
            if "poison" in str(op.content):
                raise Rejected("never")
            return await standing(op)

        monkeypatch.setattr(rig.loopback, "send", picky)
        engine = saying("poison")
        rig.start_worker(engine)
        await rig.say("one")
        assert await rig.texts(1) == [NOTICES[NoticeKind.FAILED]]
        assert len(engine.requests) == 1, "a stored reply was generated again"


async def test_a_placeholder_that_was_deleted_meanwhile_is_replaced_by_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE, LiveOutput.EDIT)) as rig:

        async def refuse(op: Edit) -> Sent:
            await rig.loopback.delete(op.account, op.conversation, op.message)
            raise Rejected("a person deleted it")

        monkeypatch.setattr(rig.loopback, "edit", refuse)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        await rig.settled()
        assert rig.loopback.texts("room") == ["noon"]
        assert not rig.told(AttemptFailed)


async def test_giving_up_a_doubtful_send_is_counted_and_later_restated_nowhere(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), policy=SendPolicy.GIVE_UP) as rig:
        rig.loopback.faults.next_call(Fault.LOST_REQUEST)
        rig.start_worker(saying("noon"))
        receipt = await rig.say("what time is it?")
        await rig.settled()
        assert [event.resent for event in rig.told(AmbiguousSend)] == [False]
        await mark_restate(rig, receipt.turn_id)
        await rig.settled()
        assert rig.loopback.texts("room") == []


async def mark_restate(rig: Rig, turn_id: str | None) -> None:
    chat = await rig.journal.chat_by_conversation(rig.loopback.name, "main", "room")
    assert turn_id
    assert chat
    await rig.journal.mark_restate(turn_id)
    await rig.scheduler.put(chat.id)


async def test_a_restatement_of_what_was_deleted_ends(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        rig.start_worker(saying("noon"))
        receipt = await rig.say("what time is it?")
        await rig.texts(1)
        await rig.loopback.delete("main", "room", rig.loopback.messages("room")[0].message)
        await mark_restate(rig, receipt.turn_id)
        await rig.settled()
        assert rig.loopback.texts("room") == []
        assert not rig.told(AttemptFailed)


async def test_a_restatement_that_never_works_ends_and_frees_the_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        rig.start_worker(saying("noon"))
        receipt = await rig.say("what time is it?")
        await rig.texts(1)

        async def broken(op: Edit) -> Sent:
            raise ValueError("this adapter is broken")

        monkeypatch.setattr(rig.loopback, "edit", broken)
        await mark_restate(rig, receipt.turn_id)
        await rig.say("and now?", sender="bob")
        assert await rig.texts(2) == ["noon", "noon"]


async def test_every_answered_turn_is_told_once(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        rig.start_worker(saying("noon"))
        for number in range(3):
            await rig.say("what time is it?", sender=f"person{number}")
        await rig.texts(3)
        assert [event.outcome for event in rig.told(TurnFinished)] == [TurnOutcome.SENT] * 3
