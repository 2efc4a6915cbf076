"""Poison, requeue and late edits through the whole path: what a person sees, and in which order."""

import asyncio
from pathlib import Path

import pytest

from adapters.base import Idempotency, LiveOutput, SendsFrom
from adapters.errors import Rejected
from adapters.loopback.faults import Fault
from bot.bootstrap import make_worker
from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.telemetry.events import NoticeSent
from bot.turns.acceptance import Acceptance
from bot.turns.dead_letters import Requeued, TrailEvent, Which
from bot.turns.journal import Journal
from bot.turns.journal.dead import DeadLetters
from bot.turns.model import NoticeKind, Reply, Skill
from bot.turns.notice_texts import NOTICES
from bot.turns.tasks import end
from engine.base import ChatRequest, EngineState
from engine.errors import EngineFailed
from engine.scripted import ScriptedEngine
from tests.fixtures.freezing import Freezer
from tests.fixtures.labels import LABELLED
from tests.fixtures.owner_platform import OwnerPlatform
from tests.fixtures.rig import PATIENCE_S, Rig, loopback, open_rig, saying

FAILED = NOTICES[NoticeKind.FAILED]
PLATFORMS = [(idempotency, live) for idempotency in Idempotency for live in LiveOutput]


class Sick:
    """An engine that breaks off on poison until it is cured, and otherwise says what it was asked."""

    def __init__(self) -> None:
        self.is_cured = False
        self.engine = ScriptedEngine(_asked, pace=self._pace)

    async def _pace(self, request: ChatRequest, n: int) -> None:
        if n == 1 and "poison" in _asked(request) and not self.is_cured:
            raise EngineFailed("poisoned")


def _asked(request: ChatRequest) -> str:
    return request.messages[-1].content.splitlines()[0].rpartition("› ")[2] + " indeed"


async def noticed(rig: Rig) -> list[str]:
    """Wait until a notice was said and the record knows it; return what stands then."""
    await rig.until(lambda: bool(rig.told(NoticeSent)))
    await rig.settled()
    return rig.loopback.texts("room")


async def requeue_all(rig: Rig) -> list[Requeued]:
    letters = DeadLetters(rig.core.database, rig.core.clock)
    pressed = []
    for letter in await letters.listed(Which()):
        pressed += [await letters.requeue(letter, deadline_s=60) for _ in range(2)]
        await rig.scheduler.put(letter.chat_id)
    return pressed


@pytest.mark.parametrize(("idempotency", "live"), PLATFORMS)
async def test_poison_between_two_mentions_blocks_neither_and_is_told_in_its_place(
    tmp_path: Path, idempotency: Idempotency, live: LiveOutput
) -> None:
    """The notice of a turn that died stands where its reply would: before the chat's next one (G3, G10)."""
    async with open_rig(tmp_path, platform=loopback(idempotency, live)) as rig:
        rig.start_worker(Sick().engine)
        for person, words in (("ann", "first"), ("bob", "poison"), ("cid", "third")):
            await rig.say(words, sender=person)
        assert await rig.texts(3) == ["first indeed", FAILED, "third indeed"]
        assert (await rig.journal.counts()).dead == 1


async def test_poison_on_an_owners_platform_blocks_neither_of_its_neighbours(tmp_path: Path) -> None:
    owned = OwnerPlatform()
    async with open_rig(tmp_path, platform=owned.platform) as rig:
        assert owned.platform.adapter.sends_from is SendsFrom.OWNER
        rig.start_worker(Sick().engine)
        for person, words in (("ann", "first"), ("bob", "poison"), ("cid", "third")):
            await rig.say(words, sender=person)
        await rig.until(lambda: len(owned.texts("room")) == 3)
        assert owned.texts("room") == ["first indeed", FAILED, "third indeed"]


@pytest.mark.parametrize(("idempotency", "live"), PLATFORMS)
async def test_a_requeued_turn_is_answered_once(
    tmp_path: Path, idempotency: Idempotency, live: LiveOutput
) -> None:
    """Pressed twice it runs once; where a message can be edited, the answer takes the notice's place."""
    async with open_rig(tmp_path, platform=loopback(idempotency, live)) as rig:
        sick = Sick()
        rig.start_worker(sick.engine)
        await rig.say("poison")
        assert await noticed(rig) == [FAILED]
        sick.is_cured, asked = True, len(sick.engine.requests)
        assert await requeue_all(rig) == [Requeued.DONE, Requeued.CHANGED]
        answer = "poison indeed"
        await rig.until(lambda: answer in rig.loopback.texts("room"))
        await rig.settled()
        edited = live is LiveOutput.EDIT
        assert rig.loopback.texts("room") == ([answer] if edited else [FAILED, answer])
        assert len(sick.engine.requests) == asked + 1
        assert (await rig.journal.counts()).dead == 0


async def test_a_requeued_reply_that_was_stored_is_sent_without_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        standing = rig.loopback.send

        async def picky(op):
            if "noon" in str(op.content):
                raise Rejected("never")
            return await standing(op)

        monkeypatch.setattr(rig.loopback, "send", picky)
        engine = saying("noon")
        rig.start_worker(engine)
        await rig.say("what time is it?")
        assert await noticed(rig) == [FAILED]
        monkeypatch.setattr(rig.loopback, "send", standing)
        assert await requeue_all(rig) == [Requeued.DONE, Requeued.CHANGED]
        assert await rig.texts(2) == [FAILED, "noon"]
        assert len(engine.requests) == 1


async def test_a_follow_up_of_a_requeued_turn_sees_it_in_its_place(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        sick = Sick()
        rig.start_worker(sick.engine)
        for person, words in (("ann", "poison"), ("bob", "second")):
            await rig.say(words, sender=person)
        await rig.texts(2)
        await noticed(rig)
        sick.is_cured = True
        await requeue_all(rig)
        await rig.texts(3)
        await rig.say("third", sender="cid")
        await rig.texts(4)
        said = [m.content for m in sick.engine.requests[-1].messages if m.content.endswith("indeed")]
        assert said == ["poison indeed", "second indeed"]


@pytest.mark.parametrize("idempotency", list(Idempotency))
async def test_a_stalled_workers_late_edit_does_not_stand_over_a_notice(
    tmp_path: Path, idempotency: Idempotency
) -> None:
    """The turn died under another worker, its notice stands in the placeholder, then the late edit lands (G4)."""
    async with open_rig(tmp_path, platform=loopback(idempotency, LiveOutput.EDIT)) as rig:
        # The stalled worker's own edit is on its way while everything else happens.
        freezer = Freezer("before platform edit")
        worker, _ = make_worker(freezer.core(rig.core), freezer.engine("one two three four"), embedded=False)
        stalled = rig.run(worker.run())
        await rig.say("poison")
        async with asyncio.timeout(PATIENCE_S):
            await freezer.frozen.wait()
        rig.scheduler.erase()
        sick = saying("never")
        for _ in range(3):
            sick.fail_next(EngineFailed("gone"))
        rig.start_worker(sick)
        assert await noticed(rig) == [FAILED]
        freezer.thaw()
        await rig.until(lambda: len(rig.loopback.messages("room")[0].earlier) >= 3)
        await rig.until(lambda: rig.loopback.texts("room") == [FAILED])
        await end({stalled})
        [seen] = rig.loopback.messages("room")
        assert seen.earlier[-1] != FAILED, "the late edit never landed: this shows nothing"


async def test_an_engine_that_is_still_starting_is_in_the_trail_and_no_attempt(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.KEYED)) as rig:
        engine = saying("noon")
        engine.set_status(EngineState.STARTING)
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.until(lambda: len(rig.events) > 20)
        for _ in range(3):
            engine.fail_next(EngineFailed("gone"))
        engine.set_status(EngineState.READY)
        assert await noticed(rig) == [FAILED]
        letters = DeadLetters(rig.core.database, rig.core.clock)
        [letter] = await letters.listed(Which())
        trail = (await letters.details(letter.turn_id)).trail
        events = [step.event for step in trail]
        assert events == [TrailEvent.POSTPONED, *[TrailEvent.FAILED] * 3, TrailEvent.GIVEN_UP]
        assert [step.counted for step in trail] == [False, True, True, True, False]
        assert trail[0].times > 1


async def test_a_label_outlives_a_try_that_did_not_happen(tmp_path: Path) -> None:
    """In doubt, then refused for now, then sent: that it may be there twice has not changed in between."""
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        rig.loopback.faults.next_call(Fault.LOST_ANSWER, Fault.RETRY_AFTER)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(2) == ["noon", f"{LABELLED}noon"]


async def test_a_label_outlives_a_restatement(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        rig.loopback.faults.next_call(Fault.LOST_REQUEST)
        rig.start_worker(saying("noon"))
        receipt = await rig.say("what time is it?")
        assert await rig.texts(1) == [f"{LABELLED}noon"]
        assert receipt.turn_id
        assert receipt.chat_id
        await rig.journal.mark_restate(receipt.turn_id)
        await rig.scheduler.put(receipt.chat_id)
        await rig.settled()
        assert rig.loopback.texts("room") == [f"{LABELLED}noon"]


async def test_a_chat_whose_key_is_missing_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    owned = OwnerPlatform()
    async with open_rig(tmp_path, platform=owned.platform) as rig:
        worker = rig.start_worker(saying("noon"), outboxes=False)
        foreign = Journal(rig.core.database, AesVault(KeyRing.fresh(), organisation="test"), rig.core.clock)
        await _reply_with(foreign, rig, "locked")
        rig.start_outboxes()
        await rig.say("what time is it?", conversation="open")
        await rig.until(lambda: owned.texts("open") == ["noon"])
        assert owned.texts("locked") == []
        told = [record for record in caplog.records if "restore it to the key file" in record.getMessage()]
        assert len(told) == 1
        await end({worker})


async def _reply_with(foreign: Journal, rig: Rig, conversation: str) -> None:
    """Have a reply stored that was sealed under a key that the rig does not have."""
    wanted = Acceptance(
        inbound=rig.inbound("what time is it?", conversation),
        text="what time is it?",
        skill=Skill.ANSWER,
        sends_from=SendsFrom.OWNER,
        deadline_s=600,
    )
    [receipt] = await foreign.accept([wanted])
    turn = await foreign.claim(receipt.chat_id, 1, "e")
    await foreign.store_reply(turn, Reply(text="x", parts=("x",), prompt=None))
