"""From entries to events: what a person wrote, as the core wants it told. Pure."""

from adapters.base import Addressed, Conversation, Edited, Inbound, Person, Quoted, StopRequested, Withdrawn
from adapters.webchat.entries import Entry
from adapters.webchat.rooms import RoomKind, RoomState
from adapters.webchat.settings import ACCOUNT, NAME


def inbound_of(room: RoomState, entry: Entry, quoted: Entry | None, again: str = "") -> Inbound:
    """Tell the core of a stored message; the same entry always makes the same event, unless it is asked `again`."""
    addressed = Addressed.NOT
    if room.kind is RoomKind.DIRECT:
        addressed |= Addressed.DIRECT
    if quoted is not None and quoted.by_assistant:
        addressed |= Addressed.REPLY_TO_ASSISTANT
    key = f"{room.id}/{entry.ref}"
    return Inbound(
        adapter=NAME,
        account=ACCOUNT,
        event_key=f"{key}/{again}" if again else key,
        conversation=Conversation(ref=room.id, kind=room.core_kind, title=room.title_for(entry.by)),
        message=entry.ref,
        sender=Person(id=entry.by, name=entry.name),
        text=entry.text,
        addressed=addressed,
        sent_at=entry.at,
        quoted=None if quoted is None else _quoted(quoted),
        sender_is_admin=_is_admin(room, entry.by),
    )


def edit_of(room: RoomState, entry: Entry, quoted: Entry | None) -> Edited:
    """Tell the core that a message says something else now."""
    return Edited(inbound=inbound_of(room, entry, quoted))


def withdrawal_of(room: str, ref: str) -> Withdrawn:
    """Tell the core that a message was taken back."""
    return Withdrawn(adapter=NAME, account=ACCOUNT, conversation=room, message=ref)


def stop_of(room: str, person: Person) -> StopRequested:
    """Tell the core that a person asks to stop."""
    return StopRequested(adapter=NAME, account=ACCOUNT, conversation=room, sender=person)


def _is_admin(room: RoomState, person: str) -> bool | None:
    """Tell whether somebody has the last word in a group: who made it has; where they left, nobody can tell."""
    if room.kind is not RoomKind.GROUP or room.created_by not in room.members:
        return None
    return person == room.created_by


def _quoted(entry: Entry) -> Quoted:
    text = entry.markdown if entry.by_assistant else entry.text
    return Quoted(
        ref=entry.ref, author=entry.name, text=text, by_assistant=entry.by_assistant, author_id=entry.by
    )
