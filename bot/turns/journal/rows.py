"""The tables as the journal's statements use them, and what a row says in the words of the model."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row, Table, and_, insert, text

from adapters.base import ConversationKind, Inbound, SendsFrom
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import WrittenByNewer
from bot.store.tables import Base
from bot.turns.model import Chat, Part, Said, Skill, Turn, TurnState

chats: Table = Base.metadata.tables["chats"]
turns: Table = Base.metadata.tables["turns"]
inbounds: Table = Base.metadata.tables["inbounds"]
reply_parts: Table = Base.metadata.tables["reply_parts"]
notices: Table = Base.metadata.tables["notices"]
trail: Table = Base.metadata.tables["trail"]
dead_letters: Table = Base.metadata.tables["dead_letters"]

# Written out, not bound: both databases use a partial index only where its condition stands in the statement.
UNFINISHED = text(
    "(turns.state = 'waiting' OR turns.state = 'replied' OR turns.state = 'sending' OR turns.restate)"
)
OPEN = text("(turns.state = 'waiting' OR turns.state = 'replied' OR turns.state = 'sending')")
WAITING = text("turns.state = 'waiting'")
WAITS = and_(OPEN, turns.c.state == TurnState.WAITING.value)
OWED_BY_OWNER = text("((turns.state = 'replied' OR turns.state = 'sending') AND turns.sends_from = 'owner')")
HELD = text("chats.held")
#: Dead letters that nobody requeued or discarded.
ON_THE_LIST = text("(dead_letters.requeued_at IS NULL AND dead_letters.discarded_at IS NULL)")
NOTICE_OWED = text("notices.state != 'sent'")
FINISHED = text(
    "(turns.state = 'sent' OR turns.state = 'refused' OR turns.state = 'dead' OR turns.state = 'cancelled')"
)
#: What a worker must handle: an owner's stored reply is its owner's to send.
FOR_WORKERS = text("(turns.state = 'waiting' OR turns.sends_from = 'any' OR turns.restate)")


# Every statement is built once: SQLAlchemy then finds its compiled form without looking at its structure.
ADD_NOTICES = insert(notices)

_json = json.JSONEncoder().encode
_SAID_VERSION = 1
_Word = TypeVar("_Word", bound=StrEnum)

#: A chat beside another table's columns, under names of its own.
CHAT_COLUMNS = tuple(
    chats.c[name].label(f"of_chat_{name}")
    for name in (
        "id",
        "adapter",
        "account",
        "conversation",
        "kind",
        "data_key",
        "context_version",
        "context_from",
        "weight",
    )
)

#: What `turn_from` reads of a turn, beside the chat's columns and `more`.
TURN_COLUMNS = (
    "id",
    "ord",
    "fence",
    "state",
    "skill",
    "sends_from",
    "attempts",
    "accepted_at",
    "deadline_at",
    "cancel_requested",
    "placeholder",
    "reply_sealed",
    "restate",
    "sign_until",
)
#: What `open_part` reads of a part.
PART_COLUMNS = (
    reply_parts.c.turn_id,
    reply_parts.c.number,
    reply_parts.c.op_id,
    reply_parts.c.text_sealed,
    reply_parts.c.started_at,
    reply_parts.c.message,
    reply_parts.c.resent_in_doubt,
)


def known(words: type[_Word], word: str) -> _Word:
    """Read a word of a closed set; one that is not in it is a newer version's. Raises `WrittenByNewer`."""
    try:
        return words(word)
    except ValueError as exc:
        raise WrittenByNewer(f"{word!r} is a {words.__name__} of a newer version") from exc


def _conversation_kind(word: str) -> ConversationKind:
    """Read a chat's kind; one of a newer version is treated as a group, where nothing is taken for private."""
    try:
        return ConversationKind(word)
    except ValueError:
        return ConversationKind.GROUP


def chat_from(row: Row[Any]) -> Chat:
    """Read a chat from a row that was selected with `CHAT_COLUMNS`."""
    return Chat(
        id=row.of_chat_id,
        adapter=row.of_chat_adapter,
        account=row.of_chat_account,
        conversation=row.of_chat_conversation,
        kind=_conversation_kind(row.of_chat_kind),
        key=row.of_chat_data_key,
        context_version=row.of_chat_context_version,
        context_from=row.of_chat_context_from,
        weight=row.of_chat_weight,
    )


def turn_from(
    row: Row[Any], *, said: tuple[Said, ...] = (), reply: str | None = None, parts: tuple[Part, ...] = ()
) -> Turn:
    """Read a claimed turn from a row that the claim read; what was sealed is given opened.

    Raises `WrittenByNewer`.
    """
    return Turn(
        id=row.id,
        ord=row.ord,
        chat=chat_from(row),
        token=row.fence,
        state=known(TurnState, row.state),
        skill=known(Skill, row.skill),
        sends_from=known(SendsFrom, row.sends_from),
        attempts=row.attempts,
        accepted_at=row.accepted_at,
        deadline_at=row.deadline_at,
        cancel_requested=row.cancel_requested,
        said=said,
        placeholder=row.placeholder,
        reply=reply,
        parts=parts,
        restate=row.restate,
        sign_until=row.sign_until,
        more=row.more,
    )


def seal_said(
    vault: Vault, key: bytes, chat_id: str, inbound_id: str, *, inbound: Inbound, said: str
) -> bytes:
    """Seal what a person wrote, with who wrote it and what it quotes."""
    quoted = inbound.quoted
    author, quote, ours = (quoted.author, quoted.text, quoted.by_assistant) if quoted else ("", "", False)
    # Written out: an object costs the encoder several times what its texts do.
    body = (
        f'{{"v": 1, "sender_id": {_json(inbound.sender.id)}, "sender_name": {_json(inbound.sender.name)}'
        f', "text": {_json(said)}, "sent_at": {_json(inbound.sent_at.isoformat())}'
        f', "quoted_author": {_json(author)}, "quoted_text": {_json(quote)}'
        f', "quoted_by_assistant": {_json(ours)}}}'
    )
    return vault.seal(key, body, Place(chat=chat_id, item=inbound_id, field=SealedField.INBOUND))


def seal_nothing(vault: Vault, key: bytes, chat_id: str, inbound_id: str) -> bytes:
    """Seal a message that says nothing, by nobody: what takes the place of one that was taken back.

    It opens like any other: an older version, which knows no such messages, reads them with the rest of their turn.
    """
    body = (
        '{"v": 1, "sender_id": "", "sender_name": "", "text": "", "sent_at": "1970-01-01T00:00:00+00:00"'
        ', "quoted_author": "", "quoted_text": "", "quoted_by_assistant": false}'
    )
    return vault.seal(key, body, Place(chat=chat_id, item=inbound_id, field=SealedField.INBOUND))


def open_said(vault: Vault, chat: Chat, row: Row[Any]) -> Said:
    """Open a turn's message, in a row that the claim read.

    Raises `VaultError`, which names the row, and `WrittenByNewer`.
    """
    place = Place(chat=chat.id, item=row.inbound_id, field=SealedField.INBOUND)
    body = json.loads(vault.open(chat.key, row.said_sealed, place))
    if body["v"] > _SAID_VERSION:
        raise WrittenByNewer(
            f"message {row.inbound_id} is of version {body['v']}, this program knows {_SAID_VERSION}"
        )
    return Said(
        message=row.message,
        sender_id=body["sender_id"],
        sender_name=body["sender_name"],
        text=body["text"],
        sent_at=datetime.fromisoformat(body["sent_at"]),
        quoted_author=body["quoted_author"],
        quoted_text=body["quoted_text"],
        quoted_by_assistant=body["quoted_by_assistant"],
    )


def prompt_place(chat_id: str, turn_id: str) -> Place:
    """Name where a turn's prompt is sealed."""
    return Place(chat=chat_id, item=turn_id, field=SealedField.PROMPT)


def reply_place(chat_id: str, turn_id: str) -> Place:
    """Name where a turn's reply is sealed."""
    return Place(chat=chat_id, item=turn_id, field=SealedField.REPLY)


def part_op_id(turn_id: str, number: int) -> str:
    """Name the operation that sends a part; it stays the same however often it is tried."""
    return f"{turn_id}-{number}"


def part_place(chat_id: str, op_id: str) -> Place:
    """Name where a part is sealed."""
    return Place(chat=chat_id, item=op_id, field=SealedField.REPLY)


def open_part(vault: Vault, chat: Chat, row: Row[Any]) -> Part:
    """Open a row of `reply_parts`. Raises `VaultError`, which names the row."""
    return Part(
        number=row.number,
        op_id=row.op_id,
        text=vault.open(chat.key, row.text_sealed, part_place(chat.id, row.op_id)),
        in_doubt=row.started_at is not None and row.message is None,
        message=row.message,
        may_be_duplicate=row.resent_in_doubt > 0,
        started_at=row.started_at if row.message is None else None,
    )
