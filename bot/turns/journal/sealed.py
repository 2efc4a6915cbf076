"""What a turn's rows keep sealed: what people wrote, the prompt, the reply and its parts, and where each is sealed."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from adapters.base import AttachmentKind, Inbound
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import WrittenByNewer
from bot.turns.model import Chat, Part, Said

_json = json.JSONEncoder().encode
_SAID_VERSION = 1


def seal_said(
    vault: Vault, key: bytes, chat_id: str, inbound_id: str, *, inbound: Inbound, said: str
) -> bytes:
    """Seal what a person wrote, with who wrote it and what it quotes."""
    quoted = inbound.quoted
    author, quote, ours = (quoted.author, quoted.text, quoted.by_assistant) if quoted else ("", "", False)
    more = ""
    if inbound.sender_is_admin is not None:
        more += f', "by_admin": {_json(inbound.sender_is_admin)}'
    if quoted is not None and not (author or quote or ours):
        more += ', "quote_hidden": true'
    if inbound.attachments:
        more += f', "attached": {_json([one.kind.value for one in inbound.attachments])}'
    # Written out: an object costs the encoder several times what its texts do.
    body = (
        f'{{"v": 1, "sender_id": {_json(inbound.sender.id)}, "sender_name": {_json(inbound.sender.name)}'
        f', "text": {_json(said)}, "sent_at": {_json(inbound.sent_at.isoformat())}'
        f', "quoted_author": {_json(author)}, "quoted_text": {_json(quote)}'
        f', "quoted_by_assistant": {_json(ours)}{more}}}'
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
        quote_hidden=body.get("quote_hidden", False),
        by_admin=body.get("by_admin"),
        attached=tuple(_attached(kind) for kind in body.get("attached", ())),
    )


def _attached(kind: str) -> AttachmentKind:
    """Read what was attached; what a newer version has a word for is only something here."""
    try:
        return AttachmentKind(kind)
    except ValueError:
        return AttachmentKind.OTHER


def prompt_place(chat_id: str, turn_id: str) -> Place:
    """Name where a turn's prompt is sealed."""
    return Place(chat=chat_id, item=turn_id, field=SealedField.PROMPT)


def reply_place(chat_id: str, turn_id: str) -> Place:
    """Name where a turn's reply is sealed."""
    return Place(chat=chat_id, item=turn_id, field=SealedField.REPLY)


def summary_place(chat_id: str, up_to: int) -> Place:
    """Name where the summary of all turns up to an `ord` is sealed: the same before and after it is taken."""
    return Place(chat=chat_id, item=str(up_to), field=SealedField.SUMMARY)


def card_place(chat_id: str) -> Place:
    """Name where a chat's card is sealed."""
    return Place(chat=chat_id, item="card", field=SealedField.CARD)


def memory_place(chat_id: str, memory_id: str) -> Place:
    """Name where something that a chat asked to have remembered is sealed."""
    return Place(chat=chat_id, item=memory_id, field=SealedField.MEMORY)


def said_place(chat_id: str, inbound_id: str) -> Place:
    """Name where what a person wrote is sealed."""
    return Place(chat=chat_id, item=inbound_id, field=SealedField.INBOUND)


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
