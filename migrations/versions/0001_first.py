"""The first schema: chats, turns, what people wrote, replies, notices, and the adapters' own records."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("chats", "turns", "inbounds", "reply_parts", "notices", "adapter_records", "adapter_keys")


def upgrade() -> None:
    """Create every table, parents first."""
    _create_chats()
    _create_turns()
    _create_inbounds()
    _create_reply_parts()
    _create_notices()
    _create_adapter_records()
    _create_adapter_keys()


def downgrade() -> None:
    """Drop every table, children first."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_chats() -> None:
    op.create_table(
        "chats",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("conversation", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("last_ord", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("context_version", sa.BigInteger(), nullable=False),
        sa.Column("context_from", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("adapter", "account", "conversation", name="uq_chats_conversation"),
    )
    op.create_index(
        "ix_chats_held",
        "chats",
        ["id"],
        unique=False,
        sqlite_where=sa.text("held"),
        postgresql_where=sa.text("held"),
    )


def _create_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("ord", sa.BigInteger(), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("sends_from", sa.String(length=8), nullable=False),
        sa.Column("sender_id", sa.String(length=255), nullable=False),
        sa.Column("skill", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("claim_epoch", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=255), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("restate", sa.Boolean(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("placeholder", sa.String(length=255), nullable=True),
        sa.Column("sign_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prompt_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reply_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("cached_tokens", sa.Integer(), nullable=True),
        sa.Column("output_tokens", sa.Integer(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_token_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chat_id", "ord", name="uq_turns_chat_ord"),
    )
    op.create_index(
        "ix_turns_finished",
        "turns",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state = 'sent' OR state = 'refused' OR state = 'dead' OR state = 'cancelled'"),
        postgresql_where=sa.text(
            "state = 'sent' OR state = 'refused' OR state = 'dead' OR state = 'cancelled'"
        ),
    )
    op.create_index(
        "ix_turns_owed",
        "turns",
        ["adapter", "accepted_at"],
        unique=False,
        sqlite_where=sa.text("(state = 'replied' OR state = 'sending') AND sends_from = 'owner'"),
        postgresql_where=sa.text("(state = 'replied' OR state = 'sending') AND sends_from = 'owner'"),
    )
    op.create_index(
        "ix_turns_unfinished",
        "turns",
        ["chat_id", "ord", "state"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting' OR state = 'replied' OR state = 'sending' OR restate"),
        postgresql_where=sa.text("state = 'waiting' OR state = 'replied' OR state = 'sending' OR restate"),
    )


def _create_inbounds() -> None:
    op.create_table(
        "inbounds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=255), nullable=False),
        sa.Column("event_key", sa.String(length=255), nullable=False),
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("message", sa.String(length=255), nullable=False),
        sa.Column("said_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("adapter", "account", "event_key", name="uq_inbounds_event"),
    )
    op.create_index("ix_inbounds_turn", "inbounds", ["turn_id", "id"], unique=False)


def _create_reply_parts() -> None:
    op.create_table(
        "reply_parts",
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("op_id", sa.String(length=64), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(length=255), nullable=True),
        sa.Column("resent_in_doubt", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn_id", "number"),
        sa.UniqueConstraint("op_id"),
    )


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.String(length=32), nullable=False),
        sa.Column("turn_id", sa.String(length=32), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("sends_from", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("reply_to", sa.String(length=255), nullable=True),
        sa.Column("op_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("op_id"),
        sa.UniqueConstraint("turn_id"),
    )
    op.create_index(
        "ix_notices_owed",
        "notices",
        ["adapter", "created_at"],
        unique=False,
        sqlite_where=sa.text("state != 'sent'"),
        postgresql_where=sa.text("state != 'sent'"),
    )


def _create_adapter_records() -> None:
    op.create_table(
        "adapter_records",
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=255), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("adapter", "stream", "position"),
        sa.UniqueConstraint("adapter", "stream", "key", name="uq_adapter_records_key"),
    )


def _create_adapter_keys() -> None:
    op.create_table(
        "adapter_keys",
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("adapter"),
    )
