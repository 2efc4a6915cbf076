"""The settings make Telegram a platform, or say what is wrong with them and name no secret."""

import pytest
from pydantic import SecretStr

from adapters.records_memory import MemoryRecordStore
from bot.additions import Ground
from bot.bootstrap.platforms import built_in
from bot.bootstrap.telegram import make_telegram
from bot.engine_view import EngineView
from bot.errors import StartupError
from bot.settings import Settings
from bot.settings.sections import TelegramSection
from tests.fixtures.clocks import ManualClock

TOKEN = "123456789:a-token-that-guards-nothing-at-all"  # noqa: S105 - it guards nothing


def settings_of(**section) -> Settings:
    return Settings(telegram=TelegramSection(**section))


def ground() -> Ground:
    return Ground(clock=ManualClock(), records=lambda _: MemoryRecordStore())


def test_without_a_token_there_is_no_telegram():
    assert "telegram" not in built_in(Settings(), ground(), EngineView())


def test_a_token_makes_a_platform_that_asks_for_updates():
    platform = built_in(settings_of(token=SecretStr(TOKEN)), ground(), EngineView())["telegram"]
    assert platform.webhooks == ()
    assert None not in (platform.source, platform.typing, platform.drafts, platform.media, platform.checks)


def test_a_public_address_makes_a_webhook():
    section = {"public_url": "https://bot.example.org", "secret_token": SecretStr("x" * 32)}
    platform = make_telegram(settings_of(token=SecretStr(TOKEN), **section), ground())
    assert [webhook.path for webhook in platform.webhooks] == ["/hooks/telegram"]


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"token": SecretStr("not-a-token")}, "telegram.token"),
        ({"token": SecretStr(TOKEN), "public_url": "https://bot.example.org"}, "telegram.secret_token"),
    ],
    ids=["token", "secret"],
)
def test_what_cannot_be_used_safely_keeps_the_role_from_starting(section, named):
    with pytest.raises(StartupError, match=named) as refused:
        make_telegram(settings_of(**section), ground())
    assert section["token"].get_secret_value() not in str(refused.value)


def test_no_secret_is_shown():
    section = TelegramSection(token=SecretStr(TOKEN), secret_token=SecretStr("y" * 32))
    assert TOKEN not in repr(section)
    assert "yyyy" not in repr(section)
