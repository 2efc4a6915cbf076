"""`aside gateway`: receive messages, and answer health and metrics requests."""

from argparse import Namespace

from bot.commands.base import Command
from bot.commands.role import run_role
from bot.settings import LoadedSettings


def _run(_: Namespace, loaded: LoadedSettings) -> int:
    from bot.roles import run_gateway

    return run_role("gateway", run_gateway, loaded.settings)


GATEWAY = Command(
    name="gateway", summary="receive messages, and answer health and metrics requests", run=_run
)
