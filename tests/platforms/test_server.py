"""A fake platform is as strict as a vendor, remembers everything, and tells what changed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest

from adapters.base import (
    Addressed,
    Edited,
    Inbound,
    Outcome,
    RawRequest,
    Receipt,
    StopRequested,
    Withdrawn,
)
from adapters.errors import AuthFailed, MalformedEvent
from adapters.registry import PlatformClass
from tests.platforms.adapter import CloudAdapter
from tests.platforms.client import ACCOUNT
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.deliveries import SIGNATURE, sign
from tests.platforms.harness import SECRET, CloudHarness, message_body
from tests.platforms.process import running_cloud
from tests.platforms.record import Posting, Record

GOOD = {"account": ACCOUNT, "conversation": "room", "text": "hello"}


class Sink:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.handed: list[Inbound | Edited | Withdrawn | StopRequested] = []

    async def accept(self, event: Inbound) -> Receipt:
        self.handed.append(event)
        return Receipt(outcome=Outcome.ACCEPTED)

    async def _done(self, event: Edited | Withdrawn | StopRequested) -> Receipt:
        self.handed.append(event)
        return Receipt(outcome=Outcome.DONE)

    edited = withdrawn = stop = _done


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[CloudHarness]:
    async with CloudHarness(PlatformClass.A, sink=Sink()).running(tmp_path) as harness:
        yield harness


async def answered(cloud: CloudHarness, method: str, path: str, **options) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {SECRET}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, cloud.adapter.settings.url + path, **options) as answer,
    ):
        return answer.status, (await answer.json()).get("error", "")


@pytest.mark.parametrize(
    ("method", "path", "body", "error"),
    [
        ("POST", "/v1/messages", GOOD | {"colour": "red"}, "unknown_field"),
        ("POST", "/v1/messages", GOOD | {"marker": "m"}, "unknown_field"),
        ("POST", "/v1/messages", {"account": ACCOUNT, "text": "x"}, "missing_field"),
        ("POST", "/v1/messages", GOOD | {"text": 5}, "bad_request"),
        ("POST", "/v1/messages", ["no", "object"], "bad_request"),
        ("POST", "/v1/messages", GOOD | {"text": "x" * 4001}, "too_long"),
        ("PATCH", "/v1/messages/none", {"text": "x"}, "unknown_message"),
        ("DELETE", "/v1/messages/none", None, "unknown_message"),
        ("GET", "/v1/messages?conversation=room&marker=m", None, "no_search"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_vendor_refuses(cloud, method, path, body, error):
    status, code = await answered(cloud, method, path, json=body)
    assert status >= HTTPStatus.BAD_REQUEST
    assert code == error
    assert (await cloud.client.seen()).messages == {}


async def test_a_wrong_token_is_refused(cloud):
    settings = cloud.adapter.settings
    wrong = CloudSettings(name="x", url=settings.url, platform_class=settings.platform_class, secret="other")  # noqa: S106 - it guards nothing
    async with CloudAdapter(wrong) as adapter:
        with pytest.raises(AuthFailed):
            await adapter.delete(ACCOUNT, "room", "m")


async def test_a_webhook_without_our_signature_reaches_nobody(cloud):
    body = message_body("k1")
    for signature in ("", "00", sign("other", body), sign(SECRET, body + b" ")):
        request = RawRequest(method="POST", path="/", headers={SIGNATURE: signature}, body=body)
        answer = await cloud.adapter.webhook.ingest(request, cloud.sink)
        assert answer.status == HTTPStatus.UNAUTHORIZED
    assert cloud.sink.handed == []


async def test_a_signed_body_that_is_no_event_is_malformed(cloud):
    body = b'{"event": "message"}'
    request = RawRequest(method="POST", path="/", headers={SIGNATURE: sign(SECRET, body)}, body=body)
    with pytest.raises(MalformedEvent):
        await cloud.adapter.webhook.ingest(request, cloud.sink)


@pytest.fixture
async def gateway(cloud: CloudHarness) -> AsyncIterator[list[int]]:
    """A gateway in little: hands webhooks to the adapter; answers what it is told to, the last for good."""
    statuses = [200]

    async def take(request: aiohttp.web.Request) -> aiohttp.web.Response:
        if (status := statuses.pop(0) if len(statuses) > 1 else statuses[0]) != HTTPStatus.OK:
            return aiohttp.web.Response(status=status)
        raw = RawRequest(method="POST", path="/", headers=request.headers, body=await request.read())
        answer = await cloud.adapter.webhook.ingest(raw, cloud.sink)
        return aiohttp.web.Response(status=answer.status, body=answer.body)

    app = aiohttp.web.Application()
    app.router.add_post("/", take)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    await cloud.client.set_gateways([f"http://127.0.0.1:{runner.addresses[0][1]}/"])
    yield statuses
    await runner.cleanup()


async def acknowledged(cloud: CloudHarness, mention: str):
    seen = await cloud.client.until(lambda seen: seen.mentions[mention].acked_at is not None)
    return seen.mentions[mention]


async def handed(cloud: CloudHarness, number: int) -> None:
    while len(cloud.sink.handed) < number:
        await asyncio.sleep(0.001)


async def test_a_mention_is_delivered_until_it_is_acknowledged(cloud, gateway):
    gateway[:] = [503, 500, 200]
    mention = await acknowledged(cloud, await cloud.client.say("hi"))
    assert mention.statuses == (503, 500, 200)
    assert mention.outcome == "accepted"
    assert mention.acked_at > mention.said_at
    assert mention.acked_seq > mention.said_seq


async def test_what_a_person_does_reaches_the_core_as_events(cloud, gateway):
    mention = await cloud.client.say("hi", kind="direct", mentions_assistant=False)
    await acknowledged(cloud, mention)
    await cloud.client.edit(mention, "hello")
    await handed(cloud, 2)
    await cloud.client.withdraw(mention)
    await handed(cloud, 3)
    await cloud.client.stop()
    await handed(cloud, 4)
    said, edited, withdrawn, stopped = cloud.sink.handed
    assert (said.text, said.addressed, said.message) == ("hi", Addressed.DIRECT, mention)
    assert (edited.inbound.text, edited.inbound.event_key) == ("hello", said.event_key)
    assert (withdrawn.message, withdrawn.conversation) == (mention, "room")
    assert (stopped.conversation, stopped.sender.id) == ("room", "ann")
    row = (await cloud.client.seen()).mentions[mention]
    assert row.text == "hello"
    assert row.edited_at < row.withdrawn_at


async def test_a_reply_to_the_assistant_quotes_its_message(cloud, gateway):
    _, _ = await answered(cloud, "POST", "/v1/messages", json=GOOD | {"key": "k"})
    (ours,) = (await cloud.client.seen()).messages
    await acknowledged(cloud, await cloud.client.say("go on", reply_to=ours, mentions_assistant=False))
    (event,) = cloud.sink.handed
    assert event.addressed is Addressed.REPLY_TO_ASSISTANT
    assert (event.quoted.ref, event.quoted.text, event.quoted.by_assistant) == (ours, "hello", True)


async def test_pages_put_together_are_the_whole_record_however_small_they_are(cloud):
    for number in range(7):
        await answered(cloud, "POST", "/v1/messages", json=GOOD | {"text": str(number)})
    whole, after, texts = await cloud.client.seen(), 0, []
    while (page := await cloud.client.page(after, limit=3)).next > after:
        after = page.next
        texts += [message.text for message in page.messages]
    assert texts == [str(number) for number in range(7)]
    assert whole.texts("room") == texts


def test_every_text_a_message_showed_is_kept_in_order(tmp_path):
    record = Record(tmp_path / "r.db")
    message = record.post(Posting(account="a", conversation="room", text="one", purpose="placeholder"))
    for text in ("two", "two", "three"):
        record.edit(message, text, purpose="reply", operation="op")
    record.delete(message)
    (row,) = record.page(0, 10).messages
    record.close()
    assert (row.text, row.earlier, row.purpose) == ("three", ("one", "two"), "reply")
    assert row.deleted_at >= row.edited_at >= row.posted_at
    assert [version.seq for version in row.versions] == sorted({version.seq for version in row.versions})


async def test_what_was_answered_survives_a_kill(tmp_path):
    async with running_cloud(tmp_path, "B") as cloud:
        body = GOOD | {"marker": "op"}
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {cloud.settings.secret}"}) as session,
            session.post(f"{cloud.url}/v1/messages", json=body) as answer,
        ):
            message = (await answer.json())["id"]
        os.kill(cloud.pid, signal.SIGKILL)
    record = Record(tmp_path / f"{cloud.name}.db")
    assert record.marked("room", "op") == [message]
    before = record.seq
    record.post(Posting(account="a", conversation="room", text="after"))
    assert record.seq > before
    record.close()
