"""A chat, and what it asked to have remembered."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base

_HAS_ITS_OWN = text("retention_days IS NOT NULL")


class ChatRow(Base):
    """A conversation of a platform in which the assistant was addressed."""

    __tablename__ = "chats"
    __table_args__ = (
        UniqueConstraint("adapter", "account", "conversation", name="uq_chats_conversation"),
        Index("ix_chats_held", "id", sqlite_where=text("held"), postgresql_where=text("held")),
        Index("ix_chats_consent", "consent", "id"),
        Index("ix_chats_consent_at", "consent_at"),
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
    #: The `ord` from which on words of turns may be in it: it goes with the oldest of them.
    summary_from: Mapped[int | None]
    #: What will stand there from the next cut on.
    next_summary_sealed: Mapped[bytes | None]
    next_summary_ord: Mapped[int | None]
    next_summary_from: Mapped[int | None]
    #: What the chat asked to have remembered, as prompts hold it.
    card_sealed: Mapped[bytes | None]
    #: The number given to the newest of that.
    last_memory: Mapped[int] = mapped_column(server_default="0")
    #: Which messages the assistant may see, and who may change that.
    consent: Mapped[str] = mapped_column(String(16), server_default="mentions")
    #: When the chat began or chose; null for those of before there was a choice.
    consent_at: Mapped[datetime | None]
    recent_messages: Mapped[int] = mapped_column(server_default="0")
    recent_hours: Mapped[int] = mapped_column(server_default="0")
    consent_locked: Mapped[bool] = mapped_column(server_default=false())
    #: When the chat was told that this is an AI, what it sees and what it keeps.
    met_at: Mapped[datetime | None]
    #: Counts the times that the engine's cache must not know this chat again.
    salt_epoch: Mapped[int] = mapped_column(server_default="0")
    #: Days for which words of this chat are kept; null is as the deployment has it.
    retention_days: Mapped[int | None]


class MemoryRow(Base):
    """One thing a chat asked to have remembered."""

    __tablename__ = "memories"
    __table_args__ = (UniqueConstraint("chat_id", "number", name="uq_memories_chat_number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"))
    #: What people call it by, in its chat; never given again.
    number: Mapped[int]
    #: Who asked: it goes with everything else of that person.
    sender_id: Mapped[str] = mapped_column(String(255))
    #: JSON: what, and who asked, by name.
    text_sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class NameRow(Base):
    """A number that tells one bearer of a name from the others in a chat; neither name nor person can be read here."""

    __tablename__ = "chat_names"
    __table_args__ = (
        UniqueConstraint("chat_id", "likeness", "number", name="uq_chat_names_number"),
        Index("ix_chat_names_seen", "seen_at"),
    )

    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True)
    #: Keyed hashes of what such names have in common, and of who bears one.
    likeness: Mapped[str] = mapped_column(String(64), primary_key=True)
    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int]
    #: When a prompt last named this person, within a day.
    seen_at: Mapped[datetime]
