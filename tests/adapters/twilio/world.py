"""The Twilio adapter in front of the strict local cloud: a gateway in little, and what people see."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from adapters.base import (
    Attachment,
    Inbound,
    Media,
    Platform,
    Purpose,
    RawRequest,
    Send,
)
from adapters.content import Content, plain
from adapters.records import RecordStore
from adapters.records_memory import MemoryRecordStore
from adapters.twilio.adapter import platform
from adapters.twilio.settings import MESSAGES_PATH, STATUS_PATH, TwilioSettings
from tests.adapters.twilio.little_gateway import HearingSink, gateway
from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import ANN, Cloud, address
from tests.adapters.twilio_cloud.harness import PUBLIC
from tests.adapters.twilio_cloud.people import Picture
from tests.adapters.twilio_cloud.server import ServerSettings, serving
from tests.adapters.twilio_cloud.signing import SIGNATURE, sign
from tests.contracts.adapters.abilities import Ability
from tests.contracts.adapters.gateway import posted
from tests.contracts.adapters.harness import Deliver, File, Loss

ME = address(ANN)
_LACKS = {
    Ability.KEYED: "Twilio takes no key of ours",
    Ability.CHANGES: "what stands on a phone stays as it was sent",
    Ability.RUNS: "Twilio calls us; the source only sweeps the adapter's own notes",
    Ability.HORIZON: "Twilio does not tell when a message was written; its SID is known for seven days",
    Ability.OTHER_BOTS: "nothing says that a program wrote: whoever writes has a number",
    Ability.ECHOES: "webhooks tell of people's messages alone",
    Ability.GROUPS: "Twilio has groups neither on WhatsApp nor on SMS",
    Ability.EDITS: "people's edits are not told",
    Ability.WITHDRAWALS: "what people take back is not told",
    Ability.STOPS: "STOP is a word, and Twilio's own: it ends everything (memberships)",
    Ability.PRESSES: "a button that is pressed comes in as words",
    Ability.MOVES: "a number stays",
}
_LOST = {Loss.REQUEST: "lost_request", Loss.ANSWER: "lost_response", Loss.SILENCE: "silent"}
_FORM = "application/x-www-form-urlencoded"


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
    lacks: Mapping[Ability, str] = _LACKS
    proof = SIGNATURE
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
    async def running(self, folder: Path, *, call_s: float = 20.0) -> AsyncIterator["TwilioHarness"]:
        async with serving(ServerSettings(record=folder / "twilio.db")) as self.cloud:
            # Ann has written before there was a webhook: the cloud's window is open.
            self.cloud.say("hello there")
            self.clock = Clock(self.cloud)
            self.records = self._records or MemoryRecordStore(self.clock.now)
            self.settings = settings_for(self.cloud, **{"call_s": call_s} | self._more)
            self.platform: Platform = platform(self.settings, self.records, self.clock.now)
            self.adapter: Any = self.platform.adapter
            self.lifetime, self.media = self.platform.lifetime, self.platform.media
            assert self.lifetime is not None
            async with (
                self.lifetime,
                gateway(self.platform.webhooks, self.sink) as url,
            ):
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

    @property
    def secrets(self) -> Sequence[str]:
        """What must stand in no log."""
        numbers = (ANN, WHATSAPP_SENDER.removeprefix("whatsapp:"), SMS_SENDER)
        return (*numbers, self.settings.api_secret, *self.settings.auth_tokens)

    async def post(self, request: RawRequest) -> int:
        """Call the gateway's route; the status."""
        return await posted(self.platform.webhooks, self.sink, request)

    async def requests(self) -> Sequence[RawRequest]:
        """Write what Twilio posts of a new message, and of one of ours."""
        told = {"MessageSid": "SM" + "1" * 32, "AccountSid": self.settings.account_sid}
        message = told | {"From": ME, "To": WHATSAPP_SENDER, "Body": "hi", "NumMedia": "0"}
        status = told | {"From": WHATSAPP_SENDER, "To": ME, "MessageStatus": "sent"}
        return [self._signed(MESSAGES_PATH, message), self._signed(STATUS_PATH, status)]

    async def with_blank_fields(self) -> RawRequest:
        """Write what Twilio posts with fields that say nothing."""
        told = {"MessageSid": "SM" + "1" * 32, "From": ME, "To": WHATSAPP_SENDER, "Body": "hi"}
        return self._signed(MESSAGES_PATH, told | {"FromCity": "", "NumMedia": "", "UnheardOf": ""})

    def _signed(self, path: str, fields: dict[str, str]) -> RawRequest:
        proof = sign(self.cloud.account.token, PUBLIC + path, fields)
        headers = {self.proof: proof, "Content-Type": _FORM}
        return RawRequest(method="POST", path=path, headers=headers, body=urlencode(fields).encode())

    async def hear(self, text: str, *, pictured: bool = False) -> Inbound:
        """Let Ann write."""
        await self.say(text, pictures=[Picture()] if pictured else ())
        return self.sink.events[-1]

    async def hear_reply(self, quoted: str, *, of_ours: bool) -> Inbound:
        """Let Ann reply to us, or to herself."""
        replied = await (self.send(quoted) if of_ours else self.say(quoted))
        await self.say("and?", reply_to=replied)
        return self.sink.events[-1]

    async def hear_together(self, caption: str, count: int) -> Sequence[Inbound]:
        """Let Ann send several pictures, which is one message."""
        await self.say(caption, pictures=[Picture()] * count, channel="sms")
        return self.sink.events[-1:]

    async def happening(self, what: Ability) -> Deliver:
        """Let something happen beside messages."""
        if what is Ability.REPORTS:
            self.cloud.carrier.manner.by_itself = False
            sent = await self.send()

            async def report() -> bool:
                self.cloud.move(sent, "sent")
                return await self._acknowledged(sent)

            return report
        assert what is Ability.MEMBERSHIPS, what
        told: list[str] = []

        async def stop() -> bool:
            if told:
                self.cloud.again(told[0])
            else:
                told.append(self.cloud.say("STOP", channel="sms"))
            return await self._acknowledged(told[0])

        return stop

    async def _acknowledged(self, sid: str) -> bool:
        await self.cloud.settled()
        return self.cloud.deliveries(sid)[-1].status // 100 == HTTPStatus.OK // 100

    async def limit(self, seconds: float | None) -> None:
        """Answer the next call 429."""
        if seconds is None:
            self.cloud.fault("too_many_silently")
        else:
            self.cloud.fault("too_many", retry_after_s=seconds)

    async def lose(self, loss: Loss) -> None:
        """Lose the next call, or its answer."""
        self.cloud.fault(_LOST[loss])

    async def close_window(self) -> None:
        """Let two days pass behind Ann's last message."""
        await self.say("hi")
        self.cloud.advance(2 * 24 * 3600)

    async def attach(self, file: File) -> Attachment:
        """Let Ann send a file."""
        return await self._attached(
            Picture(data=file.body, content_type=file.mime, lengthless=file.hides_size)
        )

    @contextlib.asynccontextmanager
    async def led_away(self, url: str) -> AsyncIterator[tuple[Media, Attachment]]:
        """Let the API lead to another host than the CDN."""
        attachment = await self._attached(Picture(redirect=url))
        assert self.media is not None
        yield self.media, attachment

    async def _attached(self, picture: Picture) -> Attachment:
        await self.say("look", pictures=[picture])
        return self.sink.events[-1].attachments[0]

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
