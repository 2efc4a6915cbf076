"""Building an index on a table that may be large, while roles work on it."""

import sqlalchemy as sa
from alembic import op


def create_index(name: str, table: str, columns: list[str], where: str | None = None) -> None:
    """Build an index of all rows, or of those that a condition names; on PostgreSQL nobody waits for it to write.

    It commits what stands before it there: call it first, so that a revision that is interrupted can be begun
    again (https://www.postgresql.org/docs/current/sql-createindex.html, building indexes concurrently).
    """
    rows = None if where is None else sa.text(where)
    if op.get_context().dialect.name != "postgresql":
        op.create_index(name, table, columns, unique=False, sqlite_where=rows)
        return
    with op.get_context().autocommit_block():
        # It waits for every transaction that is open, however long that lasts, and holds nobody up meanwhile.
        op.execute("SET lock_timeout = 0")
        # What an interrupted building left is no index, and stands in the way.
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name,
            table,
            columns,
            unique=False,
            postgresql_where=rows,
            postgresql_concurrently=True,
        )
        op.execute("RESET lock_timeout")
