"""What channels add to a reply on its way: buttons, drafts, links, attachments, and a conversation that moves."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.base import (
    Action,
    Attachment,
    AttachmentKind,
    Capabilities,
    Idempotency,
    LiveOutput,
    Platform,
    Pressed,
    Quoted,
)
from adapters.errors import Moved
from adapters.loopback.adapter import LoopbackAdapter
from adapters.loopback.faults import Fault
from adapters.pacing import Bucket, PacingKeys, PacingScope
from adapters.pacing_memory import MemoryPacer
from bot.clock import SystemClock
from bot.errors import StoreUnavailable
from bot.settings.sections import LinksSection
from bot.telemetry.events import AttemptFailed
from bot.turns.buttons import BAD, GOOD, RETRY, STOP, under_reply, while_growing
from bot.turns.draft_live import DraftLive
from bot.turns.lease import Lease
from bot.turns.linking import GrowingLinks, Linking
from bot.turns.model import Part, Skill, TurnState
from bot.turns.paced import paced
from bot.turns.scheduler.memory import MemoryScheduler
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine
from tests.fixtures.rig import QUICK, Rig, loopback, open_rig, saying

EDITS = (Idempotency.KEYED, LiveOutput.EDIT)


class Held(ScriptedEngine):
    """Says its first word, and the others when it is let go; keeps what it was asked."""

    def __init__(self, text: str) -> None:
        super().__init__(self._reply, pace=self._pace)
        self.text = text
        self.go_on = asyncio.Event()
        self.asked: list[ChatRequest] = []

    def _reply(self, request: ChatRequest) -> str:
        self.asked.append(request)
        return self.text

    async def _pace(self, _request: ChatRequest, n: int) -> None:
        if n:
            await self.go_on.wait()


async def placed(rig: Rig) -> None:
    """Wait until the record knows the message that grows."""
    async with asyncio.timeout(20):
        while not await rig.journal.asked_under(pressed(rig, Action.STOP, "m1")):
            await asyncio.sleep(0.002)


def pressed(rig: Rig, action: Action, message: str) -> Pressed:
    said = rig.inbound("")
    return Pressed(
        adapter=said.adapter,
        account=said.account,
        event_key=f"press-{action}-{message}",
        conversation="room",
        message=message,
        sender=said.sender,
        action=action,
    )


async def test_a_reply_can_be_stopped_while_it_grows_and_tried_again_and_rated_when_it_stands(
    tmp_path: Path,
) -> None:
    async with open_rig(tmp_path, platform=loopback(*EDITS, buttons=3)) as rig:
        engine = Held("it is noon")
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.until(lambda: rig.loopback.texts("room") == ["it"])
        [growing] = rig.loopback.messages("room")
        assert growing.buttons == (STOP,)
        await placed(rig)
        receipt = await rig.intake.pressed(pressed(rig, Action.STOP, growing.message))
        assert receipt.told == "Stopping."
        [text] = await rig.texts(1)
        assert text.endswith("*(stopped)*")
        [stopped] = rig.loopback.messages("room")
        assert stopped.buttons == (RETRY, GOOD, BAD)
        engine.go_on.set()
        await rig.intake.pressed(pressed(rig, Action.RETRY, stopped.message))
        assert (await rig.texts(2))[1] == "it is noon"
        [_, second] = engine.asked
        assert second.messages[-1].content.endswith("what time is it?")
        rated = await rig.intake.pressed(pressed(rig, Action.GOOD, rig.loopback.messages("room")[1].message))
        assert rated.told == "Thank you, noted."


async def test_of_several_messages_only_the_last_has_buttons(tmp_path: Path) -> None:
    platform = loopback(Idempotency.KEYED, text_limit=40, buttons=3)
    async with open_rig(tmp_path, platform=platform) as rig:
        rig.start_worker(saying("\n\n".join(["a" * 30, "b" * 30])))
        await rig.say("tell me much")
        await rig.texts(2)
        assert [bool(seen.buttons) for seen in rig.loopback.messages("room")] == [False, True]


@pytest.mark.parametrize(
    ("room", "growing", "under"),
    [(0, (), ()), (1, (STOP,), (RETRY,)), (2, (STOP,), (GOOD, BAD)), (3, (STOP,), (RETRY, GOOD, BAD))],
)
async def test_a_conversation_gets_no_more_buttons_than_it_has_room_for(
    tmp_path: Path, room: int, growing: tuple, under: tuple
) -> None:
    turn = await claimed(tmp_path)
    allowed = Capabilities(text_limit=100, buttons=room)
    assert while_growing(allowed) == growing
    assert under_reply(allowed, turn, 0) == under
    assert under_reply(allowed, replace(turn, skill=Skill.HELP), 0) == ()


async def claimed(folder: Path):
    """Make a turn whose reply has one part."""
    async with open_rig(folder) as rig:
        receipt = await rig.say("hello")
        turn = await rig.journal.claim(receipt.chat_id, 1, "epoch")
    part = Part(number=0, op_id="op", text="hi", in_doubt=False, message=None)
    return replace(turn, parts=(part,), state=TurnState.REPLIED)


async def test_where_there_are_drafts_the_reply_grows_in_one_and_ends_in_one_message(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE, LiveOutput.DRAFT)) as rig:
        engine = Held("it is noon")
        rig.start_worker(engine)
        await rig.say("what time is it?")
        await rig.until(lambda: "it" in rig.loopback.drafted)
        assert (rig.loopback.drafted[0], rig.loopback.texts("room")) == (None, [])
        engine.go_on.set()
        assert await rig.texts(1) == ["it is noon"]
        assert rig.loopback.messages("room")[0].earlier == ()


@pytest.mark.parametrize("fault", [Fault.RETRY_AFTER, Fault.UNREACHABLE, Fault.LOST_ANSWER], ids=str)
async def test_a_draft_that_is_refused_costs_nothing_of_the_reply(tmp_path: Path, fault: Fault) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE, LiveOutput.DRAFT)) as rig:
        rig.loopback.faults.next_call(fault)
        rig.start_worker(saying("it is noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1) == ["it is noon"]


async def test_a_draft_is_shown_again_before_it_vanishes(tmp_path: Path) -> None:
    turn, platform = await claimed(tmp_path), loopback(Idempotency.NONE, LiveOutput.DRAFT)
    adapter = platform.adapter
    live = DraftLive(adapter, platform.drafts, QUICK, refresh_s=0.01)
    async with live.open(turn, await held()) as reply:
        reply.show("it is")
        async with asyncio.timeout(5):
            while adapter.drafted.count("it is") < 3:
                await asyncio.sleep(0.001)
    shown = len(adapter.drafted)
    await asyncio.sleep(0.05)
    assert len(adapter.drafted) == shown


async def held() -> Lease:
    """Take a chat."""
    clock = SystemClock()
    scheduler = MemoryScheduler(clock)
    await scheduler.begin_epoch()
    await scheduler.put("chat")
    return Lease(scheduler, await scheduler.take(15_000), lease_ms=15_000, clock=clock)


URL, MADE_UP = "https://people.example/page?x=1", "https://evil.example/x"


async def links_of_reply(rig: Rig, number: int) -> frozenset[str]:
    await rig.texts(number)
    return rig.loopback.messages("room")[-1].links


async def test_an_address_is_live_only_where_a_person_brought_it(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback()) as rig:
        rig.start_worker(saying(f"see {URL} and [this]({MADE_UP})"))
        await rig.say(f"what is {URL} about?")
        assert await links_of_reply(rig, 1) == {URL}


async def test_an_address_of_an_earlier_message_is_live_and_an_earlier_reply_vouches_for_nothing(
    tmp_path: Path,
) -> None:
    async with open_rig(tmp_path, platform=loopback()) as rig:
        rig.start_worker(saying(f"see {URL} and {MADE_UP}"))
        await rig.say(f"what is {URL} about?")
        await rig.texts(1)
        quoting = rig.inbound("and then?")
        quoted = Quoted(ref="m1", author="", text=f"see {URL} and {MADE_UP}", by_assistant=True)
        await rig.intake.accept(replace(quoting, quoted=quoted))
        assert await links_of_reply(rig, 2) == {URL}
        await rig.say("once more")
        assert await links_of_reply(rig, 3) == {URL}


async def test_the_operators_hosts_are_live_and_others_that_look_like_them_are_not(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback()) as rig:
        allowed = LinksSection(allow=(".wiki.example.org",))
        rig.core = replace(rig.core, settings=rig.core.settings.model_copy(update={"links": allowed}))
        rig.start_worker(
            saying("see https://a.wiki.example.org/b or https://wiki.example.org.evil.example/b")
        )
        await rig.say("where?")
        assert await links_of_reply(rig, 1) == {"https://a.wiki.example.org/b"}


class Linked(Held):
    """Says a person's address and one of its own, and waits before its last words."""

    def __init__(self) -> None:
        super().__init__(f"see {URL} and {MADE_UP} " + "so " * 60)

    async def _pace(self, _request: ChatRequest, n: int) -> None:
        if n >= 40:
            await self.go_on.wait()


async def test_while_a_reply_grows_by_edits_its_links_are_those_of_its_final_text(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(*EDITS)) as rig:
        engine = Linked()
        rig.start_worker(engine)
        await rig.say(f"what is {URL} about?")
        await rig.until(lambda: any("evil" in text for text in rig.loopback.texts("room")))
        [growing] = rig.loopback.messages("room")
        assert growing.links == {URL}
        engine.go_on.set()
        assert await links_of_reply(rig, 1) == {URL}


async def test_a_draft_carries_the_links_of_the_final_text(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(Idempotency.NONE, LiveOutput.DRAFT)) as rig:
        engine = Linked()
        rig.start_worker(engine)
        await rig.say(f"what is {URL} about?")
        await rig.until(lambda: any(text and "evil" in text for text in rig.loopback.drafted))
        assert rig.loopback.drafted_links[0] == frozenset()
        assert rig.loopback.drafted_links[-1] == {URL}
        engine.go_on.set()
        await rig.texts(1)


async def test_a_record_that_is_away_while_a_reply_grows_costs_its_links_and_nothing_else(
    tmp_path: Path,
) -> None:
    turn = await claimed(tmp_path)

    async def away(_chat, _before):
        raise StoreUnavailable("away")

    links = GrowingLinks(Linking(away, ("wiki.example",)), turn)
    assert await links.of(f"see {URL} and https://wiki.example/a") == frozenset()
    assert await links.of("no address") == frozenset()


async def test_a_long_reply_is_edited_no_more_once_its_message_is_full(tmp_path: Path) -> None:
    platform = loopback(*EDITS, text_limit=100)
    async with open_rig(tmp_path, platform=platform) as rig:
        rig.start_worker(saying("\n\n".join(f"paragraph {n} says this and that" for n in range(60))))
        await rig.say("tell me much")
        await rig.until(lambda: len(rig.loopback.texts("room")) > 10)
        await rig.settled()
        first = rig.loopback.messages("room")[0]
        assert len(first.earlier) <= 40
        assert len(set(first.earlier)) == len(first.earlier)


def with_picture(rig: Rig, text: str):
    picture = Attachment(kind=AttachmentKind.PICTURE, ref="ref")
    return replace(rig.inbound(text), attachments=(picture,))


async def test_a_picture_with_a_caption_is_answered_by_its_words_and_honestly(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback()) as rig:
        engine = Held("a cat, you say")
        engine.go_on.set()
        rig.start_worker(engine)
        await rig.intake.accept(with_picture(rig, "is my cat nice?"))
        [text] = await rig.texts(1)
        assert "cannot see or hear what you attached here (a picture)" in text
        assert text.endswith("a cat, you say")
        [request] = engine.asked
        assert "‹attached: a picture; you cannot see it›" in request.messages[-1].content


async def test_a_picture_alone_is_answered_without_asking_the_model(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback()) as rig:
        engine = Held("I see a cat")
        rig.start_worker(engine)
        await rig.intake.accept(with_picture(rig, ""))
        [text] = await rig.texts(1)
        assert text.startswith("I got a picture, but I cannot see")
        assert engine.asked == []


async def test_a_reply_follows_a_conversation_that_moved_although_nobody_told_us(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback()) as rig:
        send = rig.loopback.send

        async def moved(op):
            if op.conversation == "room":
                raise Moved("hall")
            return await send(op)

        rig.loopback.send = moved
        rig.start_worker(saying("it is noon"))
        await rig.say("what time is it?")
        assert await rig.texts(1, "hall") == ["it is noon"]


async def test_a_notice_follows_a_conversation_that_moved_although_nobody_told_us(tmp_path: Path) -> None:
    async with open_rig(tmp_path, platform=loopback(), per_chat=1) as rig:
        send = rig.loopback.send

        async def moved(op):
            if op.conversation == "room":
                raise Moved("hall")
            return await send(op)

        rig.loopback.send = moved
        await rig.say("one")
        await rig.say("two", sender="bob")
        rig.start_notices()
        await rig.until(lambda: len(rig.loopback.texts("hall")) == 1)


class Slowed(LoopbackAdapter):
    """A platform that takes one call a chat in so many seconds."""

    per_s = 0.2

    def capabilities(self, conversation: str) -> Capabilities:
        bucket = Bucket(scope=PacingScope.CONVERSATION, count=1, per_s=self.per_s)
        return replace(super().capabilities(conversation), buckets=(bucket,))


async def test_a_final_text_waits_its_turn_on_a_paced_platform_instead_of_being_put_off(
    tmp_path: Path,
) -> None:
    adapter = Slowed(idempotency=Idempotency.KEYED, text_limit=40)
    pacer = MemoryPacer(SystemClock().monotonic)
    platform = paced(Platform(adapter=adapter), pacer)
    async with open_rig(tmp_path, platform=platform) as rig:
        rig.start_worker(saying("\n\n".join(["a" * 30, "b" * 30, "c" * 30])))
        await rig.say("tell me much")
        await rig.until(lambda: len(adapter.texts("room")) == 3)
        await rig.settled()
        assert not rig.told(AttemptFailed)


async def test_what_would_wait_too_long_is_put_off_and_still_comes_once(
    tmp_path: Path,
) -> None:
    adapter = Slowed(idempotency=Idempotency.NONE, text_limit=40)
    pacer = MemoryPacer(SystemClock().monotonic)
    async with open_rig(tmp_path, platform=paced(Platform(adapter=adapter), pacer)) as rig:
        await pacer.penalise(
            PacingKeys(adapter="loopback", account="main", conversation="room"), PacingScope.CONVERSATION, 4.5
        )
        rig.start_worker(saying("it is noon"))
        await rig.say("what time is it?")
        await rig.until(lambda: bool(adapter.texts("room")))
        await rig.settled()
        assert adapter.texts("room") == ["it is noon"]
        assert {failed.error for failed in rig.told(AttemptFailed)} == {"RetryAfter"}
