"""`aside invite`: the first link into a web chat that is not open to everybody."""

import asyncio
import re
from argparse import Namespace
from pathlib import Path

import pytest

from adapters.webchat.rooms import RoomPreview
from bot.bootstrap import open_house
from bot.commands.invite import INVITE
from bot.errors import SettingsError
from bot.settings import LoadedSettings, Settings
from bot.settings.sections import WebchatSection
from bot.store.schema import migrate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data directory with a database, and a closed web chat behind a proxy."""
    section = WebchatSection(public_url="https://chat.example.org/", behind_proxy=True)
    found = Settings(data_dir=tmp_path, webchat=section)
    found.data.create()
    asyncio.run(migrate(found.database_url))
    return found


def invite(settings: Settings, **options: object) -> int:
    given = {"title": "Everybody", "uses": 1, "hours": 24.0} | options
    return INVITE.run(Namespace(**given), LoadedSettings(settings=settings, origins={}))


async def preview(settings: Settings, code: str) -> RoomPreview:
    async with open_house(settings) as house:
        return await house.look(code)


def test_the_link_leads_into_a_group(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert invite(settings, title="Ward 7") == 0
    found = re.fullmatch(r"https://chat\.example\.org/join/([\w-]+)\n", capsys.readouterr().out)
    assert found
    assert asyncio.run(preview(settings, found[1])).title == "Ward 7"


def test_a_title_that_nobody_could_read_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError):
        invite(settings, title="\u202e")


def test_a_web_chat_that_is_off_invites_nobody(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, webchat=WebchatSection(enabled=False))
    with pytest.raises(SettingsError, match=r"webchat\.enabled"):
        invite(settings)
