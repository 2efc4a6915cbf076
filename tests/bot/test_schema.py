"""The migrations make exactly the tables the program is written for, and a role refuses any other schema."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

import migrations
from bot.errors import SchemaMismatch
from bot.store.database import Database
from bot.store.schema import current, expected, migrate, require_current
from bot.store.tables import Base
from tests.fixtures.databases import PostgresServer
from tests.fixtures.eventually import eventually

_BUILDING = text("SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'")


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


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


async def test_a_migration_has_all_the_time_it_needs(postgres: PostgresServer) -> None:
    names = ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout")
    url = await postgres.migrated("unhurried")
    async with Database(url, lease_s=None) as database, database.read() as connection:
        found = [(await connection.execute(text(f"SHOW {name}"))).scalar_one() for name in names]
    assert found == ["0", "0", "0"]
    await postgres.drop("unhurried")


async def test_several_migrate_postgres_at_once(postgres: PostgresServer) -> None:
    """Who waits stands in nobody's way: an index is built only when every open transaction has ended."""
    url = await postgres.create("at_once")
    assert await asyncio.gather(*(migrate(url) for _ in range(3))) == [expected()] * 3
    await postgres.drop("at_once")


async def test_what_an_interrupted_migration_left_is_built_anew(postgres: PostgresServer) -> None:
    url = await postgres.create("interrupted")
    async with Database(url) as database, database.write() as connection:
        await connection.run_sync(upgrade_to, "0002")
        await connection.execute(text("CREATE INDEX ix_turns_person ON turns (id)"))
    await migrate(url)
    async with Database(url) as database, database.read() as connection:
        which = text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_turns_person'")
        assert "(sender_id, adapter, state)" in (await connection.execute(which)).scalar_one()
    await postgres.drop("interrupted")


async def is_building(database: Database) -> bool:
    async with database.read() as connection:
        return bool((await connection.execute(_BUILDING)).scalar_one())


async def test_an_index_is_built_while_people_write(postgres: PostgresServer) -> None:
    """A transaction that wrote and goes on writing neither fails nor keeps others from writing."""
    url = await postgres.create("working")
    async with Database(url) as database:
        async with database.write() as connection:
            await connection.run_sync(upgrade_to, "0002")
        async with database.write() as connection:
            await connection.execute(text("LOCK TABLE turns IN ROW EXCLUSIVE MODE"))
            migrating = asyncio.create_task(migrate(url))
            await eventually(partial(is_building, database))
            async with database.write() as other:
                await other.execute(text("LOCK TABLE turns IN ROW EXCLUSIVE MODE NOWAIT"))
        assert await migrating == expected()
    await postgres.drop("working")
