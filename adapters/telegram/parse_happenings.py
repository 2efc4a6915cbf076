"""What happens beside messages: buttons, members, migrations, drafts that are stopped. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from adapters.base import (
    Action,
    Addressed,
    Conversation,
    ConversationKind,
    ConversationMoved,
    Inbound,
    Membership,
    MembershipChanged,
    Person,
    Pressed,
    StopRequested,
)
from adapters.telegram.buttons import pressed_in
from adapters.telegram.identity import Me
from adapters.telegram.parse_people import (
    Wire,
    is_member,
    kind_of,
    number,
    part,
    place_in,
    user_person,
    words,
)
from adapters.telegram.places import chat_place, inline_place, inline_ref, message_ref
from adapters.telegram.settings import NAME


@dataclass(frozen=True, slots=True)
class Press:
    """A button somebody pressed; it spins until the query is answered."""

    query: str
    #: None for a button that is none of ours, or of an older version.
    event: Pressed | None


@dataclass(frozen=True, slots=True)
class InlineQuery:
    """What somebody has written so far behind the bot's name, in any chat's input line."""

    query: str
    text: str


def press(query: Wire, me: Me) -> Press:
    """Read a pressed button."""
    query_id, data = words(query["id"]), words(query.get("data"))
    inline, message = words(query.get("inline_message_id")), part(query, "message")
    found = pressed_in(data, inline)
    if found is None:
        return Press(query_id, None)
    action, conversation = found
    if inline:
        return Press(query_id, _pressed(query, me, action, conversation, inline_ref(inline)))
    place = place_in(message) if message is not None else None
    if message is None or place is None:
        return Press(query_id, None)
    ref = message_ref(place.chat_id, number(message["message_id"]))
    return Press(query_id, _pressed(query, me, action, place.ref, ref))


def _pressed(query: Wire, me: Me, action: Action, conversation: str, message: str) -> Pressed:
    return Pressed(
        adapter=NAME,
        account=str(me.id),
        event_key=f"p:{query['id']}",
        conversation=conversation,
        message=message,
        sender=user_person(query["from"]),
        action=action,
    )


def inline_query(query: Wire) -> InlineQuery:
    """Read an inline query."""
    return InlineQuery(words(query["id"]), words(query.get("query")).strip())


def chosen(result: Wire, me: Me, now: datetime) -> Inbound | None:
    """Read what somebody sent by an inline query: a question, to be answered in that very message."""
    inline, text = words(result.get("inline_message_id")), words(result.get("query")).strip()
    if not inline or not text:
        return None
    return Inbound(
        adapter=NAME,
        account=str(me.id),
        event_key=f"i:{inline}",
        conversation=Conversation(ref=inline_place(inline).ref, kind=ConversationKind.GROUP),
        message=inline_ref(inline),
        sender=user_person(result["from"]),
        text=text,
        addressed=Addressed.MENTION,
        sent_at=now,
        mentions_known=True,
    )


def moved(message: Wire, me: Me) -> ConversationMoved | None:
    """Read that a group became a supergroup, which both of them say."""
    here = number(message["chat"]["id"])
    if (new := message.get("migrate_to_chat_id")) is not None:
        old, new = here, number(new)
    elif (before := message.get("migrate_from_chat_id")) is not None:
        old, new = number(before), here
    else:
        return None
    return ConversationMoved(
        adapter=NAME, account=str(me.id), old=chat_place(old).ref, new=chat_place(new).ref
    )


def movements(message: Wire, me: Me) -> Iterator[MembershipChanged]:
    """Read who came or left, but for bots; of the bot itself `my_chat_member` tells."""
    came = message.get("new_chat_members")
    for user in came if isinstance(came, list) else ():
        yield from _movement(message, user, Membership.JOINED, me)
    if (left := part(message, "left_chat_member")) is not None:
        yield from _movement(message, left, Membership.LEFT, me)


def _movement(message: Wire, user: Wire, change: Membership, me: Me) -> Iterator[MembershipChanged]:
    place = place_in(message)
    if place is None or user.get("is_bot"):
        return
    person = user_person(user)
    yield _changed(
        f"{message['chat']['id']}:{message['message_id']}:{person.id}", place.ref, change, person, me
    )


def own_membership(update_id: int, change: Wire, me: Me) -> MembershipChanged | None:
    """Read that the bot was let in or thrown out, blocked or taken back; None for a mere change of rights."""
    place = place_in(change)
    was, is_in = is_member(change["old_chat_member"]), is_member(change["new_chat_member"])
    if place is None or was == is_in:
        return None
    return _changed(f"u:{update_id}", place.ref, Membership.ADDED if is_in else Membership.REMOVED, None, me)


def _changed(key: str, ref: str, change: Membership, person: Person | None, me: Me) -> MembershipChanged:
    chat_id = int(ref.partition("/")[0])
    return MembershipChanged(
        adapter=NAME,
        account=str(me.id),
        event_key=f"w:{key}",
        conversation=ref,
        kind=kind_of(chat_place(chat_id)),
        change=change,
        person=person,
    )


def stopped(generation: Wire, me: Me) -> StopRequested | None:
    """Read that somebody stopped a draft while it grew; only direct chats have drafts."""
    place = place_in(generation)
    if place is None or kind_of(place) is not ConversationKind.DIRECT:
        return None
    sender = user_person(part(generation, "from") or generation["chat"])
    return StopRequested(adapter=NAME, account=str(me.id), conversation=place.ref, sender=sender)
