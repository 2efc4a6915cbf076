"""WhatsApp through real vLLM and the processes that people run: signed webhooks in, what stands on Ann's phone."""

import asyncio

import pytest

from tests.adapters.twilio_cloud.cloud import ANN, Cloud
from tests.adapters.twilio_cloud.people import Picture
from tests.adapters.twilio_cloud.shown import Fault
from tests.fixtures.deployment import PATIENCE_S
from tests.fixtures.introduced import answer_of

pytestmark = [pytest.mark.real_engine, pytest.mark.timeout(400)]


async def answers(cloud: Cloud, number: int, person: str = ANN) -> list[str]:
    """Wait until so many answers stand on somebody's phone."""
    async with asyncio.timeout(PATIENCE_S):
        while len(cloud.seen(person)) < number:
            await cloud.news.wait(1.0)
    return cloud.seen(person)


async def test_a_text_a_quoted_reply_and_an_image_are_answered_on_whatsapp(twilio: Cloud) -> None:
    asked = twilio.say("What is the capital of France?", copies=3)
    (first,) = await answers(twilio, 1)
    assert answer_of(first).strip()
    assert twilio.record.bubble(asked).read_at is not None
    said = next(bubble for bubble in twilio.bubbles(ANN) if not bubble.inbound)
    twilio.say("Say that again in one word.", reply_to=said.sid)
    assert len(await answers(twilio, 2)) == 2
    twilio.say("Write a short poem for this.", pictures=[Picture()])
    about_picture = (await answers(twilio, 3))[2]
    assert "picture" in about_picture
    await twilio.settled()
    assert len(twilio.seen(ANN)) == 3


async def test_a_storm_of_429_loses_nothing_and_doubles_nothing(twilio: Cloud) -> None:
    people = [f"+4917012345{number}0" for number in range(4)]
    for fault in (Fault.TOO_MANY, Fault.TOO_MANY_SILENTLY, Fault.CHANNEL_RATE):
        twilio.fault(fault, endpoint="send", times=4, retry_after_s=0.5)
    for person in people:
        twilio.say("Say hello.", number=person)
    for person in people:
        await answers(twilio, 1, person)
    await twilio.settled()
    assert [len(twilio.seen(person)) for person in people] == [1] * len(people)
    assert {call.fault for call in twilio.calls("send")} >= {"too_many", "too_many_silently", "channel_rate"}
