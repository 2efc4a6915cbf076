"""Bursts, edits, withdrawals and full chats, through the real journal, worker and notices."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import Addressed, Edited, Idempotency, Outcome, Platform, Withdrawn
from adapters.loopback.adapter import LoopbackAdapter
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.rig import Rig, open_rig, saying

LIMIT = 500


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    adapter = LoopbackAdapter(idempotency=Idempotency.KEYED, client_splits_at=LIMIT)
    async with open_rig(tmp_path, platform=Platform(adapter=adapter), per_chat=2) as opened:
        yield opened


def asked(engine: ScriptedEngine) -> str:
    (request,) = engine.requests
    return request.messages[-1].content


def taken_back(rig: Rig, event: str) -> Withdrawn:
    inbound = rig.inbound("", event=event)
    return Withdrawn(
        adapter=inbound.adapter,
        account=inbound.account,
        conversation=inbound.conversation.ref,
        message=inbound.message,
    )


async def test_a_text_that_its_client_cut_is_answered_whole(rig: Rig) -> None:
    engine = saying("noon")
    rig.start_worker(engine)
    await rig.say("one " * (LIMIT // 4))
    rest = replace(rig.inbound("and the end of it"), addressed=Addressed.NOT)
    assert (await rig.intake.accept(rest)).outcome is Outcome.JOINED
    assert await rig.texts(1) == ["noon"]
    assert "and the end of it" in asked(engine)


async def test_an_edited_mention_is_answered_as_it_stands(rig: Rig) -> None:
    await rig.say("what time is it?", event="e1")
    await rig.intake.edited(Edited(inbound=rig.inbound("what day is it?", event="e1")))
    engine = saying("Monday")
    rig.start_worker(engine)
    assert await rig.texts(1) == ["Monday"]
    assert "what day is it?" in asked(engine)
    assert "what time is it?" not in asked(engine)


async def test_a_withdrawn_mention_is_not_answered_and_the_next_one_is(rig: Rig) -> None:
    await rig.say("never mind", event="e1")
    await rig.intake.withdrawn(taken_back(rig, "e1"))
    await rig.say("what time is it?", sender="bob")
    rig.start_worker(saying("noon"))
    assert await rig.texts(1) == ["noon"]


async def test_withdrawing_what_is_being_answered_frees_the_engine(rig: Rig) -> None:
    begun = asyncio.Event()

    async def pace(request: ChatRequest, n: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    engine = ScriptedEngine(lambda request: "one two three", pace=pace)
    rig.start_worker(engine)
    await rig.say("count", event="e1")
    await begun.wait()
    assert (await rig.intake.withdrawn(taken_back(rig, "e1"))).outcome is Outcome.DONE
    await rig.settled()
    assert engine.running == 0


async def test_a_full_chat_is_told_once_and_answers_what_it_took(rig: Rig) -> None:
    receipts = [await rig.say(f"question {n}", sender=f"person-{n}") for n in range(6)]
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED] * 2 + [Outcome.REFUSED] * 4
    rig.start_worker(saying("noon"))
    texts = await rig.texts(3)
    assert sorted(texts, key=len)[:2] == ["noon", "noon"]
    assert sorted(texts, key=len)[2].startswith("I have as many questions waiting here")
    assert len(texts) == 3
