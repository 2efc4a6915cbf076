"""The record's tables. What people wrote and the model answered is in columns `*_sealed` and nowhere else."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAIVE = "an instant without a time zone was about to be stored"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant on every database; SQLite would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(_NAIVE)
        return value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Write SQLite's text in one step; the general way takes three, for every row."""
        return sqlite_instant if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def sqlite_instant(value: datetime | None) -> str | None:
    """Write an instant as SQLAlchemy's `DateTime` does for SQLite."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(_NAIVE)
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map: dict[Any, Any] = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        datetime: UtcDateTime,
        bytes: LargeBinary,
        int: BigInteger,
        bool: Boolean,
    }


_CHOSE = text("consent != 'mentions'")
_HAS_ITS_OWN = text("retention_days IS NOT NULL")


class ChatRow(Base):
    """A conversation of a platform in which the assistant was addressed."""

    __tablename__ = "chats"
    __table_args__ = (
        UniqueConstraint("adapter", "account", "conversation", name="uq_chats_conversation"),
        Index("ix_chats_held", "id", sqlite_where=text("held"), postgresql_where=text("held")),
        Index("ix_chats_consent", "id", sqlite_where=_CHOSE, postgresql_where=_CHOSE),
        Index("ix_chats_retention", "id", sqlite_where=_HAS_ITS_OWN, postgresql_where=_HAS_ITS_OWN),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    adapter: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(255))
    conversation: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    data_key: Mapped[bytes]
    #: The `ord` given to the chat's newest turn.
    last_ord: Mapped[int] = mapped_column(default=0)
    weight: Mapped[float] = mapped_column(default=1.0)
    context_version: Mapped[int] = mapped_column(default=0)
    context_from: Mapped[int] = mapped_column(default=0)
    held: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    #: What stands in the prompt for all turns up to an `ord`.
    summary_sealed: Mapped[bytes | None]
    summary_ord: Mapped[int | None]
    #: What will stand there from the next cut on.
    next_summary_sealed: Mapped[bytes | None]
    next_summary_ord: Mapped[int | None]
    #: What the chat asked to have remembered, as prompts hold it since the last cut.
    card_sealed: Mapped[bytes | None]
    #: Which messages the assistant may see, and who may change that.
    consent: Mapped[str] = mapped_column(String(16), server_default="mentions")
    recent_messages: Mapped[int] = mapped_column(server_default="0")
    recent_hours: Mapped[int] = mapped_column(server_default="0")
    consent_locked: Mapped[bool] = mapped_column(server_default=false())
    #: When the chat was told that this is an AI, what it sees and what it keeps.
    met_at: Mapped[datetime | None]
    #: Counts the times that the engine's cache must not know this chat again.
    salt_epoch: Mapped[int] = mapped_column(server_default="0")
    #: Days for which words of this chat are kept; null is as the deployment has it.
    retention_days: Mapped[int | None]


# Not IN: SQLite would make a table of its list for every row that is written, whether or not the row is meant.
_UNFINISHED = text("state = 'waiting' OR state = 'replied' OR state = 'sending' OR restate")
_WAITING = text("state = 'waiting'")
_FINISHED = text("state = 'sent' OR state = 'refused' OR state = 'dead' OR state = 'cancelled'")
_OWED = text("(state = 'replied' OR state = 'sending') AND sends_from = 'owner'")


class TurnRow(Base):
    """An addressed message (or a burst of them) and its reply."""

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("chat_id", "ord", name="uq_turns_chat_ord"),
        Index(
            "ix_turns_unfinished",
            "chat_id",
            "ord",
            "state",
            sqlite_where=_UNFINISHED,
            postgresql_where=_UNFINISHED,
        ),
        Index(
            "ix_turns_finished",
            "state",
            sqlite_where=_FINISHED,
            postgresql_where=_FINISHED,
        ),
        Index(
            "ix_turns_owed",
            "adapter",
            "accepted_at",
            sqlite_where=_OWED,
            postgresql_where=_OWED,
        ),
        Index(
            "ix_turns_person",
            "sender_id",
            "adapter",
            # Always the same, and here so that SQLite counts without looking at the rows.
            "state",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        Index(
            "ix_turns_waiting",
            "accepted_at",
            "id",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    ord: Mapped[int]
    adapter: Mapped[str] = mapped_column(String(64))
    sends_from: Mapped[str] = mapped_column(String(8))
    sender_id: Mapped[str] = mapped_column(String(255))
    skill: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    #: The newest token that claimed this turn; null while nobody has.
    fence: Mapped[int | None]
    #: Whether the newest claimant still has it: set by the claim, cleared by an honest release.
    held: Mapped[bool] = mapped_column(default=False)
    #: The schedule's epoch at the newest claim: a claim lost to an erased Redis is no attempt.
    claim_epoch: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(String(255))
    not_before: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    restate: Mapped[bool] = mapped_column(default=False)
    stopped: Mapped[bool] = mapped_column(default=False)
    #: The notice of its episode, where that speaks for this refused turn; null where the notice is its own.
    notice_id: Mapped[str | None] = mapped_column(String(32))
    #: The placeholder's message, and who may post one until when.
    placeholder: Mapped[str | None] = mapped_column(String(255))
    sign_until: Mapped[datetime | None]
    #: The wait, in seconds, that the placeholder told of; null where it tells of none.
    told_wait_s: Mapped[float | None]
    #: The user's message as it stood in the prompt, and the reply as the engine emitted it.
    prompt_sealed: Mapped[bytes | None]
    reply_sealed: Mapped[bytes | None]
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    cached_tokens: Mapped[int | None] = mapped_column(Integer)
    output_tokens: Mapped[int | None] = mapped_column(Integer)
    accepted_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    first_token_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class InboundRow(Base):
    """One message a person wrote, once, however often the platform delivers it."""

    __tablename__ = "inbounds"
    __table_args__ = (
        UniqueConstraint("adapter", "account", "event_key", name="uq_inbounds_event"),
        Index("ix_inbounds_turn", "turn_id", "id"),
    )

    #: Sorts by time of acceptance.
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    adapter: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(255))
    event_key: Mapped[str] = mapped_column(String(255))
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    message: Mapped[str] = mapped_column(String(255))
    #: JSON of the message: who, what, when, and what it quotes.
    said_sealed: Mapped[bytes]
    accepted_at: Mapped[datetime]
    #: The person took it back before it was answered; nothing of it is kept.
    withdrawn: Mapped[bool] = mapped_column(server_default=false())


class PartRow(Base):
    """One message of a reply."""

    __tablename__ = "reply_parts"

    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    op_id: Mapped[str] = mapped_column(String(64), unique=True)
    text_sealed: Mapped[bytes]
    #: A send was started; its outcome is unknown while `message` is null.
    started_at: Mapped[datetime | None]
    message: Mapped[str | None] = mapped_column(String(255))
    #: How often a send of this part may have arrived twice (class C only).
    resent_in_doubt: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[datetime | None]


class NoticeRow(Base):
    """A sentence of ours to a chat: why something was not answered."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(
            "ix_notices_owed",
            "adapter",
            "created_at",
            sqlite_where=text("state != 'sent'"),
            postgresql_where=text("state != 'sent'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), unique=True)
    adapter: Mapped[str] = mapped_column(String(64))
    sends_from: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(32))
    #: Our own words, without anything a person wrote.
    text: Mapped[str] = mapped_column(String(1000))
    reply_to: Mapped[str | None] = mapped_column(String(255))
    op_id: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    #: Whoever sends it has until then; afterwards another may.
    claimed_until: Mapped[datetime | None]
    message: Mapped[str | None] = mapped_column(String(255))
    #: Said once more when it has been sent: a late edit may stand over it.
    restate: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class TrailRow(Base):
    """One thing that happened to a turn's attempts."""

    __tablename__ = "trail"
    __table_args__ = (Index("ix_trail_turn", "turn_id", "id"),)

    #: Given out by the database: a turn's steps are written one behind the other, whatever the clocks say.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"))
    event: Mapped[str] = mapped_column(String(16))
    #: The turn's state then, and its failed attempts with this one.
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    counted: Mapped[bool]
    token: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(255))
    times: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


_ON_THE_LIST = text("requeued_at IS NULL AND discarded_at IS NULL")


class DeadLetterRow(Base):
    """A turn that was given up, as it stood then; it stays when the turn is requeued, and counts that."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("ix_dead_letters_chat", "chat_id"),
        Index(
            "ix_dead_letters_open",
            "died_at",
            "turn_id",
            sqlite_where=_ON_THE_LIST,
            postgresql_where=_ON_THE_LIST,
        ),
    )

    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    adapter: Mapped[str] = mapped_column(String(64))
    #: The error's class; and with its sentence, where that is ours.
    reason: Mapped[str] = mapped_column(String(64))
    error: Mapped[str] = mapped_column(String(255))
    #: The state it died in.
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    token: Mapped[int | None]
    accepted_at: Mapped[datetime]
    died_at: Mapped[datetime]
    requeues: Mapped[int] = mapped_column(Integer)
    requeued_at: Mapped[datetime | None]
    discarded_at: Mapped[datetime | None]


class EpisodeRow(Base):
    """Of what a chat was told that it cannot be taken now: one notice speaks for all that follows."""

    __tablename__ = "episodes"

    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True)
    #: Which limit, and whose: the chat's own, or one person's.
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    notice_id: Mapped[str] = mapped_column(String(32))
    #: The `ord` of the turn that stood first then; once another does, the chat was served. Null where none stood.
    head_ord: Mapped[int | None]
    ends_at: Mapped[datetime]


class MemoryRow(Base):
    """One thing a chat asked to have remembered."""

    __tablename__ = "memories"
    __table_args__ = (UniqueConstraint("chat_id", "number", name="uq_memories_chat_number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    #: What people call it by, in its chat; never given again.
    number: Mapped[int]
    text_sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class TombstoneRow(Base):
    """An event that was forgotten and may be delivered again: nothing but its digest is left."""

    __tablename__ = "tombstones"
    __table_args__ = (Index("ix_tombstones_ends", "ends_at"),)

    #: A keyed hash of adapter, account and event key.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    ends_at: Mapped[datetime]


class QuotaUseRow(Base):
    """How much of a quota is used up in one window of time."""

    __tablename__ = "quota_uses"
    __table_args__ = (Index("ix_quota_uses_ends", "ends_at"),)

    #: A digest of whose quota it is and of its window.
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    uses: Mapped[int]
    ends_at: Mapped[datetime]


class PaceRow(Base):
    """How fast one worker answers, as it last reported."""

    __tablename__ = "worker_paces"

    worker_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    slots: Mapped[int]
    #: The mean time a turn kept its slot, in seconds; null before any ended.
    turn_s: Mapped[float | None]
    seen_at: Mapped[datetime]


class RecordRow(Base):
    """One record of an adapter's own store."""

    __tablename__ = "adapter_records"
    __table_args__ = (UniqueConstraint("adapter", "stream", "key", name="uq_adapter_records_key"),)

    adapter: Mapped[str] = mapped_column(String(64), primary_key=True)
    stream: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(255))
    body_sealed: Mapped[bytes]
    stored_at: Mapped[datetime]


class AdapterKeyRow(Base):
    """The data key of an adapter's own store."""

    __tablename__ = "adapter_keys"

    adapter: Mapped[str] = mapped_column(String(64), primary_key=True)
    data_key: Mapped[bytes]
