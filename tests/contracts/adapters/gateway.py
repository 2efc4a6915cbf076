"""The gateway's own HTTP side over an adapter's webhooks: what a platform meets when it calls us."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from adapters.base import RawRequest, Sink, Webhook
from bot.ingress.gateway import GatewaySettings, make_app
from bot.ingress.health import Probes

Post = Callable[[RawRequest], Awaitable[int]]


@contextlib.asynccontextmanager
async def posting(webhooks: Iterable[Webhook], sink: Sink) -> AsyncIterator[Post]:
    """Serve the routes; give what calls one of them and tells the status."""
    runner = web.AppRunner(
        make_app(webhooks, sink, _PROBES, GatewaySettings()), access_log=None, shutdown_timeout=0.1
    )
    await runner.setup()
    async with aiohttp.ClientSession() as session:
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"

            async def post(request: RawRequest) -> int:
                asked = session.request(
                    request.method, url + request.path, data=request.body, headers=request.headers
                )
                async with asked as answer:
                    return answer.status

            yield post
        finally:
            await runner.cleanup()


async def _unasked() -> Any:
    raise AssertionError("no platform asks how the deployment fares")


_PROBES = Probes(
    database=_unasked,
    redis=_unasked,
    engine=_unasked,
    turns=_unasked,
    adapters=_unasked,
    metrics=CollectorRegistry(),
)
