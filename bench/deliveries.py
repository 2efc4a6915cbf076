"""What platforms deliver, as bytes: mostly people talking among themselves, with all that such messages carry.

Of ten Telegram updates one speaks to the assistant; what comes by Twilio always does, or says what became of an answer.
"""

import base64
import hashlib
import hmac
import json
from typing import Any, Final
from urllib.parse import urlencode

#: A test account's numbers, and what its webhooks are signed with.
BOT_ID, BOT_NAME = 424242, "aside_bot"
ACCOUNT: Final = "AC" + "0" * 32
WHATSAPP: Final = "whatsapp:+14155238886"
PERIOD: Final = 20
_WHEN: Final = 1_790_000_000
_TALK: Final = (
    "Shall we meet at nine in front of the station, or is that too early for everyone?",
    "ok 👍🏽",
    "haha yes, that is exactly what I thought when I saw it 😂😂",
    "I wrote to ann.lee@example.org about it and she said she would be there as well.",
    "Das Treffen fällt leider aus, weil der Zug nicht fährt. Nächste Woche wieder?",
    "明日の会議は十時からです。よろしくお願いします。",
    "The assistant manager of the camp site asked for two tents, see https://example.org/@someone/posts",
)


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def telegram(number: int, now: int = _WHEN) -> bytes:
    """Write one update of a group's life, or of a direct chat's."""
    kind = number % PERIOD
    message = _message(number, now)
    if kind == 3:
        message["caption"] = "the view from up there"
        message["photo"] = [_photo(size) for size in (90, 320, 800, 1280)]
        message["media_group_id"] = f"album-{number // PERIOD}"
    elif kind in (7, 11):
        message["reply_to_message"] = _message(number - 5, now) | {"text": _TALK[number % 7]}
        message["quote"] = {"text": "nine", "position": 17}
    elif kind == 13:
        message["forward_origin"] = {"type": "user", "sender_user": _user(number + 1), "date": now}
    elif kind == 17:
        message = _mention(
            message, "👍🏽 @aside_bot could you translate the last message into Portuguese, please?"
        )
    elif kind == 19:
        message["chat"] = {"id": 5_000 + number % 4_000, "first_name": "Ann", "type": "private"}
        message["text"] = "what is a heap, and when would I use one?"
    if kind != 3 and "text" not in message:
        _say(message, _TALK[number % len(_TALK)])
    name = "edited_message" if kind == 5 else "message"
    return json.dumps({"update_id": 700_000_000 + number, name: message}).encode()


def twilio(number: int) -> bytes:
    """Write one form: of four, three messages (one by SMS, one with a picture or a quote) and a status."""
    fields = _twilio_message(number) if number % 4 else _twilio_status(number)
    return urlencode(fields).encode()


def twilio_signature(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    """Sign a form as https://www.twilio.com/docs/usage/security#validating-requests says."""
    text = url + "".join(name + value for name, value in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def webchat(number: int) -> bytes:
    """Write one frame of the page's: somebody says something in a room."""
    text = "@assistant and what is a heap?" if number % 10 == 9 else _TALK[number % len(_TALK)]
    said = {
        "id": number + 1,
        "do": "say",
        "room": f"r{number % 500}",
        "client_id": f"c-{number}",
        "text": text,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def terminal(number: int) -> bytes:
    """Write one line of a terminal's."""
    text = "@assistant and what is a heap?" if number % 10 == 9 else _TALK[number % len(_TALK)]
    return (
        json.dumps({"v": 1, "type": "say", "id": f"c{number}", "text": text, "reply_to": None}).encode()
        + b"\n"
    )


def _user(number: int) -> dict[str, Any]:
    person = 10_000 + number % 5_000
    return {
        "id": person,
        "is_bot": False,
        "first_name": "Ann",
        "last_name": f"Example {person}",
        "username": f"ann_{person}",
        "language_code": "en",
    }


def _message(number: int, now: int) -> dict[str, Any]:
    return {
        "message_id": 1_000 + number,
        "from": _user(number),
        "chat": {"id": -1_001_000_000_000 - number % 500, "title": "Weekend plans", "type": "supergroup"},
        "date": now,
    }


def _say(message: dict[str, Any], text: str) -> None:
    message["text"] = text
    kinds = {"url": "https://", "email": "ann.lee@"}
    entities = [
        {
            "type": kind,
            "offset": units(text[: text.index(sign)]),
            "length": len(text[text.index(sign) :].split(maxsplit=1)[0]),
        }
        for kind, sign in kinds.items()
        if sign in text
    ]
    if entities:
        message["entities"] = entities


def _mention(message: dict[str, Any], text: str) -> dict[str, Any]:
    name = f"@{BOT_NAME}"
    at = {"type": "mention", "offset": units(text[: text.index(name)]), "length": len(name)}
    return message | {"text": text, "entities": [at]}


def _photo(width: int) -> dict[str, Any]:
    return {
        "file_id": f"AgACAgIAAxkBAAIB{width}",
        "file_unique_id": f"AQAD{width}",
        "width": width,
        "height": width * 3 // 4,
        "file_size": width * 70,
    }


def _sid(kind: str, number: int) -> str:
    return f"{kind}{number:032x}"


def _twilio_message(number: int) -> dict[str, str]:
    person, sid, by_sms = f"+1202555{number % 10_000:04d}", _sid("SM", number), number % 4 == 3
    fields = {
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "From": person if by_sms else f"whatsapp:{person}",
        "To": WHATSAPP.removeprefix("whatsapp:") if by_sms else WHATSAPP,
        "Body": _TALK[number % len(_TALK)],
        "NumMedia": "0",
        "NumSegments": "1",
    }
    if by_sms:
        blank = {f"{end}{place}": "" for end in ("From", "To") for place in ("City", "State", "Zip")}
        return fields | blank | {"FromCountry": "US", "ToCountry": "US"}
    name = "Ann Example"
    context = {"type": "whatsapp", "data": {"context": {"ProfileName": name, "WaId": person[1:]}}}
    fields |= {"ProfileName": name, "WaId": person[1:], "MessageType": "text", "ReferralNumMedia": "0"}
    fields |= {"ExternalUserId": f"whatsapp:US.{number % 10_000}", "ChannelMetadata": json.dumps(context)}
    if number % 16 == 2:
        media = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{_sid('MM', number)}"
        fields |= {"NumMedia": "1", "MediaContentType0": "image/jpeg"}
        fields |= {"MediaUrl0": f"{media}/Media/{_sid('ME', number)}"}
    elif number % 16 == 6:
        fields |= {
            "OriginalRepliedMessageSid": _sid("SM", number - 1),
            "OriginalRepliedMessageSender": WHATSAPP,
        }
    return fields


def _twilio_status(number: int) -> dict[str, str]:
    sid = _sid("SM", 1 << 60 | number)
    return {
        "ChannelToAddress": f"+1202555{number % 10_000:04d}",
        "MessageStatus": ("queued", "sent", "delivered", "read")[number // 4 % 4],
        "SmsStatus": ("queued", "sent", "delivered", "read")[number // 4 % 4],
        "SmsSid": sid,
        "MessageSid": sid,
        "AccountSid": ACCOUNT,
        "From": WHATSAPP,
        "To": f"whatsapp:+1202555{number % 10_000:04d}",
        "ApiVersion": "2010-04-01",
    }
