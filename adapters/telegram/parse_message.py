"""From a message to an `Inbound`: facts only, no policy. Pure."""

from datetime import UTC, datetime

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Quoted
from adapters.telegram.identity import Me
from adapters.telegram.parse_media import attachments
from adapters.telegram.parse_people import (
    Wire,
    is_bots,
    is_by_hidden_admin,
    kind_of,
    number,
    part,
    place_in,
    sender_of,
    words,
)
from adapters.telegram.parse_quotes import forwarded, is_by, quoted_by
from adapters.telegram.parse_words import Said, said
from adapters.telegram.places import guest_place, message_ref, query_ref
from adapters.telegram.settings import NAME


def inbound(message: Wire, me: Me) -> Inbound | None:
    """Read what somebody wrote; None for other bots' messages, our own, and what says nothing."""
    sender, place = sender_of(message), place_in(message)
    if sender is None or place is None or is_bots(message) or is_by(message, me):
        return None
    attached, passed_on = attachments(message), forwarded(message)
    words_said, quoted = _said(message, passed_on, me), passed_on or quoted_by(message, me)
    if not words_said.text and not attached and quoted is None and not _is_words(message):
        return None
    chat_id, message_id = number(message["chat"]["id"]), number(message["message_id"])
    kind = kind_of(place)
    return Inbound(
        adapter=NAME,
        account=str(me.id),
        event_key=f"m:{chat_id}:{message_id}",
        conversation=Conversation(ref=place.ref, kind=kind, title=words(message["chat"].get("title"))),
        message=message_ref(chat_id, message_id),
        sender=sender,
        text=words_said.text,
        addressed=_addressed(kind, words_said, quoted),
        sent_at=instant(message["date"]),
        quoted=quoted,
        mentions_known=True,
        group_key=words(message.get("media_group_id")) or None,
        sender_is_admin=True if is_by_hidden_admin(message) else None,
        attachments=attached,
    )


def guest_inbound(message: Wire, me: Me) -> Inbound | None:
    """Read a mention in a chat that the bot is no member of; it may be answered once."""
    sender, query = sender_of(message), words(message.get("guest_query_id"))
    if sender is None or not query or is_bots(message):
        return None
    place = guest_place(number(message["chat"]["id"]), int(sender.id))
    return Inbound(
        adapter=NAME,
        account=str(me.id),
        event_key=f"g:{query}",
        conversation=Conversation(
            ref=place.ref, kind=ConversationKind.GROUP, title=words(message["chat"].get("title"))
        ),
        message=query_ref(query),
        sender=sender,
        text=said(message, me).text,
        addressed=Addressed.MENTION,
        sent_at=instant(message["date"]),
        quoted=quoted_by(message, me),
        mentions_known=True,
        attachments=attachments(message),
    )


def instant(seconds: object) -> datetime:
    """Read a Unix time. Raises `TypeError`, `ValueError`, `OverflowError` or `OSError`."""
    return datetime.fromtimestamp(number(seconds), UTC)


def _said(message: Wire, passed_on: Quoted | None, me: Me) -> Said:
    """Read the words; what is passed on alone is a question about it, in a direct chat."""
    if passed_on is None:
        return said(message, me)
    is_direct = part(message, "chat") is not None and message["chat"].get("type") == "private"
    return Said(f"@{me.assistant_name}" if is_direct and passed_on.text else "")


def _is_words(message: Wire) -> bool:
    """Tell whether people wrote something, even if nothing is left of it: `/start`."""
    return bool(words(message.get("text")))


def _addressed(kind: ConversationKind, words_said: Said, quoted: Quoted | None) -> Addressed:
    addressed = Addressed.DIRECT if kind is ConversationKind.DIRECT else Addressed.NOT
    if words_said.is_mention:
        addressed |= Addressed.MENTION
    if quoted is not None and quoted.by_assistant:
        addressed |= Addressed.REPLY_TO_ASSISTANT
    return addressed
