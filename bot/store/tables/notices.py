"""Our own sentences to a chat, and the episodes in which one of them speaks for all that follows."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


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
        Index("ix_notices_chat", "chat_id"),
        Index(
            "ix_notices_message",
            "message",
            sqlite_where=text("message IS NOT NULL"),
            postgresql_where=text("message IS NOT NULL"),
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
    #: How far the platform says that it came; null where it says nothing.
    delivery: Mapped[str | None] = mapped_column(String(16))


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
