"""The schema's revision: bringing a database to it, and refusing to work on any other."""

import asyncio
import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

import migrations
from bot.errors import SchemaMismatch
from bot.store.database import Database

logger = logging.getLogger(__name__)

#: Lets one role at a time migrate a PostgreSQL database; SQLite's write lock does it there.
_MIGRATING = text("SELECT pg_try_advisory_lock(4705279731)")
_LOOK_AGAIN_S = 0.2


def expected() -> str:
    """Return the revision this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package holds no migration"
    return head


async def migrate(url: str) -> str:
    """Bring a database to the expected revision, however long that takes; return the revision.

    SQLite gets everything in one transaction, PostgreSQL each revision in its own, so that the index of a large
    table is built while roles work. Safe to repeat, also after an interruption, and to run twice at once.
    Raises `SchemaMismatch` for a database newer than the program, and `StoreUnavailable`.
    """
    async with Database(url, lease_s=None) as database:
        if database.dialect == "postgresql":
            await _migrate_postgres(database)
        else:
            async with database.write() as transaction:
                await transaction.run_sync(_refuse_newer)
                await transaction.run_sync(_upgrade)
        return expected()


async def _migrate_postgres(database: Database) -> None:
    async with database.connection() as alone:
        await _wait_to_be_alone(alone)
        async with database.read() as transaction:
            await transaction.run_sync(_refuse_newer)
        async with database.connection() as connection:
            await connection.run_sync(_upgrade)


async def _wait_to_be_alone(connection: AsyncConnection) -> None:
    """Take the lock of whoever migrates; it goes with the connection."""
    # Asked again and again, and outside a transaction: one that stood waiting for the lock would keep the building
    # of an index waiting for itself.
    await connection.execution_options(isolation_level="AUTOCOMMIT")
    told = False
    while not (await connection.execute(_MIGRATING)).scalar_one():
        if not told:
            logger.info("another process migrates the database: waiting for it")
            told = True
        await asyncio.sleep(_LOOK_AGAIN_S)


async def current(database: Database) -> str | None:
    """Return the database's revision, or None for an empty one. Raises `StoreUnavailable`."""
    async with database.read() as connection:
        revision: str | None = await connection.run_sync(_revision)
        return revision


async def require_current(database: Database) -> None:
    """Raise `SchemaMismatch`, with what to do about it, unless the database has the expected revision."""
    found = await current(database)
    if found == expected():
        return
    raise SchemaMismatch(_sentence(found))


def _sentence(found: str | None) -> str:
    if found is None or found in _known():
        has = "has no tables yet" if found is None else f"has revision {found}"
        return f"the database {has}, this program needs {expected()}: run `aside migrate`"
    return f"the database has revision {found}, newer than this program's {expected()}: upgrade Aside"


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and found not in _known():
        raise SchemaMismatch(_sentence(found))


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
