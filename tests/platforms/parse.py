"""From a fake platform's webhooks to events of the core. Pure."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.base import (
    Addressed,
    Conversation,
    ConversationKind,
    Edited,
    Inbound,
    Person,
    Quoted,
    StopRequested,
    Withdrawn,
)
from adapters.errors import MalformedEvent

CloudEvent = Inbound | Edited | Withdrawn | StopRequested


def parse(name: str, body: bytes) -> CloudEvent:
    """Read an event. Raises `MalformedEvent`."""
    try:
        event = json.loads(body)
        return _READERS[event["event"]](name, event)
    except (ValueError, KeyError, TypeError) as exc:
        raise MalformedEvent("the body is no event of this platform", body) from exc


def _inbound(name: str, event: dict[str, Any]) -> Inbound:
    message = event["message"]
    return Inbound(
        adapter=name,
        account=event["account"],
        # Named by the message, not by the delivery: an edit of it carries the same one.
        event_key=message["id"],
        conversation=_conversation(event),
        message=message["id"],
        sender=_sender(event),
        text=message["text"],
        addressed=_addressed(event),
        sent_at=datetime.fromisoformat(message["sent_at"]),
        quoted=_quoted_message(event.get("quoted")),
        mentions_known=True,
    )


def _edited(name: str, event: dict[str, Any]) -> Edited:
    return Edited(inbound=_inbound(name, event))


def _withdrawn(name: str, event: dict[str, Any]) -> Withdrawn:
    return Withdrawn(
        adapter=name,
        account=event["account"],
        conversation=event["conversation"]["id"],
        message=event["message"]["id"],
    )


def _stop(name: str, event: dict[str, Any]) -> StopRequested:
    conversation = event["conversation"]["id"]
    return StopRequested(
        adapter=name, account=event["account"], conversation=conversation, sender=_sender(event)
    )


_READERS: Mapping[str, Callable[[str, dict[str, Any]], CloudEvent]] = {
    "message": _inbound,
    "edited": _edited,
    "withdrawn": _withdrawn,
    "stop": _stop,
}


def _conversation(event: dict[str, Any]) -> Conversation:
    place = event["conversation"]
    return Conversation(ref=place["id"], kind=ConversationKind(place["kind"]))


def _sender(event: dict[str, Any]) -> Person:
    return Person(id=event["sender"]["id"], name=event["sender"]["name"])


def _addressed(event: dict[str, Any]) -> Addressed:
    addressed = Addressed.NOT
    if event["conversation"]["kind"] == ConversationKind.DIRECT.value:
        addressed |= Addressed.DIRECT
    if event["mentions_assistant"]:
        addressed |= Addressed.MENTION
    if event.get("quoted", {}).get("by_assistant"):
        addressed |= Addressed.REPLY_TO_ASSISTANT
    return addressed


def _quoted_message(quoted: dict[str, Any] | None) -> Quoted | None:
    if quoted is None:
        return None
    return Quoted(
        ref=quoted["id"],
        author=quoted["author"],
        text=quoted["text"],
        by_assistant=quoted["by_assistant"],
        author_id=quoted.get("author_id", ""),
    )
