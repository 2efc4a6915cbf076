"""How the settings reach Telegram."""

from adapters.base import Platform
from adapters.errors import AdapterError
from adapters.telegram.platform import telegram
from adapters.telegram.settings import NAME, TelegramSettings
from bot.additions import Ground
from bot.errors import StartupError
from bot.settings import Settings


def make_telegram(settings: Settings, ground: Ground) -> Platform:
    """Make the platform. Raises `StartupError` for settings that cannot be used safely."""
    section = settings.telegram
    try:
        return telegram(
            TelegramSettings(
                token=section.token.get_secret_value(),
                assistant_name=settings.persona.name,
                base_url=f"{section.api_url}/bot",
                base_file_url=f"{section.api_url}/file/bot",
                public_url=section.public_url,
                secret_token=section.secret_token.get_secret_value(),
                drafts=section.drafts,
                inline=section.inline,
                guest=section.guest,
            ),
            ground.lease(NAME),
            ground.clock.now,
            monotonic=ground.clock.monotonic,
        )
    except AdapterError as exc:
        raise StartupError(str(exc)) from exc
