"""Run migrations on the connection that `bot.store.schema` hands over; there is no other way in."""

from alembic import context

from bot.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_type=True,
    # Where the connection is in no transaction yet: what builds an index without one then commits only its own.
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
