"""From a webhook's form to what a person wrote. Pure.

https://www.twilio.com/docs/messaging/guides/webhook-request: fields come and go without notice, so that nothing but the
message's SID and the two addresses is insisted upon. When a message was written is not told.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from adapters.base import (
    Addressed,
    Attachment,
    AttachmentKind,
    Conversation,
    ConversationKind,
    Inbound,
    Person,
    Quoted,
)
from adapters.errors import MalformedEvent
from adapters.twilio.people import is_whatsapp
from adapters.twilio.settings import NAME

Fields = Mapping[str, str]

_MESSAGE = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
#: What is behind the host in a media URL; the host is not believed.
_MEDIA = re.compile(
    r"/Accounts/AC[0-9a-fA-F]{32}/Messages/((?:SM|MM)[0-9a-fA-F]{32})/Media/(ME[0-9a-fA-F]{32})\Z"
)
#: The longest address and name that are taken; real ones are far shorter.
_MOST_CHARS: Final = 200
#: The most files a message can have.
_MOST_FILES: Final = 10
_KINDS: Final = {
    "image": AttachmentKind.PICTURE,
    "audio": AttachmentKind.AUDIO,
    "video": AttachmentKind.VIDEO,
    "application": AttachmentKind.DOCUMENT,
    "text": AttachmentKind.DOCUMENT,
}
_EXACT_KINDS: Final = {
    "audio/ogg": AttachmentKind.VOICE,
    "image/webp": AttachmentKind.STICKER,
    "text/vcard": AttachmentKind.CONTACT,
    "text/x-vcard": AttachmentKind.CONTACT,
}


def message_of(fields: Fields, *, received_at: datetime) -> Inbound | None:
    """Read what a person wrote; None where there is nothing in it. Raises `MalformedEvent`."""
    text, attachments = text_of(fields), tuple(_attachments(fields))
    message = sid_of(fields)
    account, conversation = address_of(fields, "To"), address_of(fields, "From")
    if not text.strip() and not attachments:
        return None
    sender = _person(fields, conversation)
    return Inbound(
        adapter=NAME,
        account=account,
        event_key=message,
        conversation=Conversation(ref=conversation, kind=ConversationKind.DIRECT, title=sender.name),
        message=message,
        sender=sender,
        text=text,
        addressed=Addressed.DIRECT,
        sent_at=received_at,
        quoted=_quoted(fields, account, sender),
        mentions_known=True,
        attachments=attachments,
    )


def sid_of(fields: Fields) -> str:
    """Read which message it is about. Raises `MalformedEvent`."""
    sid = fields.get("MessageSid") or fields.get("SmsSid") or fields.get("SmsMessageSid", "")
    if not _MESSAGE.fullmatch(sid):
        raise MalformedEvent("no message is named", b"")
    return sid


def address_of(fields: Fields, name: str) -> str:
    """Read an address. Raises `MalformedEvent`."""
    address = fields.get(name, "").strip()
    if not 0 < len(address) <= _MOST_CHARS:
        raise MalformedEvent(f"{name} is no address", b"")
    return address


def text_of(fields: Fields) -> str:
    """Read what a person wrote or chose: a button's words and a list's title stand in a message without a body."""
    words = (fields.get(name, "") for name in ("Body", "ButtonText", "ListTitle"))
    return next((text for text in words if text.strip()), "")


def _person(fields: Fields, conversation: str) -> Person:
    """Read who wrote: WhatsApp's own id stays when the number is hidden or changes hands."""
    own_id = fields.get("ExternalUserId", "").strip()
    is_known = is_whatsapp(own_id) and len(own_id) <= _MOST_CHARS
    name = " ".join(fields.get("ProfileName", "").split())[:_MOST_CHARS]
    return Person(id=own_id if is_known else conversation, name=name)


def _quoted(fields: Fields, account: str, sender: Person) -> Quoted | None:
    """Read which message this replies to; what that said is not told."""
    ref = fields.get("OriginalRepliedMessageSid", "")
    if not _MESSAGE.fullmatch(ref):
        return None
    if fields.get("OriginalRepliedMessageSender") == account:
        return Quoted(ref=ref, author="", text="", by_assistant=True)
    return Quoted(ref=ref, author=sender.name, text="", by_assistant=False, author_id=sender.id)


def _attachments(fields: Fields) -> Iterator[Attachment]:
    for number in range(_file_count(fields)):
        mime = fields.get(f"MediaContentType{number}", "").partition(";")[0].strip().lower()
        found = _MEDIA.search(fields.get(f"MediaUrl{number}", ""))
        yield Attachment(
            kind=_EXACT_KINDS.get(mime) or _KINDS.get(mime.partition("/")[0], AttachmentKind.OTHER),
            ref=f"{found[1]}/{found[2]}" if found else "",
            mime=mime or None,
        )
    latitude, longitude = fields.get("Latitude", ""), fields.get("Longitude", "")
    if latitude and longitude:
        name = fields.get("Label", "") or fields.get("Address", "")
        yield Attachment(
            kind=AttachmentKind.LOCATION,
            ref=f"{latitude[:40]},{longitude[:40]}",
            name=name[:_MOST_CHARS],
        )


def _file_count(fields: Fields) -> int:
    told = fields.get("NumMedia", "0")
    return min(int(told), _MOST_FILES) if re.fullmatch("[0-9]{1,3}", told) else 0
