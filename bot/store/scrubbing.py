"""Scrubbing: taking what was deleted out of the database's files, too."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.failures import translated

logger = logging.getLogger(__name__)

#: How long a checkpoint waits for readers, and how often it is tried again.
_WAIT_S = 5.0
_TRIES = 8
_PAUSE_S = 0.5
#: What a table is locked for at most before it is tried again later: others wait behind the one who waits.
_LOCK_WAIT = "SET lock_timeout = '3s'"


async def scrub(database: Database) -> None:
    """Take what was deleted out of the files of a database. Raises `StoreUnavailable` where that cannot be done now.

    SQLite: deleted content is overwritten (`secure_delete`), and the write-ahead log is copied back and cut off.
    PostgreSQL: the table of chats is written anew, as its old rows hold the wrapped keys of what was forgotten;
    that locks it for as long as it takes to copy it. Its write-ahead log keeps them until the next key epoch.
    """
    if database.dialect == "sqlite":
        await _cut_off_log(Path(str(database.url.database)))
    else:
        await _write_anew(database.url.render_as_string(hide_password=False))


async def _cut_off_log(path: Path) -> None:
    for _ in range(_TRIES):
        with translated():
            if await asyncio.to_thread(_checkpoint, path):
                return
        await asyncio.sleep(_PAUSE_S)
    raise StoreUnavailable("the write-ahead log is being read: what was deleted is still in it")


def _checkpoint(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


async def _write_anew(url: str) -> None:
    # Without the limits for statements: it takes as long as it takes.
    async with Database(url, lease_s=None, connections=1) as database, database.connection() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text(_LOCK_WAIT))
        await alone.execute(text("VACUUM (FULL) chats"))
