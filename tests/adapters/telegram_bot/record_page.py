"""What a fake Telegram has seen, in the form in which the other fake platforms tell it (tests/platforms/seen.py).

Telegram is told nothing of our operations: those fields are empty, unless a caller marks its calls for the record.
"""

from collections.abc import Iterable, Iterator

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.mailbox import Update
from tests.adapters.telegram_bot.seen import Message
from tests.adapters.telegram_bot.store import Change, Store
from tests.platforms import seen

_KINDS = ("message", "update", "fault")


def page_of(control: Control, store: Store, after: int, limit: int) -> seen.Page:
    """Tell what changed after a number: each row as it is now, at most so many changes."""
    changes = store.page(after, limit + 1, _KINDS)
    page, told = changes[:limit], _by_message(control.mailbox.told())
    last = {key: change.seq for change in page if (key := _message_of(change))}
    rows = [(seq, control.world.messages[key]) for key, seq in last.items() if key in control.world.messages]
    said = [(seq, message) for seq, message in rows if not message.by_bot and not message.is_service]
    return seen.Page(
        messages=tuple(_message(control, seq, message) for seq, message in rows if message.by_bot),
        mentions=tuple(_mention(control, seq, message, told.get(message.key)) for seq, message in said),
        faults=tuple(_fault(change) for change in page if change.kind == "fault"),
        next=page[-1].seq if page else after,
        more=len(changes) > limit,
    )


def _by_message(updates: Iterable[Update]) -> dict[str, Update]:
    """The first update about a message tells of it; later ones tell of edits."""
    return {update.about: update for update in updates if update.kind in ("message", "guest_message")}


def _message_of(change: Change) -> str:
    if change.kind == "message":
        return change.key
    return str(change.body["about"]) if change.body.get("kind") == "message" else ""


def _conversation(message: Message) -> str:
    return f"{message.chat_id}/{message.thread_id}" if message.is_topic else str(message.chat_id)


def _reply(message: Message) -> str | None:
    number = message.answers or message.reply_to
    return f"{message.chat_id}/{number}" if number else None


def _message(control: Control, seq: int, message: Message) -> seen.Message:
    return seen.Message(
        id=message.key,
        seq=seq,
        operation=message.versions[0].operation,
        account=control.rules.username,
        conversation=_conversation(message),
        text=message.text,
        purpose=message.versions[-1].purpose,
        reply_to=_reply(message),
        may_be_duplicate=message.may_be_duplicate,
        posted_at=message.date,
        edited_at=message.edited_at,
        deleted_at=message.deleted_at,
        versions=tuple(_versions(message)),
    )


def _versions(message: Message) -> Iterator[seen.Version]:
    for version in message.versions:
        yield seen.Version(
            seq=version.seq,
            at=version.at,
            text=version.text,
            purpose=version.purpose,
            operation=version.operation,
        )


def _mention(control: Control, seq: int, message: Message, update: Update | None) -> seen.Mention:
    """A message that was never told to the bot, or not yet confirmed by it, is not acknowledged."""
    return seen.Mention(
        id=message.key,
        seq=seq,
        said_seq=message.posted_seq,
        account=control.rules.username,
        conversation=_conversation(message),
        kind=control.world.chats[message.chat_id].kind,
        sender=str(message.sender_id),
        text=message.text,
        reply_to=_reply(message),
        said_at=message.date,
        acked_at=update.acked_at if update else None,
        acked_seq=update.acked_seq if update else None,
        outcome=update.outcome if update else None,
        edited_at=message.edited_at,
        withdrawn_at=message.deleted_at,
        statuses=tuple(update.statuses) if update else (),
    )


def _fault(change: Change) -> seen.Injected:
    return seen.Injected(
        seq=change.seq,
        at=change.body["at"],
        fault=change.body["fault"],
        endpoint=change.body["method"],
        operation=change.body["marks"]["operation"],
        conversation=str(change.body["chat_id"] or ""),
    )
