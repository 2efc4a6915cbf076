"""How the settings reach Twilio."""

import logging
from urllib.parse import urlsplit

from adapters.base import Platform
from adapters.twilio.adapter import platform
from adapters.twilio.settings import NAME, TwilioSettings
from bot.additions import Ground
from bot.errors import StartupError
from bot.settings import Settings
from bot.settings.sections import TwilioSection

logger = logging.getLogger(__name__)


def make_twilio(settings: Settings, ground: Ground) -> Platform:
    """Make the platform. Raises `StartupError` for settings that cannot be used safely."""
    section = settings.twilio
    made = platform(twilio_settings(section), ground.records(NAME), ground.clock.now)
    if section.whatsapp_from and not section.whatsapp_policy_acknowledged:
        logger.warning(
            "WhatsApp stays off: read its policy in the README, then set twilio.whatsapp_policy_acknowledged"
        )
    return made


def twilio_settings(section: TwilioSection) -> TwilioSettings:
    """Translate the section. Raises `StartupError`, which names what is missing."""
    tokens = tuple(each.strip() for each in section.auth_tokens.get_secret_value().split(",") if each.strip())
    needed = {
        "api_key": section.api_key,
        "api_secret": section.api_secret.get_secret_value(),
        "auth_tokens": tokens,
        "public_url": section.public_url,
        "whatsapp_from or twilio.sms_from": section.whatsapp_from
        or section.sms_from
        or section.messaging_service,
    }
    if missing := [f"twilio.{name}" for name, value in needed.items() if not value]:
        raise StartupError(f"twilio.account_sid is set, and so must be {', '.join(missing)}")
    if _is_in_clear(section.api_url):
        raise StartupError(
            "twilio.api_url must begin with https://, or the API secret goes over the network in clear"
        )
    return TwilioSettings(
        account_sid=section.account_sid,
        api_key=section.api_key,
        api_secret=section.api_secret.get_secret_value(),
        auth_tokens=tokens,
        public_url=section.public_url,
        whatsapp_from=section.whatsapp_from,
        sms_from=section.sms_from,
        messaging_service=section.messaging_service,
        whatsapp_policy_acknowledged=section.whatsapp_policy_acknowledged,
        whatsapp_template=section.whatsapp_template,
        countries=section.countries,
        whatsapp_per_s=section.whatsapp_per_s,
        sms_per_s=section.sms_per_s,
        api_base=section.api_url,
    )


def _is_in_clear(url: str) -> bool:
    """Tell whether calls to a URL can be read on their way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost")
