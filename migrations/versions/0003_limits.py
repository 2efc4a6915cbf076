"""Limits: quotas, notices that speak for an episode, and messages that were taken back."""

import sqlalchemy as sa
from alembic import op

from migrations.indexes import create_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what limits need; both databases add such columns in place."""
    create_index("ix_turns_person", "turns", ["sender_id", "adapter", "state"], "state = 'waiting'")
    op.add_column("turns", sa.Column("notice_id", sa.String(length=32), nullable=True))
    op.add_column("inbounds", sa.Column("withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False))
    _create_episodes()
    _create_quota_uses()


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("quota_uses")
    op.drop_table("episodes")
    op.drop_index("ix_turns_person", "turns")
    op.drop_column("inbounds", "withdrawn")
    op.drop_column("turns", "notice_id")


def _create_episodes() -> None:
    op.create_table(
        "episodes",
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("notice_id", sa.String(length=32), nullable=False),
        sa.Column("head_ord", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chat_id", "subject"),
    )


def _create_quota_uses() -> None:
    op.create_table(
        "quota_uses",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("ix_quota_uses_ends", "quota_uses", ["ends_at"], unique=False)
