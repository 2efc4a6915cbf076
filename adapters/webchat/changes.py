"""What can be done to a message after it was written. Pure: the message after it, and the news of it."""

from dataclasses import replace
from datetime import datetime

from adapters.base import Purpose
from adapters.webchat.entries import Entry, EntryKind
from adapters.webchat.ids import change_key, react_key
from adapters.webchat.refusals import RefusalCode, Refused

#: How many of a message's edits are remembered, to know a repeated one.
_REMEMBERED = 16

#: The message after the change, the news' key, and the news.
Changed = tuple[Entry, str, Entry]


def edited(message: Entry, text: str, client_id: str, at: datetime) -> Changed | None:
    """Give a person's message another text; None where it stands or this edit was made before. Raises `Refused`."""
    _still_there(message)
    if client_id in message.edit_ids or message.text == text:
        return None
    edit_ids = (*message.edit_ids, client_id)[-_REMEMBERED:]
    amended = replace(message, text=text, edited=True, edit_ids=edit_ids)
    return amended, change_key(message.ref), replace(_news(message, EntryKind.EDIT, at), text=text)


def revised(
    message: Entry, markdown: str, purpose: Purpose, answers: tuple[str, ...], at: datetime
) -> Changed | None:
    """Give a message of the assistant another text; None where it stands already. Raises `Refused`."""
    _still_there(message)
    if (message.markdown, message.purpose, message.answers) == (markdown, purpose, answers):
        return None
    # Between a placeholder and the reply in its place nobody edited anything.
    is_edit = message.edited or (message.purpose is Purpose.REPLY and message.markdown != markdown)
    amended = replace(message, markdown=markdown, purpose=purpose, answers=answers, edited=is_edit)
    news = replace(_news(message, EntryKind.EDIT, at), markdown=markdown, purpose=purpose, answers=answers)
    return amended, change_key(message.ref), news


def withdrawn(message: Entry, at: datetime) -> Changed | None:
    """Take a message back; nothing of its content stays. None where it was taken back before."""
    if message.withdrawn:
        return None
    amended = replace(
        message, text="", markdown="", answers=(), reactions={}, edit_ids=(), edited=False, withdrawn=True
    )
    return amended, change_key(message.ref), _news(message, EntryKind.WITHDRAW, at)


def reacted(
    message: Entry, person: str, name: str, emoji: str, *, on: bool, at: datetime, limit: int
) -> Changed | None:
    """Add or take off somebody's reaction; None where it stands so already. Raises `Refused`."""
    _still_there(message)
    there = message.reactions.get(emoji, ())
    if (person in there) is on:
        return None
    if emoji not in message.reactions and len(message.reactions) >= limit:
        raise Refused(RefusalCode.TOO_MANY, "That message has many reactions. Please join one of them.")
    people = (*there, person) if on else tuple(each for each in there if each != person)
    reactions = {**message.reactions, emoji: people}
    amended = replace(message, reactions={each: who for each, who in reactions.items() if who})
    news = Entry(kind=EntryKind.REACT, at=at, by=person, name=name, target=message.ref, emoji=emoji, on=on)
    return amended, react_key(message.ref, person, emoji), news


def _still_there(message: Entry) -> None:
    if message.withdrawn:
        raise Refused(RefusalCode.GONE, "That message was taken back.")


def _news(message: Entry, kind: EntryKind, at: datetime) -> Entry:
    return Entry(kind=kind, at=at, by=message.by, name=message.name, target=message.ref)
