"""What a webhook says of a person's message: the parameters that captured requests carry.

https://www.twilio.com/docs/messaging/guides/webhook-request. Blank ones are part of the form and of what is signed.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final

from tests.adapters.twilio_cloud.addresses import bare, is_number
from tests.adapters.twilio_cloud.shown import Channel

_PLACES: Final = ("City", "State", "Zip", "Country")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a phone."""

    #: E.164.
    number: str
    name: str = "Ann Example"
    #: WhatsApp's id of this person for this business, told in every message; empty makes one of the number.
    scoped_id: str = ""
    username: str = ""
    #: Whether WhatsApp tells the id in place of the number.
    hides_number: bool = False

    def __post_init__(self) -> None:
        """Give everybody an id of their own."""
        if not self.scoped_id:
            digits = int.from_bytes(hashlib.sha256(self.number.encode()).digest()) % 10**20
            object.__setattr__(self, "scoped_id", f"US.{digits:020d}")

    def address(self, channel: Channel) -> str:
        """The address that messages come from and go to."""
        if channel is Channel.SMS:
            return self.number
        return "whatsapp:" + (self.scoped_id if self.hides_number else self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something a person says, with whatever comes with it."""

    body: str = ""
    #: The SID of the message that it answers, and whose that was; WhatsApp alone.
    reply_to: str | None = None
    replied_sender: str | None = None
    #: A button's text and payload, of a template or of a message inside the window.
    button: tuple[str, str] | None = None
    #: The id and the title of a chosen row.
    chosen: tuple[str, str] | None = None
    #: Latitude, longitude, address and label.
    place: tuple[str, str, str, str] | None = None
    forwarded: bool = False
    frequently_forwarded: bool = False
    #: The content type and the URL of each file.
    media: tuple[tuple[str, str], ...] = ()
    #: Further parameters, or others in place of these.
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """WhatsApp's MessageType."""
        if self.media:
            return self.media[0][0].partition("/")[0].replace("application", "document")
        if self.place:
            return "location"
        return "interactive" if self.button or self.chosen else "text"


def message_params(
    said: Said,
    person: Person,
    *,
    sid: str,
    sender: str,
    service: str,
    account: str,
    channel: Channel,
    segments: int,
) -> dict[str, str]:
    """Write the parameters of a person's message."""
    params = {
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "MessageSid": sid,
        "AccountSid": account,
        "MessagingServiceSid": service,
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "From": person.address(channel),
        "To": sender,
        "Body": said.body,
        "NumMedia": str(len(said.media)),
        "NumSegments": str(segments),
    }
    for number, (kind, url) in enumerate(said.media):
        params |= {f"MediaContentType{number}": kind, f"MediaUrl{number}": url}
    return params | (_whatsapp(said, person) if channel is Channel.WHATSAPP else _sms()) | said.extra


def _sms() -> dict[str, str]:
    blank = {f"{end}{place}": "" for end in ("From", "To") for place in _PLACES}
    return blank | {"FromCountry": "US", "ToCountry": "US"}


def _whatsapp(said: Said, person: Person) -> dict[str, str]:
    context: dict[str, Any] = {"ProfileName": person.name}
    params = {
        "ProfileName": person.name,
        "ExternalUserId": f"whatsapp:{person.scoped_id}",
        "MessageType": said.kind,
        "ReferralNumMedia": "0",
    }
    if not person.hides_number and is_number(person.number):
        params["WaId"] = context["WaId"] = bare(person.number).removeprefix("+")
    if person.username:
        params["Username"] = person.username
    params |= _replied(said) | _pressed(said) | _forwarded(said) | _placed(said)
    metadata = {"type": "whatsapp", "data": {"context": context}}
    return params | {"ChannelMetadata": json.dumps(metadata, ensure_ascii=False)}


def _replied(said: Said) -> dict[str, str]:
    if said.reply_to is None:
        return {}
    return {
        "OriginalRepliedMessageSid": said.reply_to,
        "OriginalRepliedMessageSender": said.replied_sender or "",
    }


def _pressed(said: Said) -> dict[str, str]:
    if said.button:
        return {"ButtonText": said.button[0], "ButtonPayload": said.button[1]}
    if said.chosen:
        return {"ListId": said.chosen[0], "ListTitle": said.chosen[1]}
    return {}


def _forwarded(said: Said) -> dict[str, str]:
    if not (said.forwarded or said.frequently_forwarded):
        return {}
    return {"Forwarded": "true", "FrequentlyForwarded": str(said.frequently_forwarded).lower()}


def _placed(said: Said) -> dict[str, str]:
    if said.place is None:
        return {}
    return dict(zip(("Latitude", "Longitude", "Address", "Label"), said.place, strict=True))
