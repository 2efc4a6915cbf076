"""The migrations make exactly the tables the program is written for, and a role refuses any other schema."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.errors import SchemaMismatch
from bot.store.database import Database
from bot.store.schema import current, expected, migrate, require_current
from bot.store.tables import Base


async def test_autogenerate_finds_nothing_to_add(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_migrated_database_is_accepted(database: Database) -> None:
    await require_current(database)
    assert await current(database) == expected()


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    assert await migrate(database_url) == expected()


async def test_an_empty_database_names_the_command(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'empty.db'}") as database:
        with pytest.raises(SchemaMismatch, match=r"no tables yet.* run `aside migrate`"):
            await require_current(database)


async def test_a_newer_schema_asks_for_an_upgrade(database: Database, database_url: str) -> None:
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match=rf"revision 9999, newer than this program's {expected()}"):
        await require_current(database)
    with pytest.raises(SchemaMismatch, match="upgrade Aside"):
        await migrate(database_url)
