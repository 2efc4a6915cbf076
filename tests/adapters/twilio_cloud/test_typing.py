"""Typing answers a person's message on WhatsApp, marks it as read, and does not stay."""

from http import HTTPStatus

import pytest

from tests.adapters.twilio_cloud.shown import Channel


@pytest.fixture
def typing(cloud, caller):
    async def call(sid, channel="whatsapp"):
        return await caller.post(
            f"{cloud.url}/v2/Indicators/Typing.json", {"channel": channel, "messageId": sid}
        )

    return call


async def test_typing_is_shown_and_marks_as_read(cloud, typing):
    sid = cloud.say("hello")
    assert not cloud.sees_typing()
    assert await typing(sid) == (HTTPStatus.OK, {"success": True})
    assert cloud.sees_typing()
    assert cloud.record.bubble(sid).read_at is not None


@pytest.mark.parametrize(("passed_s", "shown"), [(24, True), (26, False)])
async def test_typing_lasts_25_seconds(cloud, typing, passed_s, shown):
    await typing(cloud.say("hello"))
    cloud.advance(passed_s)
    assert cloud.sees_typing() is shown


async def test_an_answer_ends_it(cloud, caller, typing):
    await typing(cloud.say("hello"))
    await caller.send()
    assert not cloud.sees_typing()


async def test_an_unknown_message(cloud, typing):
    status, answer = await typing("SM" + "0" * 32)
    assert (status, answer["code"]) == (HTTPStatus.NOT_FOUND, 20404)
    assert cloud.violations() == []


async def test_typing_on_sms_is_a_violation(cloud, typing):
    status, _ = await typing(cloud.say("hello", channel=Channel.SMS), channel="sms")
    assert status == HTTPStatus.BAD_REQUEST
    assert len(cloud.violations()) == 1


async def test_typing_under_a_message_of_ours_is_a_violation(cloud, caller, typing):
    _, sent = await caller.send()
    status, _ = await typing(sent["sid"])
    assert status == HTTPStatus.BAD_REQUEST
    assert len(cloud.violations()) == 1
