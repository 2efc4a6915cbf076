"""The record: SQLAlchemy tables and the database they live in."""
