"""The cloud as a process: driven over HTTP, remembering across its end, and seen as a generic platform."""

import base64
import os
import signal
from http import HTTPStatus

import aiohttp
import pytest

from tests.adapters.twilio_cloud.account import WHATSAPP_SENDER, standard_account
from tests.adapters.twilio_cloud.as_platform import TwilioClient, number_of
from tests.adapters.twilio_cloud.cloud import ANN, address
from tests.adapters.twilio_cloud.harness import basic
from tests.adapters.twilio_cloud.process import running_twilio
from tests.platforms.seen import Endpoint, Fault

ACCOUNT = standard_account()


async def posted(url: str, to: str = address(ANN), **headers: str) -> int:
    """Send a message with the standard account's token; give the status."""
    where = f"{url}/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json"
    fields = {"To": to, "From": WHATSAPP_SENDER, "Body": "hello"}
    auth = basic(ACCOUNT.sid, ACCOUNT.token)
    async with (
        aiohttp.ClientSession() as session,
        session.post(where, data=fields, headers=auth | headers) as answer,
    ):
        return answer.status


async def test_a_cloud_in_another_process(tmp_path, gateway):
    async with running_twilio(tmp_path) as running:
        remote = running.remote
        await remote.do("webhook", url=f"{gateway.url}/hooks")
        await remote.do("manner", copies=1, shuffled=False)
        picture = {"data": base64.b64encode(b"GIF89a").decode(), "content_type": "image/gif"}
        sid = await remote.say("look", pictures=[picture], extra={"New": "x"})
        known = await remote.until(lambda known: known.messages[sid].acked_at)
        assert known.messages[sid].tries == (HTTPStatus.OK,)
        assert (gateway.got[0]["MediaContentType0"], gateway.got[0]["New"]) == ("image/gif", "x")
        assert await posted(running.url) == HTTPStatus.CREATED
        known = await remote.until(lambda known: known.seen(address(ANN)))
        assert known.seen(address(ANN)) == ["hello"]
        assert known.violations == []


async def test_a_killed_cloud_has_forgotten_nothing(tmp_path):
    async with running_twilio(tmp_path) as running:
        await running.remote.say("hi")
        await running.remote.do("advance", seconds=3600)
        await posted(running.url)
        before = await running.remote.until(lambda known: known.seen(address(ANN)))
        os.kill(running.pid, signal.SIGKILL)
    async with running_twilio(tmp_path) as running:
        after = await running.remote.until(lambda known: known.next >= before.next)
        assert after.messages == before.messages
        # The hour that was let pass is still past.
        await running.remote.do("advance", seconds=23 * 3600)
        await posted(running.url)
        known = await running.remote.until(lambda known: len(known.messages) == 3)
        assert [bubble.status for bubble in known.messages.values()][-1] == "failed"


@pytest.mark.parametrize(("what", "asked"), [("manner", {"colour": 1}), ("say", {"body": "x", "colour": 1})])
async def test_a_wrong_control_call_is_an_error(tmp_path, what, asked):
    async with running_twilio(tmp_path) as running:
        with pytest.raises(aiohttp.ClientResponseError):
            await running.remote.do(what, **asked)


async def test_the_cloud_as_a_generic_platform(tmp_path, gateway):
    async with running_twilio(tmp_path) as running, TwilioClient(running.url) as client:
        await client.set_gateways([f"{gateway.url}/hooks/twilio"])
        gateway.statuses = [500, 200]
        mention = await client.say("hello", conversation="corner-1", sender="ann", kind="direct")
        seen = await client.until(lambda seen: mention in seen.mentions and seen.mentions[mention].acked_at)
        assert seen.mentions[mention].statuses == (500, 200)
        assert seen.mentions[mention].conversation == "corner-1"
        await client.fault(Fault.RATE_LIMITED, endpoint=Endpoint.SEND)
        await client.fault(Fault.SLOW, endpoint=Endpoint.EDIT)
        to = f"whatsapp:{number_of('corner-1')}"
        marks = {"X-Seen-Operation": "op-1", "X-Seen-Purpose": "reply", "X-Seen-May-Be-Duplicate": "1"}
        assert await posted(running.url, to) == HTTPStatus.TOO_MANY_REQUESTS
        assert await posted(running.url, to, **marks) == HTTPStatus.CREATED
        seen = await client.until(lambda seen: seen.visible("corner-1"))
        (message,) = seen.visible("corner-1")
        assert (message.operation, message.purpose, message.may_be_duplicate) == ("op-1", "reply", True)
        assert [fault.fault for fault in seen.faults] == ["too_many"]


async def test_a_message_that_nobody_takes_is_given_up_and_nothing_is_due_of_it(tmp_path, gateway):
    gateway.statuses = [503]
    async with running_twilio(tmp_path) as running, TwilioClient(running.url) as client:
        await client.set_gateways([f"{gateway.url}/hooks/twilio"])
        mention = await client.say("hello", conversation="corner-1")
        seen = await client.until(lambda seen: mention in seen.mentions and seen.mentions[mention].given_up)
        assert (seen.mentions[mention].acked_at, len(seen.mentions[mention].statuses)) == (None, 6)


async def test_everybody_is_a_person_of_their_own(tmp_path, gateway):
    async with running_twilio(tmp_path) as running, TwilioClient(running.url) as client:
        await client.set_gateways([f"{gateway.url}/hooks/twilio"])
        for place in ("corner-1", "corner-2"):
            await client.say("hello", conversation=place)
        await client.until(lambda seen: sum(bool(m.acked_at) for m in seen.mentions.values()) == 2)
    assert len({got["ExternalUserId"] for got in gateway.got}) == 2
