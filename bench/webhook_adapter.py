"""The adapter that the intake benches speak: a signed JSON webhook, as most platforms have one."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from adapters.base import (
    Addressed,
    Conversation,
    ConversationKind,
    Inbound,
    Person,
    RawRequest,
    RawResponse,
    Sink,
    Webhook,
)
from adapters.errors import MalformedEvent

ADAPTER: Final = "bench"
PATH: Final = "/hooks/bench"
SIGNATURE: Final = "X-Bench-Signature"
_OK: Final = RawResponse(status=200)
_FORBIDDEN: Final = RawResponse(status=403)


def body_of(number: int, text: str, *, chats: int, people: int) -> bytes:
    """Write one message of a group as the platform would; `number` makes its event unique."""
    message = {
        "event_id": f"ev-{number:012d}",
        "account": "main",
        "chat": {"id": f"room-{number % chats}", "title": "Weekend plans", "type": "group"},
        "message": {"id": f"m-{number}", "date": 1_790_000_000 + number, "text": text},
        "from": {"id": f"p-{number % people}", "name": "Ann Example", "locale": "en"},
    }
    return json.dumps(message).encode()


def sign(secret: bytes, body: bytes) -> str:
    """Sign a body: HMAC-SHA256 in hex, as GitHub's and Meta's webhooks do."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def parse(body: bytes) -> Inbound:
    """Read a body. Raises `MalformedEvent`."""
    try:
        return _inbound(json.loads(body))
    except (ValueError, KeyError, TypeError) as exc:
        raise MalformedEvent("the body is not a message", body) from exc


def _inbound(event: dict[str, Any]) -> Inbound:
    chat, message, sender = event["chat"], event["message"], event["from"]
    return Inbound(
        adapter=ADAPTER,
        account=event["account"],
        event_key=event["event_id"],
        conversation=Conversation(ref=chat["id"], kind=ConversationKind(chat["type"]), title=chat["title"]),
        message=message["id"],
        sender=Person(id=sender["id"], name=sender["name"]),
        text=message["text"],
        addressed=Addressed.NOT,
        sent_at=datetime.fromtimestamp(message["date"], UTC),
    )


def webhook(secret: bytes) -> Webhook:
    """Make the route: the signature over the raw bytes first, then the message."""

    async def ingest(request: RawRequest, sink: Sink) -> RawResponse:
        given = request.headers.get(SIGNATURE, "")
        if not hmac.compare_digest(given.encode(), sign(secret, request.body).encode()):
            return _FORBIDDEN
        await sink.accept(parse(request.body))
        return _OK

    return Webhook(path=PATH, ingest=ingest)
