"""Adapters' own stores: their records, and the data keys that seal them."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.store.tables.base import Base


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
    """An adapter that has a store: who writes to its streams locks this row."""

    __tablename__ = "adapter_keys"

    adapter: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: Seals what was stored before streams had keys; empty where there is nothing of that.
    data_key: Mapped[bytes]


class StreamKeyRow(Base):
    """The data key of one stream of an adapter's own store."""

    __tablename__ = "adapter_stream_keys"
    __table_args__ = (UniqueConstraint("adapter", "stream", name="uq_adapter_stream_keys_stream"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    adapter: Mapped[str] = mapped_column(String(64))
    stream: Mapped[str] = mapped_column(String(255))
    data_key: Mapped[bytes]
