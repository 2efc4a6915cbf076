"""The settings by which a deployment reaches a local Telegram or Twilio, and its processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.twilio.settings import MESSAGES_PATH
from tests.adapters.telegram_bot.server import FakeTelegram
from tests.adapters.twilio_cloud.account import SMS_SENDER, WHATSAPP_SENDER
from tests.adapters.twilio_cloud.cloud import Cloud
from tests.adapters.twilio_cloud.harness import PUBLIC
from tests.fixtures.deployment import Deployment


def on_telegram(fake: FakeTelegram) -> dict[str, str]:
    """Say how its bot is reached; updates are asked for."""
    return {"ASIDE_TELEGRAM_TOKEN": fake.token, "ASIDE_TELEGRAM_API_URL": fake.url}


def on_twilio(cloud: Cloud) -> dict[str, str]:
    """Say how its account is reached, and tell it of the webhook."""
    cloud.webhook(PUBLIC + MESSAGES_PATH)
    key, secret = next(iter(cloud.account.keys.items()))
    return {
        "ASIDE_TWILIO_ACCOUNT_SID": cloud.account.sid,
        "ASIDE_TWILIO_API_KEY": key,
        "ASIDE_TWILIO_API_SECRET": secret,
        "ASIDE_TWILIO_AUTH_TOKENS": cloud.account.token,
        "ASIDE_TWILIO_PUBLIC_URL": PUBLIC,
        "ASIDE_TWILIO_WHATSAPP_FROM": WHATSAPP_SENDER.removeprefix("whatsapp:"),
        "ASIDE_TWILIO_WHATSAPP_POLICY_ACKNOWLEDGED": "true",
        "ASIDE_TWILIO_SMS_FROM": SMS_SENDER,
        "ASIDE_TWILIO_API_URL": cloud.url,
    }


@asynccontextmanager
async def running(deployment: Deployment) -> AsyncIterator[None]:
    """Run a gateway and a worker; they have ended before whatever they call ends."""
    migrated = await asyncio.to_thread(deployment.aside, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    try:
        gateway = deployment.start("gateway")
        deployment.start("worker")
        await deployment.until_reachable(gateway)
        yield
    finally:
        await asyncio.to_thread(deployment.end)
