"""A platform with an owner: snapshots over the bus, the stored text once, and no chat that holds up another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.base import LivePhase, Purpose
from adapters.errors import Gone, Rejected, Unreachable
from bot.bootstrap import make_outboxes
from bot.errors import StoreUnavailable
from bot.telemetry.events import NoticeSent, TurnFinished
from bot.turns.model import NoticeKind
from bot.turns.notice_texts import NOTICES, UNSHOWN_PART
from bot.turns.tasks import end
from engine.base import ChatRequest, EngineState
from engine.errors import EngineFailed
from engine.scripted import ScriptedEngine, steady
from tests.fixtures.freezing import Freezer
from tests.fixtures.owner_platform import OwnerPlatform
from tests.fixtures.rig import PATIENCE_S, Rig, open_rig, saying


@pytest.fixture
def owned() -> OwnerPlatform:
    return OwnerPlatform()


@pytest.fixture
async def rig(tmp_path: Path, owned: OwnerPlatform) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path, platform=owned.platform) as opened:
        yield opened


async def answered(rig: Rig, owned: OwnerPlatform, number: int, conversation: str = "room") -> list[str]:
    await rig.until(lambda: len(owned.texts(conversation)) >= number)
    await rig.settled()
    return owned.texts(conversation)


async def stored(rig: Rig, number: int) -> None:
    """Wait until so many replies are stored and nobody has sent them."""
    async with asyncio.timeout(PATIENCE_S):
        while (await rig.journal.counts()).unsent < number:
            await asyncio.sleep(0.002)


async def test_the_reply_grows_and_its_final_text_comes_once(rig: Rig, owned: OwnerPlatform) -> None:
    reply = "one two three four five six"
    rig.start_worker(ScriptedEngine(lambda request: reply, pace=steady(each_s=0.06)))
    await rig.say("count")
    assert await answered(rig, owned, 1) == [reply]
    assert owned.phases()[0] is LivePhase.THINKING
    numbers = [snapshot.number for snapshot in owned.shown]
    assert numbers == sorted(set(numbers))
    texts = [shown.text for shown in owned.shown if shown.phase is LivePhase.STREAMING]
    assert len(texts) > 1
    assert all(reply.startswith(text) for text in texts)
    assert texts == sorted(texts, key=len)


async def test_every_part_is_sent_and_only_the_first_quotes(rig: Rig, owned: OwnerPlatform) -> None:
    rig.start_worker(saying("one\n\n---\n\ntwo"))
    await rig.say("count", event="e1")
    assert await answered(rig, owned, 2) == ["one", "two"]
    assert [op.reply_to for op in owned.sent.values()] == ["message-e1", None]


async def test_a_crash_between_handing_over_and_marking_shows_nothing_twice(
    rig: Rig, owned: OwnerPlatform
) -> None:
    freezer = Freezer("before journal handed_over_all")
    crashed = rig.run(make_outboxes(freezer.owner_core(rig.core))[0].run())
    worker = rig.start_worker(saying("noon"), outboxes=False)
    await rig.say("what time is it?")
    async with asyncio.timeout(PATIENCE_S):
        await freezer.frozen.wait()
    await end({crashed, worker})
    rig.start_outboxes()
    await rig.settled()
    assert owned.texts() == ["noon"]
    assert owned.calls == 2


async def test_what_was_stored_while_no_owner_ran_is_sent_when_one_starts(
    rig: Rig, owned: OwnerPlatform
) -> None:
    rig.start_worker(
        ScriptedEngine(lambda request: request.messages[-1].content.splitlines()[0][-1]), outboxes=False
    )
    for number in range(3):
        await rig.say(f"number {number}", sender=f"person{number}")
    await stored(rig, 3)
    assert owned.texts() == []
    rig.start_outboxes()
    assert await answered(rig, owned, 3) == ["0", "1", "2"]


async def test_an_engine_that_is_not_ready_is_told_with_its_reason(rig: Rig, owned: OwnerPlatform) -> None:
    engine = saying("noon")
    engine.set_status(EngineState.STARTING, detail="loading weights")
    rig.start_worker(engine)
    await rig.say("what time is it?")
    await rig.until(lambda: LivePhase.WARMING in owned.phases())
    assert "loading weights" in {shown.text for shown in owned.shown}
    engine.set_status(EngineState.READY)
    assert await answered(rig, owned, 1) == ["noon"]


async def test_a_turn_that_is_given_up_ends_its_live_reply_and_says_so(
    rig: Rig, owned: OwnerPlatform
) -> None:
    engine = saying("never quite said")
    for _ in range(3):
        engine.fail_next(EngineFailed("killed"), after=2)
    rig.start_worker(engine)
    await rig.say("poison")
    assert await answered(rig, owned, 1) == [NOTICES[NoticeKind.FAILED]]
    await rig.until(lambda: owned.phases()[-1] is LivePhase.ENDED)
    assert max(owned.shown, key=lambda shown: shown.number).phase is LivePhase.ENDED
    assert [event.kind for event in rig.told(NoticeSent)] == ["failed"]


async def test_a_stop_before_anything_was_said_ends_in_a_word(rig: Rig, owned: OwnerPlatform) -> None:
    asked = asyncio.Event()

    async def pace(request: ChatRequest, n: int) -> None:
        asked.set()
        await asyncio.Event().wait()

    engine = ScriptedEngine(lambda request: "never", pace=pace)
    rig.start_worker(engine)
    await rig.say("count")
    await asked.wait()
    await rig.say("/stop")
    assert await answered(rig, owned, 1) == [NOTICES[NoticeKind.STOPPED]]
    assert engine.running == 0


async def test_a_chat_that_cannot_be_reached_waits_and_the_others_go_on(
    rig: Rig, owned: OwnerPlatform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Even where what waits is more than a whole batch."""
    monkeypatch.setattr("bot.turns.outbox.BATCH", 2)
    owned.refuses["shut"] = Unreachable("nobody there")
    rig.start_worker(ScriptedEngine(lambda request: request.messages[-1].content.splitlines()[0][-1]))
    for number in range(5):
        await rig.say(f"number {number}", conversation="shut", sender=f"person{number}")
    await stored(rig, 5)
    for room in ("a", "b", "c"):
        await rig.say("number 9", conversation=room)
    for room in ("a", "b", "c"):
        await rig.until(lambda room=room: owned.texts(room) == ["9"])
    waits = [record for record in caplog.records if "waits: Unreachable" in record.getMessage()]
    assert len(waits) == 1, "a chat that waits was told more than once"
    del owned.refuses["shut"]
    assert await answered(rig, owned, 5, "shut") == ["0", "1", "2", "3", "4"]


async def test_a_text_that_is_never_taken_is_replaced_by_a_word_and_its_chat_goes_on(
    rig: Rig, owned: OwnerPlatform
) -> None:
    owned.forbidden, owned.refuses["forbidden"] = "poison", Rejected("never")
    rig.start_worker(ScriptedEngine(["poison"]))
    await rig.say("one")
    assert await answered(rig, owned, 1) == [UNSHOWN_PART]
    assert [op.purpose for op in owned.sent.values()] == [Purpose.NOTICE]


async def test_a_conversation_that_is_gone_is_left(rig: Rig, owned: OwnerPlatform) -> None:
    owned.refuses["room"] = Gone("deleted")
    rig.start_worker(saying("noon"))
    await rig.say("what time is it?")
    await rig.until(lambda: bool(rig.told(TurnFinished)))
    await rig.settled()
    assert owned.texts() == []


async def test_an_unexpected_error_of_the_adapter_holds_up_its_chat_alone(
    rig: Rig, owned: OwnerPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    owned.refuses["odd"] = ValueError("a bug")
    rig.start_worker(saying("noon"))
    await rig.say("what time is it?", conversation="odd")
    await stored(rig, 1)
    await rig.say("what time is it?")
    await rig.until(lambda: owned.texts() == ["noon"])
    assert "unexpected error" in caplog.text
    del owned.refuses["odd"]
    assert await answered(rig, owned, 1, "odd") == ["noon"]


async def test_a_record_that_cannot_be_read_is_waited_out_and_told_once(
    rig: Rig,
    owned: OwnerPlatform,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    standing, tried = rig.journal.owed, asyncio.Semaphore(0)

    async def away(adapter: str, limit: int):
        tried.release()
        raise StoreUnavailable("locked")

    monkeypatch.setattr(rig.journal, "owed", away)
    rig.start_worker(saying("noon"))
    await rig.say("what time is it?")
    for _ in range(3):
        await tried.acquire()
    monkeypatch.setattr(rig.journal, "owed", standing)
    assert await answered(rig, owned, 1) == ["noon"]
    assert (
        len([record for record in caplog.records if "the outbox of owned waits" in record.getMessage()]) == 1
    )
