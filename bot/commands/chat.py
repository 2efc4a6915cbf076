"""`aside chat`: talk from this terminal to the assistant that runs on this machine."""

from argparse import ArgumentParser, Namespace

from bot.commands.base import Command
from bot.settings import LoadedSettings


def _add_arguments(parser: ArgumentParser) -> None:
    from adapters.terminal.client.command import add_arguments

    add_arguments(parser)


def _run(args: Namespace, loaded: LoadedSettings) -> int:
    from adapters.terminal.client.command import run

    args.socket = args.socket or loaded.settings.terminal_socket
    return run(args)


CHAT = Command(
    name="chat",
    summary="talk to the assistant from this terminal, alone or with others",
    run=_run,
    add_arguments=_add_arguments,
)
