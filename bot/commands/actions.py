"""Subcommands with actions of their own, such as `aside keys rotate`."""

import asyncio
from argparse import SUPPRESS, ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.settings import LoadedSettings, Settings

#: Does what is asked, and returns the exit status; raises `AsideError` for what a person must know.
Action = Callable[[Namespace, Settings], Awaitable[int]]


def add_action(
    actions: "_SubParsersAction[ArgumentParser]", name: str, run: Action, summary: str
) -> ArgumentParser:
    """Declare one action; returns its parser, for options of its own."""
    parser = actions.add_parser(name, help=summary, description=summary)
    parser.set_defaults(action=run)
    # They may stand behind the action, too.
    parser.add_argument("--data-dir", metavar="DIR", default=SUPPRESS, help=SUPPRESS)
    parser.add_argument("--config", metavar="FILE", type=Path, default=SUPPRESS, help=SUPPRESS)
    return parser


def run_action(arguments: Namespace, loaded: LoadedSettings) -> int:
    """Do what the action that was named does."""
    return asyncio.run(_done(arguments.action, arguments, loaded.settings))


async def _done(action: Action, arguments: Namespace, settings: Settings) -> int:
    return await action(arguments, settings)
