"""The whole path over the local cloud: signed webhook, real intake, journal and worker, and what Ann reads."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Sink
from bot.telemetry.events import MessageReported
from bot.turns.send_policy import SendPolicy
from engine.scripted import ScriptedEngine
from tests.adapters.twilio.world import TwilioHarness
from tests.adapters.twilio_cloud.cloud import ANN
from tests.adapters.twilio_cloud.people import Picture
from tests.fixtures.rig import Rig, open_rig

ANSWER = "A heap is a tree."


class Later:
    """A sink that is there once the core is."""

    sink: Sink

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sink, name)


class World:
    """Ann, the cloud, and a deployment."""

    def __init__(self, twilio: TwilioHarness, rig: Rig) -> None:
        self.twilio, self.rig = twilio, rig
        self.engine = ScriptedEngine(lambda _: ANSWER)

    async def answered(self, number: int = 1) -> list[str]:
        """Wait until so many messages stand on Ann's phone and nothing is owed."""
        await self.rig.until(lambda: len(self.twilio.cloud.seen(ANN)) >= number)
        await self.rig.settled()
        return await self.twilio.visible()

    def asked(self) -> str:
        """Return the last prompt."""
        return "\n".join(message.content for message in self.engine.requests[-1].messages)


@contextlib.asynccontextmanager
async def deployed(folder: Path, **options: Any) -> AsyncIterator[World]:
    sink = Later()
    async with (
        TwilioHarness(sink).running(folder) as twilio,
        open_rig(folder, platform=twilio.platform, **options) as rig,
    ):
        sink.sink = rig.intake
        world = World(twilio, rig)
        rig.start_worker(world.engine)
        yield world
        assert twilio.cloud.violations() == []


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with deployed(tmp_path) as running:
        yield running


async def test_a_question_on_whatsapp_is_answered_once_and_typing_marks_it_as_read(world):
    sid = await world.twilio.say("what is a heap?", copies=3)
    assert await world.answered() == [ANSWER]
    assert world.twilio.cloud.record.bubble(sid).read_at is not None


async def test_a_question_by_sms_is_answered(world):
    await world.twilio.say("what is a heap?", channel="sms")
    assert await world.answered() == [ANSWER]


async def test_the_model_reads_what_a_reply_is_about(world):
    first = await world.twilio.say("The train leaves at noon.")
    await world.answered()
    await world.twilio.say("translate this", reply_to=first)
    await world.answered(2)
    assert world.asked().count("The train leaves at noon.") >= 2


async def test_a_picture_with_a_caption_is_answered(world):
    await world.twilio.say("what is this?", pictures=[Picture()])
    assert len(await world.answered()) == 1
    assert "what is this?" in world.asked()


async def test_a_storm_of_refusals_loses_nothing(world):
    world.twilio.cloud.fault("too_many", endpoint="send", times=6, retry_after_s=0.05)
    await world.twilio.say("what is a heap?")
    assert await world.answered() == [ANSWER]


@pytest.mark.parametrize("policy", list(SendPolicy))
async def test_an_answer_whose_fate_is_unknown_is_found_and_neither_doubled_nor_lost(tmp_path, policy):
    async with deployed(tmp_path, policy=policy) as world:
        world.twilio.cloud.fault("lost_response", endpoint="send")
        await world.twilio.say("what is a heap?")
        assert await world.answered() == [ANSWER]


async def test_one_that_never_arrived_is_sent_again_under_its_label(world):
    world.twilio.cloud.fault("lost_request", endpoint="send")
    await world.twilio.say("what is a heap?")
    (seen,) = await world.answered()
    assert seen.endswith(ANSWER)


async def test_an_answer_that_whatsapp_refuses_as_too_late_goes_as_the_template(tmp_path):
    async with deployed(tmp_path) as world:
        template = world.twilio.cloud.template("Your answer: {{1}}")
        world.twilio.adapter._settings = replace(world.twilio.settings, whatsapp_template=template)
        world.twilio.cloud.fail(63016)
        await world.twilio.say("what is a heap?")
        assert await world.answered() == [f"Your answer: {ANSWER}"]


async def test_what_an_answer_cost_is_counted_once(world):
    await world.twilio.say("what is a heap?")
    await world.answered()
    costs = [event.cost for event in world.rig.told(MessageReported)]
    assert sum(costs) == pytest.approx(0.005)


async def test_stop_by_sms_leaves_nothing_to_send(world):
    await world.twilio.say("STOP", channel="sms")
    await world.rig.settled()
    sent = [bubble.body for bubble in world.twilio.cloud.bubbles(ANN) if bubble.direction == "outbound-api"]
    assert sent == []
