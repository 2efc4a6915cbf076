"""Twilio's own client finds in this cloud what it expects of the real one."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN, address
from tests.adapters.twilio_cloud.harness import basic
from tests.adapters.twilio_cloud.people import Picture
from tests.adapters.twilio_cloud.shown import Fault

ME = address(ANN)


class Redirected(AsyncHttpClient):
    """Sends what the library asks for to the cloud, whatever host it names."""

    def __init__(self, url, session):
        super().__init__(None, True)
        self.url, self.session = url, session

    async def request(self, method, url, params=None, data=None, headers=None, auth=None, **_):  # noqa: PLR0917 - the library's signature
        parts = urlsplit(url)
        where = self.url + parts.path + (f"?{parts.query}" if parts.query else "")
        body = urlencode(data, doseq=True).encode() if data else None
        sent = headers | (basic(*auth) if auth else {})
        async with self.session.request(method, where, params=params, data=body, headers=sent) as answer:
            return Response(answer.status, await answer.text(), answer.headers)


@pytest.fixture
async def client(cloud):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        key, secret = next(iter(cloud.account.keys.items()))
        yield Client(key, secret, cloud.account.sid, http_client=Redirected(cloud.url, session))


async def test_sending_and_reading_back(cloud, client):
    sent = await client.messages.create_async(
        to=ME, from_=WHATSAPP_SENDER, body="hello & é 日本", validity_period=600
    )
    assert (sent.status, sent.body, sent.direction) == ("queued", "hello & é 日本", "outbound-api")
    await cloud.settled()
    read = await client.messages(sent.sid).fetch_async()
    assert (read.status, read.error_code) == ("failed", 63016)
    assert read.date_created.tzinfo is not None
    assert cloud.violations() == []


async def test_several_pictures(cloud, client):
    pictures = ["https://a.example/1.png", "https://a.example/2.png"]
    sent = await client.messages.create_async(to=ANN, from_=SMS_SENDER, media_url=pictures)
    assert (sent.num_media, sent.sid[:2]) == ("2", "MM")
    assert list(cloud.record.bubble(sent.sid).media) == pictures


async def test_looking_up_what_was_sent(cloud, client):
    for number in range(5):
        await client.messages.create_async(to=ANN, from_=SMS_SENDER, body=str(number))
    since = datetime.now(UTC) - timedelta(minutes=5)
    found = await client.messages.list_async(
        to=ANN, from_=SMS_SENDER, date_sent_after=since, page_size=2, limit=4
    )
    assert [message.body for message in found] == ["4", "3", "2", "1"]
    assert await client.messages.list_async(to=ANN, date_sent_before=since) == []
    assert cloud.violations() == []


@pytest.mark.parametrize(
    ("fault", "status", "code"), [(Fault.TOO_MANY, 429, 20429), (Fault.SERVER_ERROR, 500, 20500)], ids=str
)
async def test_errors(cloud, client, fault, status, code):
    cloud.fault(fault)
    with pytest.raises(TwilioRestException) as raised:
        await client.messages.create_async(to=ME, from_=WHATSAPP_SENDER, body="hello")
    assert (raised.value.status, raised.value.code) == (status, code)


async def test_typing(cloud, client):
    shown = await client.messaging.v2.typing_indicator.create_async(
        channel="whatsapp", message_id=cloud.say("hi")
    )
    assert shown.success is True
    assert cloud.sees_typing()


async def test_what_a_check_reads(cloud, client):
    cloud.webhook("https://bot.example.org/hooks")
    (number,) = await client.incoming_phone_numbers.list_async(phone_number=SMS_SENDER)
    assert number.sms_url == "https://bot.example.org/hooks"
    (sender,) = await client.messaging.v2.channels_senders.list_async(channel="whatsapp")
    assert (sender.sender_id, str(sender.status)) == (WHATSAPP_SENDER, "ONLINE")
    sid = cloud.template("Hello {{1}}", defaults={"1": "you"})
    assert (await client.content.v1.contents(sid).fetch_async()).variables == {"1": "you"}
    approval = await client.content.v1.contents(sid).approval_fetch().fetch_async()
    assert approval.whatsapp["status"] == "approved"
    with pytest.raises(TwilioRestException) as raised:
        await client.api.v2010.accounts(cloud.account.sid).fetch_async()
    assert raised.value.status == HTTPStatus.UNAUTHORIZED
    assert cloud.violations() == []


async def test_deleting_media(cloud, client):
    sid = cloud.say("look", pictures=[Picture()])
    media = cloud.record.bubble(sid).media[0]
    assert (await client.messages(sid).media(media).fetch_async()).content_type == "image/png"
    assert await client.messages(sid).media(media).delete_async() is True
    assert cloud.violations() == []
