"""A chaos run can tell our sends apart in the cloud's record."""

from dataclasses import replace

from adapters.twilio.settings import TwilioSettings
from tests.adapters.twilio.little_gateway import gateway
from tests.adapters.twilio.marked import marked
from tests.adapters.twilio.test_sending import OPERATION
from tests.adapters.twilio_cloud.harness import PUBLIC


async def test_each_send_carries_its_operation(twilio):
    assert isinstance(twilio.settings, TwilioSettings)
    made = marked(twilio.settings, twilio.records, twilio.clock.now)
    async with made.lifetime:
        sent = await made.adapter.send(replace(OPERATION, may_be_duplicate=True))
        found = await made.adapter.find("op", OPERATION.account, OPERATION.conversation)
    bubble = twilio.cloud.record.bubble(sent.message)
    assert (bubble.operation, bubble.purpose, bubble.may_be_duplicate) == ("op", "reply", True)
    assert found == sent
    assert twilio.cloud.violations() == []


async def test_a_send_tells_which_message_it_answers(twilio):
    asked = await twilio.say("what is a heap?")
    made = marked(twilio.settings, twilio.records, twilio.clock.now)
    async with made.lifetime:
        sent = await made.adapter.send(replace(OPERATION, reply_to=asked))
    assert twilio.cloud.record.bubble(sent.message).answers == asked


async def test_a_webhooks_answer_tells_what_became_of_the_message(twilio):
    made = marked(twilio.settings, twilio.records, twilio.clock.now)
    async with made.lifetime, gateway(made.webhooks, twilio.sink) as url:
        twilio.cloud.proxy(PUBLIC, [url])
        sid = await twilio.say("hello")
    assert twilio.cloud.record.bubble(sid).outcome == "accepted"
