"""Channels: what became of sent messages, what people press under replies, and who came to a chat later."""

import sqlalchemy as sa
from alembic import op

from migrations.indexes import create_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what channels need; both databases add such columns in place."""
    create_index("ix_reply_parts_message", "reply_parts", ["message"], "message IS NOT NULL")
    create_index("ix_notices_message", "notices", ["message"], "message IS NOT NULL")
    create_index("ix_notices_chat", "notices", ["chat_id"])
    op.add_column("reply_parts", sa.Column("delivery", sa.String(length=16), nullable=True))
    op.add_column("reply_parts", sa.Column("failure", sa.String(length=64), nullable=True))
    op.add_column("reply_parts", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("notices", sa.Column("delivery", sa.String(length=16), nullable=True))
    op.create_table(
        "ratings",
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=8), nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id", "person"),
    )
    op.create_table(
        "introductions",
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chat_id", "person"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("introductions")
    op.drop_table("ratings")
    op.drop_column("notices", "delivery")
    op.drop_column("reply_parts", "failures")
    op.drop_column("reply_parts", "failure")
    op.drop_column("reply_parts", "delivery")
    op.drop_index("ix_notices_chat", "notices")
    op.drop_index("ix_notices_message", "notices")
    op.drop_index("ix_reply_parts_message", "reply_parts")
