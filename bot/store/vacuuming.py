"""Writing PostgreSQL's tables anew, and telling whether what was deleted is really out of them."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import StoreUnavailable
from bot.store.database import Database

#: How often the end of older transactions is awaited, and how long in between.
_TRIES = 20
_PAUSE_S = 0.25
#: What a table is locked for at most before it is tried again later: others wait behind the one who waits.
_LOCK_WAIT = "SET lock_timeout = '3s'"
_XACT = "SELECT CAST(pg_current_xact_id() AS text)"
# Rows that were deleted before a transaction began are kept for whoever began to look before that. `age` counts
# backwards from the newest transaction, so an older one has the larger age. Who has no database is a standby.
_OLDER = """
WITH mine AS (SELECT age(CAST(CAST(mod(CAST(:xact AS numeric), 4294967296) AS text) AS xid)) AS of)
SELECT
    (SELECT count(*) FROM pg_stat_activity, mine WHERE pid <> pg_backend_pid()
        AND (datname = current_database() OR datname IS NULL)
        AND greatest(age(backend_xmin), age(backend_xid)) > mine.of)
    + (SELECT count(*) FROM pg_replication_slots, mine WHERE age(xmin) > mine.of)
    + (SELECT count(*) FROM pg_prepared_xacts, mine
        WHERE database = current_database() AND age(transaction) > mine.of) AS seen,
    (SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND NOT pg_has_role(usesysid, 'USAGE')
        AND NOT pg_has_role('pg_read_all_stats', 'USAGE')) AS hidden
"""
_NUMBER = re.compile(r"\d+")
_UNSEEN = (
    "PostgreSQL keeps what was deleted for another transaction, and the database's role does not see whose: "
    "grant it pg_read_all_stats"
)
_STAYS = "another transaction of the database is open for long: PostgreSQL keeps for it what was deleted"


class _Message(Protocol):
    """What a server tells beside its answers (asyncpg's `PostgresLogMessage`)."""

    severity_en: str
    message: str
    detail: str | None


@dataclass(slots=True)
class _Told:
    """What PostgreSQL told while it wrote tables anew."""

    heard: list[str] = field(default_factory=list)
    #: Whether deleted rows had to stay, a table.
    kept: list[bool] = field(default_factory=list)

    def hear(self, _connection: object, message: _Message) -> None:
        if message.severity_en == "WARNING":
            self.heard.append(message.message)
        elif message.severity_en == "INFO" and (count := _NUMBER.search(message.detail or "")):
            self.kept.append(int(count[0]) > 0)


async def write_anew(database: Database, tables: Sequence[str]) -> None:
    """Write tables anew without what was deleted before. Raises `StoreUnavailable` where some of it has to stay.

    It locks each table for as long as it takes to copy it. Sessions of other roles tell their age only to members of
    `pg_read_all_stats` (PostgreSQL, "Cumulative Statistics System").
    """
    async with _alone(database) as alone, alone.connection() as connection:
        committing = await connection.execution_options(isolation_level="AUTOCOMMIT")
        sees_all = await _until_none_is_older(committing)
        told = await _vacuum(committing, "VACUUM (FULL, VERBOSE)", tables)
    if not sees_all and (len(told.kept) < len(tables) or any(told.kept)):
        raise StoreUnavailable(_UNSEEN)


async def clear(database: Database, tables: Sequence[str]) -> None:
    """Take deleted rows out of tables where nobody sees them any more; nobody waits for that.

    Raises `StoreUnavailable`.
    """
    async with _alone(database) as alone, alone.connection() as connection:
        committing = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await _vacuum(committing, "VACUUM", tables)


def _alone(database: Database) -> Database:
    """Make a way in without the limits for statements: it takes as long as it takes."""
    return Database(database.url.render_as_string(hide_password=False), lease_s=None, connections=1)


async def _until_none_is_older(connection: AsyncConnection) -> bool:
    """Wait for transactions that are older than this; returns whether those of every role can be seen."""
    xact = (await connection.execute(text(_XACT))).scalar_one()
    for _ in range(_TRIES):
        older = (await connection.execute(text(_OLDER), {"xact": xact})).one()
        if not older.seen:
            return not older.hidden
        await asyncio.sleep(_PAUSE_S)
    raise StoreUnavailable(_STAYS)


async def _vacuum(connection: AsyncConnection, how: str, tables: Sequence[str]) -> _Told:
    told = _Told()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    driver.add_log_listener(told.hear)
    await connection.execute(text(_LOCK_WAIT))
    try:
        for table in tables:
            await connection.execute(text(f"{how} {table}"))
        # What the server tells is handed on between two turns of the event loop.
        await asyncio.sleep(0)
    finally:
        driver.remove_log_listener(told.hear)
    if told.heard:
        # A role that may not only has a warning for it.
        raise StoreUnavailable(
            f"PostgreSQL did not clean a table: {told.heard[0]}. The database's role has to own the tables, "
            "or be granted MAINTAIN on them (from PostgreSQL 17)"
        )
    return told
