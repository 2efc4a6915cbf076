"""`aside up`: run everything on this machine: gateway, worker, Valkey, SQLite and the embedded engine."""

from argparse import Namespace

from bot.commands.base import Command
from bot.commands.engine_options import ENGINE_SETTINGS, add_engine_options, refuse_two_engines
from bot.commands.role import run_role
from bot.settings import LoadedSettings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    from bot.roles import run_up

    refuse_two_engines(loaded)
    return run_role("up", run_up, loaded.settings)


UP = Command(
    name="up",
    summary="run everything on this machine: gateway, worker, Valkey, SQLite and the embedded engine",
    run=_run,
    add_arguments=add_engine_options,
    settings=ENGINE_SETTINGS,
)
