"""What the adapters' pages quote of `aside adapters check` is what it says, asked of the strict local platforms."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Platform
from adapters.checking import Finding
from adapters.errors import AdapterError
from adapters.polling_lease import SharedLeases
from adapters.records_memory import MemoryRecordStore
from adapters.telegram.platform import telegram
from adapters.telegram.settings import TelegramSettings
from adapters.twilio.adapter import platform as twilio
from adapters.twilio.settings import TwilioSettings
from bot.commands.adapters import _unasked, report
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.server import serving as serving_telegram
from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.server import ServerSettings
from tests.adapters.twilio_cloud.server import serving as serving_twilio

ROOT = Path(__file__).parents[2]
PUBLIC = "https://bot.example.org"
HOOK = f"{PUBLIC}/hooks/twilio#rc=5&rp=all"
_FINDING = re.compile(r"(ok|warn|FAIL)  ")


def now() -> datetime:
    return datetime.now(UTC)


async def shown(platform: Platform) -> str:
    """Say what the command prints."""
    assert platform.checks is not None
    assert platform.lifetime is not None
    async with platform.lifetime:
        try:
            findings: Sequence[Finding] = await platform.checks.check()
        except AdapterError as exc:
            findings = (_unasked(exc),)
    return report(findings)


@asynccontextmanager
async def bot(*, token: str = "", **rules: bool) -> AsyncIterator[tuple[Platform, Any]]:
    async with serving_telegram() as fake:
        for name, value in rules.items():
            assert hasattr(Rules, name)
            setattr(fake.control.rules, name, value)
        settings = TelegramSettings(
            token=token or fake.token, base_url=fake.base_url, base_file_url=fake.base_file_url
        )
        yield telegram(settings, SharedLeases(lambda: 0.0, lasts_s=60.0).of("telegram"), now), fake


async def as_botfather_makes_it(_: Path) -> str:
    async with bot(inline=False, guests=False) as (platform, _fake):
        return await shown(platform)


async def as_it_should_be(_: Path) -> str:
    async with bot(reads_all=True) as (platform, _fake):
        return await shown(platform)


async def with_another_token(_: Path) -> str:
    async with bot(token="424242:another-token-than-this-bot-has") as (platform, _fake):  # noqa: S106 - guards nothing
        return await shown(platform)


async def account(folder: Path, *, webhook: str = "", **settings: Any) -> str:
    async with serving_twilio(ServerSettings(record=folder / "twilio.db")) as cloud:
        if webhook:
            cloud.webhook(webhook)
        [(key, secret)] = cloud.account.keys.items()
        given: dict[str, Any] = {
            "account_sid": cloud.account.sid,
            "api_key": key,
            "api_secret": secret,
            "auth_tokens": (cloud.account.token,),
            "public_url": PUBLIC,
            "sms_from": SMS_SENDER,
            "whatsapp_from": WHATSAPP_SENDER.removeprefix("whatsapp:"),
            "api_base": cloud.url,
        }
        return await shown(twilio(TwilioSettings(**given | settings), MemoryRecordStore(), now))


async def as_the_console_makes_it(folder: Path) -> str:
    return await account(folder)


async def with_another_auth_token(folder: Path) -> str:
    return await account(
        folder, webhook=HOOK, auth_tokens=("another-token",), whatsapp_policy_acknowledged=True
    )


async def as_the_account_should_be(folder: Path) -> str:
    return await account(folder, webhook=HOOK, whatsapp_policy_acknowledged=True)


QUOTED: dict[str, tuple[Callable[[Path], Awaitable[str]], ...]] = {
    "telegram": (as_botfather_makes_it, as_it_should_be, with_another_token),
    "twilio": (as_the_console_makes_it, with_another_auth_token, as_the_account_should_be),
}


@pytest.mark.parametrize("name", QUOTED)
async def test_what_a_page_quotes_of_the_check_is_what_it_says(name: str, tmp_path: Path) -> None:
    page = (ROOT / "adapters" / name / "README.md").read_text(encoding="utf-8")
    said = []
    for number, situation in enumerate(QUOTED[name]):
        (folder := tmp_path / str(number)).mkdir()
        said.append(await situation(folder))
    assert [one for one in said if one not in page] == []
    lines = {line for one in said for line in one.splitlines()}
    assert [line for line in page.splitlines() if _FINDING.match(line) and line not in lines] == []
