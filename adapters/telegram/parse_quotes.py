"""What a message replies to or passes on. Pure."""

from adapters.base import Quoted
from adapters.telegram.identity import Me
from adapters.telegram.parse_people import (
    Wire,
    chat_person,
    number,
    part,
    sender_of,
    user_person,
    words,
)
from adapters.telegram.parse_words import text_of
from adapters.telegram.places import message_ref

#: Whoever hides their name where something of theirs is forwarded.
_SOMEBODY = "somebody"


def quoted_by(message: Wire, me: Me) -> Quoted | None:
    """Tell what a message replies to, in this chat or another; a chosen piece of it stands for the whole."""
    chosen = part(message, "quote")
    piece = words(chosen.get("text")) if chosen is not None else ""
    replied = part(message, "reply_to_message")
    if replied is not None and not _opens_topic(replied, message):
        return _in_chat(replied, number(message["chat"]["id"]), piece, me)
    elsewhere = part(message, "external_reply")
    return None if elsewhere is None else _elsewhere(elsewhere, piece)


def forwarded(message: Wire) -> Quoted | None:
    """Tell what a message passes on: somebody else's words, which are quoted and never commands."""
    origin = part(message, "forward_origin")
    if origin is None:
        return None
    author, author_id = _author(origin)
    ref = f"f:{number(message['message_id'])}"
    return Quoted(ref=ref, author=author, text=text_of(message), by_assistant=False, author_id=author_id)


def is_by(message: Wire, me: Me) -> bool:
    """Tell whether the bot wrote it, or somebody sent it as the bot's answer to an inline query."""
    user, via = part(message, "from"), part(message, "via_bot")
    is_own = user is not None and user.get("id") == me.id and part(message, "sender_chat") is None
    return is_own or (via is not None and via.get("id") == me.id)


def _opens_topic(replied: Wire, message: Wire) -> bool:
    """In a topic, what replies to nothing is written as a reply to the message that opened the topic."""
    if part(replied, "forum_topic_created") is not None:
        return True
    is_topic = bool(message.get("is_topic_message"))
    return is_topic and replied.get("message_id") == message.get("message_thread_id")


def _in_chat(replied: Wire, chat_id: int, piece: str, me: Me) -> Quoted:
    author = sender_of(replied)
    return Quoted(
        ref=message_ref(chat_id, number(replied["message_id"])),
        author=author.name if author else "",
        text=piece or text_of(replied),
        by_assistant=is_by(replied, me),
        author_id=author.id if author else "",
    )


def _elsewhere(reply: Wire, piece: str) -> Quoted:
    author, author_id = _author(reply["origin"])
    chat = part(reply, "chat")
    ref = f"x:{chat.get('id') if chat else ''}:{reply.get('message_id', '')}"
    return Quoted(ref=ref, author=author, text=piece, by_assistant=False, author_id=author_id)


def _author(origin: Wire) -> tuple[str, str]:
    """Name an origin: a user, a hidden name, a group or a channel."""
    if (user := part(origin, "sender_user")) is not None:
        person = user_person(user)
        return person.name, person.id
    chat = part(origin, "sender_chat") or part(origin, "chat")
    if chat is not None:
        speaker = chat_person(chat)
        return speaker.name, speaker.id
    return words(origin.get("sender_user_name")) or _SOMEBODY, ""
