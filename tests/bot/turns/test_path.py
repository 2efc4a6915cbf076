"""The path from a message to what a person sees, through the real journal, worker and delivery."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.base import Idempotency, Outcome
from adapters.loopback.faults import Fault
from bot.telemetry.events import AttemptFailed, LeaseLost
from bot.turns.model import NoticeKind
from bot.turns.notice_texts import NOTICES
from bot.turns.send_policy import SendPolicy
from bot.turns.tasks import end
from engine.base import ChatRequest, EngineState
from engine.errors import EngineFailed, EngineNotReady, PromptTooLong
from engine.scripted import ScriptedEngine
from tests.fixtures.labels import LABELLED
from tests.fixtures.rig import Rig, loopback, open_rig, saying


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as opened:
        yield opened


async def test_a_mention_is_answered_once(rig: Rig) -> None:
    rig.start_worker(saying("noon"))
    await rig.say("what time is it?")
    assert await rig.texts(1) == ["noon"]


async def test_the_reply_grows_in_the_placeholder(rig: Rig) -> None:
    rig.start_worker(saying("one two three four five six"))
    await rig.say("count")
    await rig.texts(1)
    [seen] = rig.loopback.messages("room")
    assert seen.text == "one two three four five six"
    assert seen.earlier, "nothing was shown while the reply grew"


async def test_the_same_event_five_times_makes_one_turn(rig: Rig) -> None:
    rig.start_worker(saying("noon"))
    receipts = await asyncio.gather(*(rig.say("what time is it?", event="same") for _ in range(5)))
    assert sorted(receipt.outcome for receipt in receipts) == [Outcome.ACCEPTED] + [Outcome.DUPLICATE] * 4
    assert await rig.texts(1) == ["noon"]


async def test_a_follow_up_sees_what_was_said_before(rig: Rig) -> None:
    engine = saying("noon")
    rig.start_worker(engine)
    await rig.say("what time is it?")
    await rig.texts(1)
    await rig.say("and where?", sender="bob")
    await rig.texts(2)
    first, second = engine.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert [message.content for message in second.messages][len(first.messages)] == "noon"


async def test_replies_come_in_the_order_of_the_mentions(rig: Rig) -> None:
    rig.start_worker(ScriptedEngine(lambda request: request.messages[-1].content.splitlines()[0][-2:]))
    for number in range(10, 15):
        await rig.say(f"number {number}", sender=f"person{number}")
    assert await rig.texts(5) == ["10", "11", "12", "13", "14"]


async def test_an_engine_that_is_not_ready_costs_no_attempt_and_the_turn_is_answered_later(rig: Rig) -> None:
    engine = saying("noon")
    engine.set_status(EngineState.STARTING, detail="loading")
    rig.start_worker(engine)
    await rig.say("what time is it?")
    await rig.until(lambda: any(isinstance(event, AttemptFailed) for event in rig.events))
    engine.set_status(EngineState.READY)
    assert await rig.texts(1) == ["noon"]
    assert not any(isinstance(event, AttemptFailed) and event.counted for event in rig.events)


async def test_three_failures_end_in_one_honest_notice(rig: Rig) -> None:
    engine = saying("never said")
    for _ in range(3):
        engine.fail_next(EngineFailed("gone"))
    rig.start_worker(engine)
    await rig.say("poison")
    assert await rig.texts(1) == [NOTICES[NoticeKind.FAILED]]
    assert (await rig.journal.counts()).dead == 1


async def test_a_poison_turn_does_not_block_its_chat(rig: Rig) -> None:
    engine = saying("fine")
    for _ in range(3):
        engine.fail_next(EngineFailed("gone"))
    rig.start_worker(engine)
    await rig.say("poison")
    await rig.say("good", sender="bob")
    assert "fine" in await rig.texts(2)


async def test_a_broken_stream_is_generated_again_into_the_same_message(rig: Rig) -> None:
    engine = saying("one two three four five six seven")
    engine.fail_next(EngineFailed("killed"), after=3)
    rig.start_worker(engine)
    await rig.say("count")
    assert await rig.texts(1) == ["one two three four five six seven"]


async def test_stopping_keeps_what_was_said_and_frees_the_engine(rig: Rig) -> None:
    async def pace(request: ChatRequest, n: int) -> None:
        if n == 3:
            await asyncio.Event().wait()

    engine = ScriptedEngine(lambda request: "one two three four five", pace=pace)
    rig.start_worker(engine)
    await rig.say("count")
    await rig.until(lambda: bool(rig.loopback.texts("room")) and "two" in rig.loopback.texts("room")[0])
    assert (await rig.say("/stop")).outcome is Outcome.DONE
    [text] = await rig.texts(1)
    assert text.startswith("one two three")
    assert "stopped" in text
    assert engine.running == 0


async def test_stopping_a_waiting_turn_ends_it_with_a_word(rig: Rig) -> None:
    await rig.say("never mind")
    await rig.say("/stop")
    engine = saying("too late")
    rig.start_worker(engine)
    assert await rig.texts(1) == [NOTICES[NoticeKind.STOPPED]]
    assert not engine.requests


async def test_who_stopped_a_turn_is_not_told_that_it_failed(rig: Rig) -> None:
    """Stopped in its last attempt, which then failed too: it ends as stopped, and no operator finds it."""
    await rig.say("never mind")
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    assert chat is not None
    for token in (1, 2, 3):
        turn = await rig.journal.claim(chat.id, token, "e")
        assert turn is not None
        await rig.journal.request_cancel(chat.id)
        await rig.journal.fail(turn, "EngineFailed: gone", rig.core.clock.now())
    rig.start_worker(saying("too late"))
    assert await rig.texts(1) == [NOTICES[NoticeKind.STOPPED]]
    assert (await rig.journal.counts()).dead == 0


async def test_reset_hides_what_was_said_before(rig: Rig) -> None:
    engine = saying("noon")
    rig.start_worker(engine)
    await rig.say("my name is Ann")
    await rig.texts(1)
    await rig.say("/reset")
    await rig.texts(2)
    await rig.say("who am I?")
    await rig.texts(3)
    assert not any("my name is Ann" in message.content for message in engine.requests[-1].messages)


async def test_an_empty_mention_gets_a_kind_word_without_the_engine(rig: Rig) -> None:
    engine = saying("unused")
    rig.start_worker(engine)
    await rig.say("@assistant")
    [text] = await rig.texts(1)
    assert "/help" in text
    assert not engine.requests


async def test_a_hundred_thousand_characters_are_shortened_and_the_asker_is_told(rig: Rig) -> None:
    engine = saying("I read the ends")
    rig.start_worker(engine)
    await rig.say("word " * 20_000)
    [text] = await rig.texts(1)
    assert "too long for me to read whole" in text
    assert "I read the ends" in text


async def test_a_prompt_the_engine_finds_too_long_is_built_again_and_answered(rig: Rig) -> None:
    engine = saying("fits now")
    engine.fail_next(PromptTooLong(max_model_len=8192))
    rig.start_worker(engine)
    await rig.say("a question in a script that costs more tokens than it looks")
    assert await rig.texts(1) == ["fits now"]
    assert not any(isinstance(event, AttemptFailed) for event in rig.events)


async def test_a_prompt_that_never_fits_gets_one_notice_and_is_not_tried_again(rig: Rig) -> None:
    engine = saying("never")
    for _ in range(2):
        engine.fail_next(PromptTooLong(max_model_len=8192))
    rig.start_worker(engine)
    await rig.say("a question that no shortening makes fit")
    assert await rig.texts(1) == [NOTICES[NoticeKind.TOO_LONG]]
    assert len(engine.requests) == 2


async def test_a_chat_that_outgrows_the_model_is_cut_and_goes_on(rig: Rig) -> None:
    """Thirty turns of a hundred words on a model of a thousand tokens: each is answered, none too long."""
    engine = ScriptedEngine(lambda request: "yes " * 40, max_model_len=1024)
    rig.start_worker(engine)
    for number in range(30):
        await rig.say(f"turn {number}: " + "word " * 100)
        await rig.texts(number + 1)
    assert not any(isinstance(event, AttemptFailed) for event in rig.events)
    last = [message.content for message in engine.requests[-1].messages]
    assert "turn 29:" in last[-1]
    assert any("turn 28:" in content for content in last)
    assert not any("turn 3:" in content for content in last)


async def test_binary_garbage_gets_a_notice_and_no_prompt(rig: Rig) -> None:
    engine = saying("unused")
    rig.start_worker(engine)
    receipt = await rig.say("\x00\x01\x02\x7f" * 50)
    assert receipt.outcome is Outcome.REFUSED
    assert len(await rig.texts(1)) == 1
    assert not engine.requests


@pytest.mark.parametrize("fault", [Fault.LOST_REQUEST, Fault.LOST_ANSWER])
@pytest.mark.parametrize("idempotency", [Idempotency.KEYED, Idempotency.READ_BACK])
async def test_an_ambiguous_send_is_made_good_without_a_duplicate(
    tmp_path: Path, idempotency: Idempotency, fault: Fault
) -> None:
    async with open_rig(tmp_path, platform=loopback(idempotency)) as rig:
        rig.loopback.faults.next_call(fault)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["noon"]


async def test_class_c_sends_again_and_says_that_it_may_be_a_duplicate(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        rig.loopback.faults.next_call(Fault.LOST_ANSWER)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(2) == ["noon", f"{LABELLED}noon"]
        assert [seen.may_be_duplicate for seen in rig.loopback.messages("room")] == [False, True]


async def test_class_c_gives_up_where_the_operator_says_so(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE), policy=SendPolicy.GIVE_UP) as rig:
        rig.loopback.faults.next_call(Fault.LOST_ANSWER)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["noon"]


@pytest.mark.parametrize("fault", [Fault.RETRY_AFTER, Fault.UNREACHABLE])
async def test_a_send_that_did_not_happen_is_simply_sent_again(tmp_path: Path, fault: Fault) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE)) as rig:
        rig.loopback.faults.next_call(fault)
        rig.start_worker(saying("noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["noon"]
        assert not rig.loopback.messages("room")[0].may_be_duplicate


async def test_an_erased_schedule_loses_nothing_and_answers_once(rig: Rig) -> None:
    held = asyncio.Event()

    async def pace(request: ChatRequest, n: int) -> None:
        if n == 2 and not held.is_set():
            held.set()
            rig.scheduler.erase()
            await asyncio.Event().wait()

    rig.start_worker(ScriptedEngine(lambda request: "one two three four", pace=pace))
    await rig.say("count")
    await held.wait()
    assert await rig.texts(1) == ["one two three four"]
    await rig.until(lambda: bool(rig.told(LeaseLost)))
    assert not any(isinstance(event, AttemptFailed) and event.counted for event in rig.events)


async def test_a_worker_that_is_stopped_releases_its_turn_uncharged(tmp_path: Path) -> None:
    async with open_rig(tmp_path, drain_s=0.05) as rig:
        started = asyncio.Event()

        async def pace(request: ChatRequest, n: int) -> None:
            started.set()
            await asyncio.Event().wait()

        first = rig.start_worker(ScriptedEngine(lambda request: "never", pace=pace))
        await rig.say("what time is it?")
        await started.wait()
        await end({first})
        rig.start_worker(saying("noon"))
        assert await rig.texts(1) == ["noon"]
        assert not any(isinstance(event, AttemptFailed) and event.counted for event in rig.events)


async def test_a_drain_lets_a_running_turn_end(rig: Rig) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    async def pace(request: ChatRequest, n: int) -> None:
        started.set()
        await go_on.wait()

    worker = rig.start_worker(ScriptedEngine(lambda request: "noon", pace=pace))
    await rig.say("what time is it?")
    await started.wait()
    worker.cancel()
    go_on.set()
    assert await rig.texts(1) == ["noon"]


async def test_a_refusing_engine_is_told_to_the_person_as_a_reason(rig: Rig) -> None:
    engine = saying("noon")
    engine.fail_next(EngineNotReady("loading the model"))
    rig.start_worker(engine)
    await rig.say("what time is it?")
    assert await rig.texts(1) == ["noon"]
