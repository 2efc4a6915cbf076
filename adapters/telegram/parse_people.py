"""Who writes, and where: users, and the chats that speak in their own name. Pure."""

from collections.abc import Mapping
from typing import Any

from adapters.base import ConversationKind, Person
from adapters.telegram.places import Place, PlaceKind, chat_place

Wire = Mapping[str, Any]

_IN = ("creator", "administrator", "member")


def number(value: Any) -> int:
    """Read an id. Raises `TypeError` for anything but a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def words(value: Any) -> str:
    """Read a text; anything else is none."""
    return value if isinstance(value, str) else ""


def part(message: Wire, name: str) -> Wire | None:
    """Read an object within an object; anything else is none."""
    found = message.get(name)
    return found if isinstance(found, dict) else None


def user_person(user: Wire) -> Person:
    """Name a user by what is shown of them."""
    name = " ".join(filter(None, (words(user.get("first_name")), words(user.get("last_name")))))
    user_id = str(number(user["id"]))
    return Person(id=user_id, name=name.strip() or words(user.get("username")) or user_id)


def chat_person(chat: Wire) -> Person:
    """Name a chat that speaks: a channel, or a group for an admin who hides behind it."""
    chat_id = str(number(chat["id"]))
    return Person(id=chat_id, name=words(chat.get("title")).strip() or words(chat.get("username")) or chat_id)


def sender_of(message: Wire) -> Person | None:
    """Tell who wrote a message: where a chat speaks, its account is a mask of Telegram's own."""
    if (speaker := part(message, "sender_chat")) is not None:
        return chat_person(speaker)
    user = part(message, "from")
    return None if user is None else user_person(user)


def is_bots(message: Wire) -> bool:
    """Tell whether a program wrote it, and no person or chat."""
    user = part(message, "from")
    return part(message, "sender_chat") is None and user is not None and bool(user.get("is_bot"))


def is_by_hidden_admin(message: Wire) -> bool:
    """Tell whether an admin of the group wrote it in the group's name."""
    speaker, chat = part(message, "sender_chat"), part(message, "chat")
    return speaker is not None and chat is not None and speaker.get("id") == chat.get("id")


def place_in(message: Wire) -> Place | None:
    """Tell where a message stands; None for a channel, which is nobody's conversation.

    Only a topic's messages say `is_topic_message`: a chain of replies has a thread number as well, and is no topic.
    """
    chat = message["chat"]
    if chat.get("type") == "channel":
        return None
    topic = message.get("message_thread_id") if message.get("is_topic_message") else None
    return chat_place(number(chat["id"]), None if topic is None else number(topic))


def kind_of(place: Place) -> ConversationKind:
    """Tell between how many a place is."""
    return ConversationKind.DIRECT if place.kind is PlaceKind.DIRECT else ConversationKind.GROUP


def is_member(member: Wire) -> bool:
    """Tell whether somebody of this standing is in the chat."""
    status = member.get("status")
    return status in _IN or (status == "restricted" and bool(member.get("is_member")))
