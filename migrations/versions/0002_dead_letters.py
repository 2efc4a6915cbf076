"""Dead letters: what was tried, how a turn died, and whether it was requeued."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OPEN = "requeued_at IS NULL AND discarded_at IS NULL"
#: The first word of an error names its class, as the program writes it.
_REASONS = {
    "sqlite": "substr(last_error, 1, instr(last_error || ' ', ' ') - 1)",
    "postgresql": "split_part(last_error, ' ', 1)",
}
#: Turns that died before there were letters: nobody wrote down where they stood, but a stored reply tells.
_WRITE_LETTERS = """
    INSERT INTO dead_letters
        (turn_id, chat_id, adapter, reason, error, state, attempts, token, accepted_at, died_at, requeues)
    SELECT id, chat_id, adapter, {reason}, coalesce(last_error, 'Unknown'),
        CASE WHEN reply_sealed IS NULL THEN 'waiting' ELSE 'replied' END,
        attempts, fence, accepted_at, coalesce(finished_at, accepted_at), 0
    FROM turns WHERE state = 'dead'
"""


def upgrade() -> None:
    """Add the trail and the letters, and write the letters of what died before."""
    _create_trail()
    _create_letters()
    op.add_column("notices", sa.Column("restate", sa.Boolean(), server_default=sa.false(), nullable=False))
    first_word = _REASONS[op.get_context().dialect.name]
    reason = f"coalesce(nullif(substr(rtrim({first_word}, ':'), 1, 64), ''), 'Unknown')"
    op.execute(_WRITE_LETTERS.format(reason=reason))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("notices") as notices:
        notices.drop_column("restate")
    op.drop_table("dead_letters")
    op.drop_table("trail")


def _create_trail() -> None:
    op.create_table(
        "trail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=255), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_trail_turn", "trail", ["turn_id", "id"], unique=False)


def _create_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("error", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requeues", sa.Integer(), nullable=False),
        sa.Column("requeued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id"),
    )
    op.create_index("ix_dead_letters_chat", "dead_letters", ["chat_id"], unique=False)
    op.create_index(
        "ix_dead_letters_open",
        "dead_letters",
        ["died_at", "turn_id"],
        unique=False,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
