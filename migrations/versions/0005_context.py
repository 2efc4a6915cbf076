"""A chat's context: its summaries, its card, what it consents to, and how long anything of it is kept."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: Those that keep their words for another time than the deployment.
_HAS_ITS_OWN = sa.text("retention_days IS NOT NULL")
_EXPORTED = sa.text("skill = 'export' AND reply_sealed IS NOT NULL")


def upgrade() -> None:
    """Add what contexts need; both databases add such columns in place."""
    for column in _chat_columns():
        op.add_column("chats", column)
    op.create_index("ix_chats_consent", "chats", ["consent", "id"])
    op.create_index("ix_chats_consent_at", "chats", ["consent_at"])
    op.create_index(
        "ix_chats_retention", "chats", ["id"], sqlite_where=_HAS_ITS_OWN, postgresql_where=_HAS_ITS_OWN
    )
    op.create_index("ix_turns_exported", "turns", ["id"], sqlite_where=_EXPORTED, postgresql_where=_EXPORTED)
    _create_memories()
    _create_tombstones()
    _create_names()
    _create_stream_keys()
    _create_history_wishes()
    _create_owed_cleanings()
    _create_last_sweeps()


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("last_sweeps")
    op.drop_table("owed_cleanings")
    op.drop_table("history_wishes")
    op.drop_table("adapter_stream_keys")
    op.drop_table("chat_names")
    op.drop_table("tombstones")
    op.drop_table("memories")
    op.drop_index("ix_turns_exported", "turns")
    op.drop_index("ix_chats_retention", "chats")
    op.drop_index("ix_chats_consent_at", "chats")
    op.drop_index("ix_chats_consent", "chats")
    for column in reversed(_chat_columns()):
        op.drop_column("chats", column.name)


def _chat_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("summary_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("summary_ord", sa.BigInteger(), nullable=True),
        sa.Column("summary_from", sa.BigInteger(), nullable=True),
        sa.Column("next_summary_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("next_summary_ord", sa.BigInteger(), nullable=True),
        sa.Column("next_summary_from", sa.BigInteger(), nullable=True),
        sa.Column("card_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("last_memory", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("consent", sa.String(length=16), server_default="mentions", nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recent_messages", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("recent_hours", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("consent_locked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("salt_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("retention_days", sa.BigInteger(), nullable=True),
    )


def _create_memories() -> None:
    op.create_table(
        "memories",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sender_id", sa.String(length=255), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chat_id", "number", name="uq_memories_chat_number"),
    )


def _create_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_tombstones_ends", "tombstones", ["ends_at"], unique=False)


def _create_names() -> None:
    op.create_table(
        "chat_names",
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("likeness", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chat_id", "likeness", "person"),
        sa.UniqueConstraint("chat_id", "likeness", "number", name="uq_chat_names_number"),
    )
    op.create_index("ix_chat_names_seen", "chat_names", ["seen_at"], unique=False)


def _create_stream_keys() -> None:
    op.create_table(
        "adapter_stream_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=255), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("adapter", "stream", name="uq_adapter_stream_keys_stream"),
    )


def _create_history_wishes() -> None:
    op.create_table(
        "history_wishes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("conversation", sa.String(length=255), nullable=False),
        sa.Column("sender_id", sa.String(length=255), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_history_wishes_adapter", "history_wishes", ["adapter", "id"], unique=False)


def _create_owed_cleanings() -> None:
    op.create_table(
        "owed_cleanings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=32), nullable=True),
        sa.Column("owed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_last_sweeps() -> None:
    op.create_table(
        "last_sweeps",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
