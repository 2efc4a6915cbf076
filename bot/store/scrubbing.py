"""Scrubbing: taking what was deleted out of the database's files, too."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.failures import translated
from bot.store.vacuuming import clear, write_anew

logger = logging.getLogger(__name__)

#: How long a checkpoint waits for readers, and how often it is tried again.
_WAIT_S = 5.0
_TRIES = 8
_PAUSE_S = 0.5
#: The tables whose old rows hold the wrapped keys of what was forgotten.
_WITH_KEYS = ("chats", "adapter_stream_keys", "adapter_keys")
#: The tables of what was said and answered.
_WITH_WORDS = ("inbounds", "turns", "reply_parts", "adapter_records", "chats")


async def scrub(database: Database) -> None:
    """Take what was deleted out of the files of a database. Raises `StoreUnavailable` where that cannot be done now.

    SQLite: deleted content is overwritten (`secure_delete`), and the write-ahead log is copied back and cut off.
    PostgreSQL: the tables of chats and of adapters' keys are written anew, as their old rows hold the wrapped keys of
    what was forgotten; that locks them for as long as it takes to copy them. Its write-ahead log keeps them until the
    next key epoch.
    """
    if database.dialect == "sqlite":
        await _cut_off_log(Path(str(database.url.database)))
    else:
        await write_anew(database, _WITH_KEYS)


async def tidy(database: Database) -> None:
    """Take what became too old out of the files of a database. Raises `StoreUnavailable` where that cannot be done now.

    SQLite: as `scrub` does. PostgreSQL: rows that nobody sees any more are taken out of their tables, which holds
    nobody up. What is left of them in a page's free space stays sealed, and goes as the space is used again: to write
    all tables anew would stop everybody for as long as that takes.
    """
    if database.dialect == "sqlite":
        await _cut_off_log(Path(str(database.url.database)))
    else:
        await clear(database, _WITH_WORDS)


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
