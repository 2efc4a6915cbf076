"""The schema's revision: bringing a database to it, and refusing to work on any other."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import migrations
from bot.errors import SchemaMismatch
from bot.store.database import Database

#: Lets one role at a time migrate a PostgreSQL database; SQLite's write lock does it there.
_MIGRATING = text("SELECT pg_advisory_xact_lock(4705279731)")


def expected() -> str:
    """Return the revision this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package holds no migration"
    return head


async def migrate(url: str) -> str:
    """Bring a database to the expected revision, in one transaction; return the revision.

    Safe to repeat and to run twice at once. Raises `SchemaMismatch` for a database newer than the program,
    and `StoreUnavailable`.
    """
    async with Database(url) as database:
        async with database.write() as connection:
            if database.dialect == "postgresql":
                await connection.execute(_MIGRATING)
            await connection.run_sync(_upgrade)
        return expected()


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


def _upgrade(connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and found not in _known():
        raise SchemaMismatch(_sentence(found))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
