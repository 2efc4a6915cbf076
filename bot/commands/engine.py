"""`aside engine`: start and supervise the engine of a profile, or print how it would be started."""

import os
import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence

from bot.commands.base import Command
from bot.commands.engine_options import ENGINE_SETTINGS, add_engine_options
from bot.commands.role import run_role
from bot.settings import LoadedSettings


def _add_arguments(parser: ArgumentParser) -> None:
    add_engine_options(parser)
    parser.add_argument(
        "--print",
        action="store_true",
        dest="only_print",
        help="print the exact environment and command, fit for a shell, and start nothing",
    )


def _run(args: Namespace, loaded: LoadedSettings) -> int:
    if args.only_print:
        return _print(loaded)
    from bot.roles import run_engine

    return run_role("engine", run_engine, loaded.settings)


def _print(loaded: LoadedSettings) -> int:
    from bot.launching import plan_launch

    launch = plan_launch(loaded.settings)
    print(for_shell(launch.environment(os.environ), launch.argv()))
    return 0


def for_shell(environment: Mapping[str, str], argv: Sequence[str]) -> str:
    """Write a command with its whole environment so that a shell runs exactly that; an argument a line."""
    variables = [shlex.quote(f"{name}={value}") for name, value in sorted(environment.items())]
    return " \\\n  ".join(["env -i", *variables, *_arguments(argv)])


def _arguments(argv: Sequence[str]) -> Iterator[str]:
    """Put every argument beside its value."""
    line: list[str] = []
    for word in argv:
        if word.startswith("--") and line:
            yield shlex.join(line)
            line = []
        line.append(word)
    yield shlex.join(line)


ENGINE = Command(
    name="engine",
    summary="start and supervise the engine of a profile",
    run=_run,
    add_arguments=_add_arguments,
    settings=ENGINE_SETTINGS,
)
