"""`aside forget`: a chat, or a person, out of everything that is kept."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.commands.asking import agrees
from bot.commands.base import Command
from bot.errors import AsideError, SettingsError
from bot.settings import LoadedSettings, Settings

if TYPE_CHECKING:
    # At run time they come with the database, which `aside --help` does without.
    from bot.bootstrap.privacy import Opened
    from bot.turns.model import Chat


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--chat", metavar="ID", help="everything of a chat, by its id")
    parser.add_argument(
        "--person",
        metavar="ID",
        help="everything of a person in all chats, by the platform's id; needs --adapter",
    )
    parser.add_argument("--adapter", metavar="NAME", help="the platform of --person, such as webchat")
    parser.add_argument(
        "--account", metavar="ID", default="main", help="which of our accounts there (default: main)"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _run(arguments: Namespace, loaded: LoadedSettings) -> int:
    if (arguments.chat is None) == (arguments.person is None):
        raise SettingsError("say what to forget: --chat ID, or --person ID with --adapter NAME")
    if arguments.person is not None and arguments.adapter is None:
        raise SettingsError("a person's id belongs to a platform: add --adapter NAME")
    return asyncio.run(_forget(arguments, loaded.settings))


async def _forget(arguments: Namespace, settings: Settings) -> int:
    from bot.bootstrap.privacy import open_privacy

    async with open_privacy(settings) as opened:
        chats = await _meant(opened, arguments)
        if not chats:
            print("There is nothing of that here.")
            return 1
        turns = sum([await opened.forgetting.count(chat.id, arguments.person) for chat in chats])
        print(f"{_counted(turns, 'turn')} in {_counted(len(chats), 'chat')}")
        if not arguments.yes and not await agrees("Forget all of it? It cannot be undone."):
            print("Nothing was changed.")
            return 1
        for chat in chats:
            if arguments.person is None:
                await opened.forgetter.chat(chat.id)
            else:
                await opened.forgetter.person(chat, arguments.person)
        print("Forgotten: nothing of it can be read in the record any more.", flush=True)
        return await _clean(opened, settings)


async def _meant(opened: "Opened", arguments: Namespace) -> Sequence["Chat"]:
    if arguments.person is not None:
        return await opened.forgetting.chats_of(arguments.adapter, arguments.account, arguments.person)
    chat = await opened.forgetting.chat(arguments.chat)
    return [chat] if chat else []


async def _clean(opened: "Opened", settings: Settings) -> int:
    try:
        await opened.forgetter.clean()
    except AsideError as exc:
        print(f"Copies are left in a cache or a file: {exc}. Run this again while Aside runs.")
        return 1
    hours = settings.vault.epoch_hours
    when = f"within {hours} hours" if hours else "at the next `aside keys rotate`"
    print(f"Caches and files are clean. What backups hold of it becomes unreadable {when}.")
    return 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


FORGET = Command(
    name="forget",
    summary="forget a chat, or everything of a person",
    run=_run,
    add_arguments=_add_arguments,
)
