"""The record's schema, revision by revision (Alembic)."""
