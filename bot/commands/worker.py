"""`aside worker`: answer turns; start as many as the engine can feed."""

from argparse import Namespace

from bot.commands.base import Command
from bot.commands.role import run_role
from bot.settings import LoadedSettings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    from bot.roles import run_worker

    return run_role("worker", run_worker, loaded.settings)


WORKER = Command(name="worker", summary="answer turns; start as many as the engine can feed", run=_run)
