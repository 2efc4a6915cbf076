"""The `aside` command."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from bot.commands.base import Command
from bot.commands.registry import COMMANDS
from bot.commands.role import INTERRUPTED
from bot.errors import AsideError, SettingsError
from bot.settings import load_settings

FAILED = 1
WRONG_SETTINGS = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return 0, 1 for what failed, or 2 for wrong settings or options."""
    args = _parser().parse_args(argv)
    try:
        return _run(args)
    except SettingsError as exc:
        _complain(exc)
        return WRONG_SETTINGS
    except AsideError as exc:
        _complain(exc)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more while it closes stdout.
        sys.stdout = None
        return FAILED


def _run(args: Namespace) -> int:
    command: Command = args.subcommand
    given = {"data_dir": "data_dir", **command.settings}
    options = {
        setting: getattr(args, name) for name, setting in given.items() if getattr(args, name) is not None
    }
    return command.run(args, load_settings(options, config=args.config))


def _complain(error: AsideError) -> None:
    lines = str(error).splitlines()
    if len(lines) == 1:
        print(f"aside: {lines[0]}", file=sys.stderr)
    else:
        print("\n  ".join([f"aside: {len(lines)} things are wrong:", *lines]), file=sys.stderr)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="aside", description="The assistant inside the chats people already use.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            parents=[_common_options()],
            # The terminal's client can be run by itself, and declares --data-dir again.
            conflict_handler="resolve",
        )
        sub.set_defaults(subcommand=command)
        command.add_arguments(sub)
    return parser


def _common_options() -> ArgumentParser:
    common = ArgumentParser(add_help=False)
    group = common.add_argument_group("where things are")
    group.add_argument("--data-dir", metavar="DIR", help="where everything is kept (default: var)")
    group.add_argument("--config", metavar="FILE", type=Path, help="the settings file (default: aside.toml)")
    return common


if __name__ == "__main__":
    sys.exit(main())
