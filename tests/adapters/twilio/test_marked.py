"""A chaos run can tell our sends apart in the cloud's record."""

from dataclasses import replace

from adapters.twilio.settings import TwilioSettings
from tests.adapters.twilio.marked import marked
from tests.adapters.twilio.test_sending import OPERATION


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
