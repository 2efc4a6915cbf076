"""From frames to events: what a person wrote, as the core wants it told. Pure."""

from dataclasses import dataclass

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person, Quoted, StopRequested
from adapters.names import identity, normalise, person_name
from adapters.records import Record
from adapters.terminal.entries import Entry, entry_of
from adapters.terminal.frames import MAX_ID, Join, Say
from adapters.terminal.rooms import direct_ref, group_ref
from adapters.terminal.settings import ACCOUNT, NAME, SAID_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """Who is at the other end of a connection, and in which room."""

    person: Person
    room: Conversation


def guest_of(join: Join, assistant_names: tuple[str, ...]) -> Guest:
    """Read who joins which room. Raises `NameRefused`."""
    shown = person_name(join.person, assistant_names)
    person = Person(id=identity(shown), name=shown)
    if join.chat is None:
        return Guest(
            person=person,
            room=Conversation(ref=direct_ref(person.id), kind=ConversationKind.DIRECT, title=shown),
        )
    chat = normalise(join.chat, "chat name")
    room = Conversation(ref=group_ref(identity(chat)), kind=ConversationKind.GROUP, title=chat)
    return Guest(person=person, room=room)


def why_not(say: Say) -> str | None:
    """Return the sentence why a message cannot be taken; None if it can."""
    if not 0 < len(say.id) <= MAX_ID or not all(sign.isascii() and sign.isalnum() for sign in say.id):
        return f"A message's id is 1 to {MAX_ID} letters and digits."
    if not say.text.strip():
        return "There is nothing to send."
    if len(say.text) > SAID_LIMIT:
        return f"This message is too long: {len(say.text)} characters, and {SAID_LIMIT} fit at most."
    return None


def inbound_of(guest: Guest, record: Record, quoted: tuple[str, Entry] | None) -> Inbound:
    """Tell the core of a stored message; the same record always makes the same event."""
    entry = entry_of(record)
    addressed = Addressed.NOT
    if guest.room.kind is ConversationKind.DIRECT:
        addressed |= Addressed.DIRECT
    if quoted is not None and quoted[1].by_assistant:
        addressed |= Addressed.REPLY_TO_ASSISTANT
    return Inbound(
        adapter=NAME,
        account=ACCOUNT,
        event_key=f"{guest.room.ref}/{record.key}",
        conversation=guest.room,
        message=record.key,
        sender=guest.person,
        text=entry.text,
        addressed=addressed,
        sent_at=entry.sent_at,
        quoted=None if quoted is None else _quoted(*quoted),
    )


def stop_of(guest: Guest) -> StopRequested:
    """Tell the core that a person asks to stop."""
    return StopRequested(adapter=NAME, account=ACCOUNT, conversation=guest.room.ref, sender=guest.person)


def _quoted(ref: str, entry: Entry) -> Quoted:
    return Quoted(
        ref=ref, author=entry.name, text=entry.text, by_assistant=entry.by_assistant, author_id=entry.person
    )
