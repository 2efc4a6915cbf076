"""What people press under replies, and whom a chat introduced the assistant to. Nobody can be read here."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


class RatingRow(Base):
    """What one person thinks of one reply; thinking again replaces it."""

    __tablename__ = "ratings"

    turn_id: Mapped[str] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True)
    #: A keyed hash of the chat and the person.
    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(8))
    rated_at: Mapped[datetime]


class IntroductionRow(Base):
    """Somebody who came to a chat later and was told there what the assistant is."""

    __tablename__ = "introductions"

    chat_id: Mapped[str] = mapped_column(ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True)
    #: A keyed hash of the chat and the person.
    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: A keyed hash of the event that told of it: the same event once more is no second person.
    event: Mapped[str] = mapped_column(String(64))
    told_at: Mapped[datetime]
