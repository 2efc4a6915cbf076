"""A deployment on the session's one vLLM, and the same with Telegram or Twilio in front of it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.server import ServerSettings as TelegramServer
from tests.adapters.telegram_bot.server import strictly_serving
from tests.adapters.twilio_cloud.cloud import Cloud
from tests.adapters.twilio_cloud.server import ServerSettings as TwilioServer
from tests.adapters.twilio_cloud.server import serving
from tests.e2e.vendors import on_telegram, on_twilio, running
from tests.fixtures.deployment import Deployment, free_port
from tests.fixtures.valkey import RealServer
from tests.fixtures.vllm import RealVllm


@pytest.fixture
def reply_tokens() -> int:
    """Return how long replies may be: short, for what only has to be answered."""
    return 96


@pytest.fixture
async def deployment(vllm: RealVllm, reply_tokens: int) -> AsyncIterator[Deployment]:
    """A data directory with a short path, on the session's vLLM."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        opened = Deployment(
            data_dir=Path(folder) / "var",
            env={
                "ASIDE_ENGINE_URL": vllm.url,
                "ASIDE_ENGINE_MAX_REPLY_TOKENS": str(reply_tokens),
                "ASIDE_ENGINE_TEMPERATURE": "0",
                "ASIDE_WORKER_LEASE_S": "3",
                "ASIDE_GATEWAY_PORT": str(free_port()),
            },
        )
        try:
            yield opened
        finally:
            await asyncio.to_thread(opened.end)


@pytest.fixture
async def telegram(deployment: Deployment, own_valkey: RealServer) -> AsyncIterator[Control]:
    """A gateway and a worker on a Telegram whose bot reads everything; at the end it was asked nothing wrong."""
    async with strictly_serving(TelegramServer(rules=Rules(reads_all=True))) as fake:
        deployment.env |= on_telegram(fake) | {"ASIDE_REDIS_URL": own_valkey.url}
        async with running(deployment):
            yield fake.control


@pytest.fixture
async def twilio(deployment: Deployment, own_valkey: RealServer, tmp_path: Path) -> AsyncIterator[Cloud]:
    """A gateway and a worker on a Twilio whose webhooks reach them; at the end it was asked nothing wrong."""
    async with serving(TwilioServer(record=tmp_path / "twilio.db")) as cloud:
        deployment.env |= on_twilio(cloud) | {"ASIDE_REDIS_URL": own_valkey.url}
        async with running(deployment):
            cloud.proxy(deployment.env["ASIDE_TWILIO_PUBLIC_URL"], [deployment.gateway_url])
            yield cloud
        assert cloud.violations() == []
