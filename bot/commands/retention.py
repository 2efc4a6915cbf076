"""`aside retention`: what is older than it may become, taking it away now, and keeping less of one chat."""

import asyncio
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from bot.commands.asking import agrees
from bot.commands.base import Command
from bot.errors import SettingsError
from bot.settings import LoadedSettings, Settings

if TYPE_CHECKING:
    # At run time it comes with the database, which `aside --help` does without.
    from bot.turns.journal.retaining import Due

_DEPLOYMENT = "default"


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only tell how much would go now")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--chat", metavar="ID", help="a chat by its id, to keep its words for --days")
    parser.add_argument(
        "--days",
        metavar="N",
        help=f"with --chat: a number of days, 0, or `{_DEPLOYMENT}` for as long as all chats",
    )


def _run(arguments: Namespace, loaded: LoadedSettings) -> int:
    if (arguments.chat is None) != (arguments.days is None):
        raise SettingsError(
            "--chat and --days go together: which chat, and for how many days its words are kept"
        )
    act = _sweep if arguments.chat is None else _set
    return asyncio.run(act(arguments, loaded.settings))


async def _sweep(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap.privacy import open_privacy

    async with open_privacy(settings) as opened:
        due = await opened.retention.due()
        print(_counted(due, settings.retention.days))
        if arguments.dry_run or not due.turns:
            return 0
        if not arguments.yes and not await agrees("Take them away?"):
            print("Nothing was changed.")
            return 1
        print(f"Took away the words of {_turns(await opened.retention.sweep())}.")
    return 0


async def _set(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap.privacy import open_privacy

    days = _days(arguments.days)
    async with open_privacy(settings) as opened:
        if not await opened.retaining.set_days(arguments.chat, days):
            print(f"There is no chat {arguments.chat}.")
            return 1
    deployment = settings.retention.days
    if days is None or days >= deployment:
        print(f"Words of this chat are kept as those of all chats: {_span(deployment)}.")
    else:
        print(f"Words of this chat are kept for {_span(days)}; what is older goes within minutes.")
    return 0


def _days(text: str) -> int | None:
    if text == _DEPLOYMENT:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > len("36500"):
        raise SettingsError(f"--days must be a whole number of days, 0, or {_DEPLOYMENT}, not {text!r}")
    return int(text)


def _counted(due: "Due", days: int) -> str:
    chats = "1 chat" if due.chats == 1 else f"{due.chats} chats"
    return (
        f"{_turns(due.turns)} of {chats} {'is' if due.turns == 1 else 'are'} older than kept ({_span(days)})."
    )


def _turns(number: int) -> str:
    return "1 turn" if number == 1 else f"{number} turns"


def _span(days: int) -> str:
    if not days:
        return "no longer than the running turn"
    return "1 day" if days == 1 else f"{days} days"


RETENTION = Command(
    name="retention",
    summary="tell what is older than it may become, or take it away now",
    run=_run,
    add_arguments=_add_arguments,
)
