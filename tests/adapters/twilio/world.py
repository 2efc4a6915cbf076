"""The Twilio adapter in front of the strict local cloud: a gateway in little, and what people see."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from adapters.base import Outcome, Platform, Purpose, RawRequest, Receipt, Send, Webhook
from adapters.content import Content, plain
from adapters.errors import MalformedEvent
from adapters.records import RecordStore
from adapters.records_memory import MemoryRecordStore
from adapters.twilio.adapter import platform
from adapters.twilio.settings import MESSAGES_PATH, TwilioSettings
from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN, Cloud, address
from tests.adapters.twilio_cloud.harness import PUBLIC
from tests.adapters.twilio_cloud.server import ServerSettings, serving

ME = address(ANN)


class HearingSink:
    """The core's place: keeps what is handed over, and fails when told to."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.deliveries: list[Any] = []
        self.changes: list[Any] = []
        self.fails = False

    async def accept(self, event: Any) -> Receipt:
        return self._heard(self.events, event, Outcome.ACCEPTED)

    async def delivered(self, event: Any) -> Receipt:
        return self._heard(self.deliveries, event, Outcome.DONE)

    async def membership(self, event: Any) -> Receipt:
        return self._heard(self.changes, event, Outcome.DONE)

    def _heard(self, into: list[Any], event: Any, outcome: Outcome) -> Receipt:
        if self.fails:
            raise OSError("no commit")
        into.append(event)
        return Receipt(outcome=outcome)


class Clock:
    """The adapter's idea of the time: the cloud's own."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._cloud.record.clock.now(), UTC)


class TwilioHarness:
    """The adapter over a running cloud, with Ann on WhatsApp."""

    account = WHATSAPP_SENDER
    conversation = ME
    #: What a contract test must know: sent messages can be looked for, and dead links are written so.
    looks_up = True
    dead_link = "https[://]example[.]org/x[.]png"

    def __init__(self, sink: Any = None, records: RecordStore | None = None, **settings: Any) -> None:
        self.sink = sink or HearingSink()
        self._records = records
        self._more = settings
        self._told: dict[str, str] = {}
        self._numbers = itertools.count(1)

    @contextlib.asynccontextmanager
    async def running(self, folder: Path) -> AsyncIterator["TwilioHarness"]:
        async with serving(ServerSettings(record=folder / "twilio.db")) as self.cloud:
            # Ann has written before there was a webhook: the cloud's window is open.
            self.cloud.say("hello there")
            self.clock = Clock(self.cloud)
            self.records = self._records or MemoryRecordStore(self.clock.now)
            self.settings = settings_for(self.cloud, **self._more)
            self.platform: Platform = platform(self.settings, self.records, self.clock.now)
            self.adapter: Any = self.platform.adapter
            assert self.platform.lifetime is not None
            async with self.platform.lifetime, gateway(self.platform.webhooks, self.sink) as url:
                self.cloud.proxy(PUBLIC, [url])
                self.cloud.webhook(PUBLIC + MESSAGES_PATH)
                yield self

    async def visible(self) -> list[str]:
        """Read what stands on Ann's phone."""
        await self.cloud.settled()
        return self.cloud.seen(ANN)

    async def deliver(self, key: str) -> bool:
        """Deliver one message under a key; tell whether it was acknowledged."""
        if key in self._told:
            self.cloud.again(self._told[key])
        else:
            self._told[key] = self.cloud.say("hi")
        await self.cloud.settled()
        return self.cloud.deliveries(self._told[key])[-1].status == HTTPStatus.OK

    async def say(self, body: str = "", **asked: Any) -> str:
        """Let Ann say something, and wait until it was told."""
        sid = self.cloud.say(body, **asked)
        await self.cloud.settled()
        return sid

    async def send(self, text: str | Content = "hello", **more: Any) -> str:
        """Send a message; give its reference."""
        content = text if isinstance(text, Content) else plain(text)
        asked = {"account": self.account, "conversation": self.conversation, "purpose": Purpose.REPLY}
        asked |= {"op_id": f"op-{next(self._numbers)}", "content": content} | more
        return (await self.adapter.send(Send(**asked))).message


def settings_for(cloud: Cloud, **more: Any) -> TwilioSettings:
    """Write the settings of a cloud's account."""
    key, secret = next(iter(cloud.account.keys.items()))
    given = {
        "account_sid": cloud.account.sid,
        "api_key": key,
        "api_secret": secret,
        "auth_tokens": (cloud.account.token,),
        "public_url": PUBLIC,
        "whatsapp_from": WHATSAPP_SENDER.removeprefix("whatsapp:"),
        "sms_from": SMS_SENDER,
        "whatsapp_policy_acknowledged": True,
        "api_base": cloud.url,
    }
    return TwilioSettings(**given | more)


@contextlib.asynccontextmanager
async def gateway(webhooks: tuple[Webhook, ...], sink: Any) -> AsyncIterator[str]:
    """Serve webhooks as the gateway does; give where."""
    app = web.Application()
    for webhook in webhooks:
        app.router.add_route("*", webhook.path, _handler(webhook, sink))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _handler(webhook: Webhook, sink: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        raw = RawRequest(
            method=request.method, path=request.path_qs, headers=request.headers, body=await request.read()
        )
        try:
            answer = await webhook.ingest(raw, sink)
        except MalformedEvent:
            return web.Response(status=400)
        except OSError:
            return web.Response(status=503)
        return web.Response(
            status=answer.status, body=answer.body or None, headers=dict(answer.headers) or None
        )

    return handle
