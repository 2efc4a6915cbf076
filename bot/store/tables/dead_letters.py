"""Turns that were given up, and the trail of what happened to attempts."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


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
