"""`aside migrate`: bring the database to the schema this program was written for."""

import asyncio
from argparse import Namespace

from bot.commands.base import Command
from bot.settings import LoadedSettings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    from bot.store.schema import migrate

    loaded.settings.data.create()
    revision = asyncio.run(migrate(loaded.settings.database_url))
    print(f"The database has this program's schema, revision {revision}.")
    return 0


MIGRATE = Command(
    name="migrate", summary="bring the database to this program's schema; safe to repeat", run=_run
)
