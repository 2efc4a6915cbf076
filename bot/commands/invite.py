"""`aside invite`: a link by which the first people come into a web chat that is not open to everybody."""

import asyncio
from argparse import ArgumentParser, Namespace

from bot.commands.base import Command
from bot.errors import SettingsError
from bot.settings import LoadedSettings, Settings


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--title", default="Everybody", help="the name of the group that is made for them")
    parser.add_argument("--uses", type=int, default=1, help="how many people may use the link (default: 1)")
    parser.add_argument("--hours", type=float, default=24.0, help="how long it is good for (default: 24)")


def _run(arguments: Namespace, loaded: LoadedSettings) -> int:
    print(asyncio.run(_link(loaded.settings, arguments.title, arguments.uses, arguments.hours)))
    return 0


async def _link(settings: Settings, title: str, uses: int, hours: float) -> str:
    from adapters.webchat.refusals import Refused
    from bot.bootstrap import open_house

    if not settings.webchat.enabled:
        raise SettingsError("the web chat is switched off: set webchat.enabled to true")
    async with open_house(settings) as house:
        try:
            invitation = await house.host(title, uses, hours)
        except Refused as exc:
            raise SettingsError(str(exc)) from exc
    section = settings.webchat
    base = section.public_url.rstrip("/") or f"http://{section.host}:{section.port}"
    return f"{base}/join/{invitation.code}"


INVITE = Command(
    name="invite",
    summary="make a group in the web chat and print a link that lets people in",
    run=_run,
    add_arguments=_add_arguments,
)
