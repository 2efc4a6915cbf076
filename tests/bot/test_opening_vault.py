"""The key file at the start: made for a new record, and never for one that another key file seals."""

import pytest

from bot.bootstrap.vault import open_vault
from bot.clock import SystemClock
from bot.errors import StartupError
from bot.settings import Settings
from bot.store.database import Database
from bot.store.schema import migrate
from bot.turns.journal import Journal
from tests.fixtures.turns import acceptance


@pytest.fixture
async def settings(tmp_path) -> Settings:
    """A deployment with an empty record."""
    found = Settings(data_dir=tmp_path)
    found.data.create()
    await migrate(found.database_url)
    return found


async def test_a_key_file_is_made_for_a_record_that_holds_nothing(settings: Settings) -> None:
    async with Database(settings.database_url) as database:
        keys, _ = await open_vault(settings, database)
        assert (await open_vault(settings, database))[0].current == keys.current


async def test_none_is_made_where_the_folder_of_the_old_one_is_missing(settings: Settings) -> None:
    """A wrong file there would be found in the place of the right one, and stand for it."""
    async with Database(settings.database_url) as database:
        keys, vault = await open_vault(settings, database)
        await Journal(database, vault, SystemClock()).accept([acceptance()])
        settings.vault_key_file.unlink()
        with pytest.raises(
            StartupError, match=f"is missing, and the database is sealed with key {keys.current}"
        ):
            await open_vault(settings, database)
    assert not settings.vault_key_file.exists()
