"""What is left of what was forgotten, and what is still to be forgotten elsewhere."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


class TombstoneRow(Base):
    """An event that was forgotten and may be delivered again: nothing but its digest is left."""

    __tablename__ = "tombstones"
    __table_args__ = (Index("ix_tombstones_ends", "ends_at"),)

    #: A keyed hash of adapter, account and event key.
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    ends_at: Mapped[datetime]


class HistoryWishRow(Base):
    """What the process that keeps an adapter's own history still has to forget of it."""

    __tablename__ = "history_wishes"
    __table_args__ = (Index("ix_history_wishes_adapter", "adapter", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    adapter: Mapped[str] = mapped_column(String(64))
    conversation: Mapped[str] = mapped_column(String(255))
    #: Null is everybody.
    sender_id: Mapped[str | None] = mapped_column(String(255))
    #: What was said up to then is meant.
    asked_at: Mapped[datetime]


class CleaningRow(Base):
    """Something was forgotten, and copies of it may still be in caches and in the database's files."""

    __tablename__ = "owed_cleanings"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: Whose caches are meant; null is files alone.
    chat_id: Mapped[str | None] = mapped_column(String(32))
    owed_at: Mapped[datetime]


class SweepRow(Base):
    """When retention last had a clock that it believes: what the next start measures its own by. There is one row."""

    __tablename__ = "last_sweeps"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    swept_at: Mapped[datetime]
