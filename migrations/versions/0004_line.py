"""The line: what a first sign says of the wait, and how fast the workers answer."""

import sqlalchemy as sa
from alembic import op

from migrations.indexes import create_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the line needs; both databases add such a column in place."""
    create_index("ix_turns_waiting", "turns", ["accepted_at", "id"], "state = 'waiting'")
    op.add_column("turns", sa.Column("told_wait_s", sa.Double(), nullable=True))
    op.create_table(
        "worker_paces",
        sa.Column("worker_id", sa.String(length=32), nullable=False),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("turn_s", sa.Double(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker_id"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("worker_paces")
    op.drop_column("turns", "told_wait_s")
    op.drop_index("ix_turns_waiting", "turns")
