"""`aside engine`: start and supervise the engine of a profile."""

from argparse import Namespace

from bot.commands.base import Command
from bot.commands.role import run_role
from bot.settings import LoadedSettings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    from bot.roles import run_engine

    return run_role("engine", run_engine, loaded.settings)


ENGINE = Command(name="engine", summary="start and supervise the engine of a profile", run=_run)
