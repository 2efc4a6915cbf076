"""Plays the people: what they say is kept, and told to the webhook of the sender they wrote to."""

import base64
from dataclasses import dataclass, replace
from typing import Any, Self

from tests.adapters.twilio_cloud.account import Account, Sender
from tests.adapters.twilio_cloud.addresses import channel_of
from tests.adapters.twilio_cloud.inbound import Person, Said, message_params
from tests.adapters.twilio_cloud.keywords import meaning_of, obey
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.segments import count_segments
from tests.adapters.twilio_cloud.shown import Channel, Direction
from tests.adapters.twilio_cloud.sids import new_sid
from tests.adapters.twilio_cloud.webhooks import Event, Webhooks
from tests.platforms.news import News


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A file that somebody sends."""

    data: bytes = b"\x89PNG\r\n\x1a\n"
    content_type: str = "image/png"
    #: What the CDN calls it; None is the truth.
    labelled: str | None = None
    #: Where the API sends whoever asks for it, in place of the CDN.
    redirect: str | None = None
    #: Served without saying how long it is.
    lengthless: bool = False

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Self:
        """Read what a control call carries; bytes in Base64."""
        return cls(**wire | ({"data": base64.b64decode(wire["data"])} if "data" in wire else {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How one message is told."""

    #: Told in parallel, each until it is acknowledged or given up.
    copies: int = 1
    #: Real seconds before the first try.
    delay_s: float = 0.0


class People:
    """Everybody with a phone."""

    def __init__(
        self, account: Account, record: Record, webhooks: Webhooks, news: News, *, api_url: str
    ) -> None:
        self._account = account
        self._record = record
        self._webhooks = webhooks
        self._news = news
        #: By number; whoever is not in it is made up.
        self._known: dict[str, Person] = {}
        #: What was told of each message, to tell it again.
        self._told: dict[str, Event] = {}
        #: Where media of people's messages are asked for.
        self._api_url = api_url

    def know(self, person: Person) -> None:
        """Introduce somebody, or change somebody."""
        self._known[person.number] = person

    def person(self, number: str) -> Person:
        """Tell who has a number."""
        return self._known.get(number, Person(number=number))

    def say(
        self,
        number: str,
        sender: str,
        said: Said,
        pictures: tuple[Picture, ...] = (),
        telling: Telling = Telling(),
    ) -> str:
        """Let somebody write to a sender; give the message's SID. It is told behind this call."""
        known = self._account.senders[sender]
        person, channel = self.person(number), channel_of(sender)
        sid = new_sid("MM" if pictures else "SM")
        files = [_file(picture) for picture in pictures]
        media = tuple((file["content_type"], self._media_url(sid, file["sid"])) for file in files)
        told = replace(said, media=said.media + media)
        segments = count_segments(said.body) if channel is Channel.SMS else 1
        self._keep(sid, told, files=files, channel=channel, sender=known, person=person, segments=segments)
        params = message_params(
            self._with_author(told),
            person,
            sid=sid,
            sender=sender,
            service=known.service,
            account=self._account.sid,
            channel=channel,
            segments=segments,
        )
        if channel is Channel.SMS:
            params |= _opting(known, said.body)
            obey(self._record, sender, person.number, said.body)
        self._tell(sid, known, params, telling)
        return sid

    def again(self, sid: str, copies: int = 1) -> None:
        """Tell of a message once more, as somebody does whose answer was lost."""
        for _ in range(copies):
            self._webhooks.tell([self._told[sid]])

    def _keep(
        self,
        sid: str,
        said: Said,
        *,
        files: list[dict[str, Any]],
        channel: Channel,
        sender: Sender,
        person: Person,
        segments: int,
    ) -> None:
        self._record.add(
            files,
            sid=sid,
            direction=str(Direction.INBOUND),
            channel=str(channel),
            sender=sender.address,
            person=person.address(channel),
            body=said.body,
            status="received",
            segments=segments,
            sent_at=self._record.clock.now(),
            reply_to=said.reply_to,
            service=sender.service,
            operation="",
            purpose="",
            may_be_duplicate=False,
        )
        self._news.tell()

    def _tell(self, sid: str, sender: Sender, params: dict[str, str], telling: Telling) -> None:
        if sender.webhook is None:
            return
        event = Event(
            sid=sid,
            kind="message",
            what="received",
            url=sender.webhook,
            params=params,
            fallback=sender.fallback,
        )
        self._told[sid] = event
        for _ in range(telling.copies):
            self._webhooks.tell([event], telling.delay_s)

    def _with_author(self, said: Said) -> Said:
        if said.reply_to is None or said.replied_sender is not None:
            return said
        row = self._record.message(said.reply_to)
        assert row is not None, "there is no such message to reply to"
        author = row["person"] if row["direction"] == Direction.INBOUND else row["sender"]
        return replace(said, replied_sender=author)

    def _media_url(self, message: str, sid: str) -> str:
        return f"{self._api_url}/2010-04-01/Accounts/{self._account.sid}/Messages/{message}/Media/{sid}"


def _file(picture: Picture) -> dict[str, Any]:
    return {
        "sid": new_sid("ME"),
        "content_type": picture.content_type,
        "labelled": picture.labelled or picture.content_type,
        "body": picture.data,
        "redirect": picture.redirect,
        "lengthless": picture.lengthless,
    }


def _opting(sender: Sender, body: str) -> dict[str, str]:
    """Say what Twilio made of a word; only a Messaging Service says it."""
    meaning = meaning_of(body)
    return {"OptOutType": meaning} if meaning and sender.service else {}
