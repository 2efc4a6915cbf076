"""A turn, the messages it answers, and its reply."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base

# Not IN: SQLite would make a table of its list for every row that is written, whether or not the row is meant.
_UNFINISHED = text("state = 'waiting' OR state = 'replied' OR state = 'sending' OR restate")
_WAITING = text("state = 'waiting'")
_FINISHED = text("state = 'sent' OR state = 'refused' OR state = 'dead' OR state = 'cancelled'")
_HAS_MESSAGE = text("message IS NOT NULL")
_EXPORTED = text("skill = 'export' AND reply_sealed IS NOT NULL")
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
        Index("ix_turns_exported", "id", sqlite_where=_EXPORTED, postgresql_where=_EXPORTED),
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
    __table_args__ = (
        Index(
            "ix_reply_parts_message",
            "message",
            sqlite_where=_HAS_MESSAGE,
            postgresql_where=_HAS_MESSAGE,
        ),
    )

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
    #: How far the platform says that it came, and why it will not arrive; null where it says nothing.
    delivery: Mapped[str | None] = mapped_column(String(16))
    failure: Mapped[str | None] = mapped_column(String(64))
    #: How often the platform took it and then did not deliver it.
    failures: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
