"""A running cloud, a caller of its API, and a gateway in little, for the tests of the cloud itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.adapters.twilio_cloud.cloud import Cloud
from tests.adapters.twilio_cloud.harness import PUBLIC, Caller, Gateway
from tests.adapters.twilio_cloud.server import ServerSettings, serving


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with serving(ServerSettings(record=tmp_path / "twilio.db")) as running:
        yield running


@pytest.fixture
async def caller(cloud: Cloud) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        yield Caller(cloud, session)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    taken = Gateway()
    app = web.Application()
    app.router.add_post("/{path:.*}", taken.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taken.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield taken
    await runner.cleanup()


@pytest.fixture
def told(cloud: Cloud, gateway: Gateway) -> Cloud:
    """A cloud whose webhooks lead to the gateway behind a public name."""
    cloud.proxy(PUBLIC, [gateway.url])
    cloud.webhook(f"{PUBLIC}/hooks/twilio?a=1&b=")
    return cloud
