"""The tables as the journal's statements use them, and what a row says in the words of the model."""

from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Row, Table, and_, bindparam, insert, select, text

from adapters.base import ConversationKind, SendsFrom
from bot.errors import WrittenByNewer
from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.model import Chat, Consent, Part, Said, Skill, Turn, TurnState

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


#: The newest message of a turn that was not taken back: what its sign, its reply or its notice answers.
REPLY_TO = (
    select(inbounds.c.message)
    .where(inbounds.c.turn_id == turns.c.id, ~inbounds.c.withdrawn)
    .order_by(inbounds.c.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("reply_to")
)
#: The same, asked of one `turn`.
_REPLY_TO_OF = (
    select(inbounds.c.message)
    .where(inbounds.c.turn_id == bindparam("turn"), ~inbounds.c.withdrawn)
    .order_by(inbounds.c.id.desc())
    .limit(1)
)

# Every statement is built once: SQLAlchemy then finds its compiled form without looking at its structure.
ADD_NOTICES = insert(notices)

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
        "consent",
        "recent_messages",
        "recent_hours",
        "consent_locked",
        "met_at",
        "salt_epoch",
        "retention_days",
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


def consent_from(word: str) -> Consent:
    """Read what a chat consents to; of what a newer version allows, the least is taken."""
    try:
        return Consent(word)
    except ValueError:
        return Consent.MENTIONS


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
        consent=consent_from(row.of_chat_consent),
        recent_messages=row.of_chat_recent_messages,
        recent_hours=row.of_chat_recent_hours,
        consent_locked=row.of_chat_consent_locked,
        met_at=row.of_chat_met_at,
        salt_epoch=row.of_chat_salt_epoch,
        retention_days=row.of_chat_retention_days,
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


async def reply_to_of(connection: Transaction, turn_id: str) -> str | None:
    """Read which message of a turn is answered; None where all of them were taken back."""
    return (await connection.execute(_REPLY_TO_OF, {"turn": turn_id})).scalar_one_or_none()
