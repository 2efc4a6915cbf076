"""How much is asked and how fast it is answered: quotas in use, and what workers report."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


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
