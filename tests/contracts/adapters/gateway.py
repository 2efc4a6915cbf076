"""The gateway's own HTTP side over an adapter's webhooks: what a platform meets when it calls us."""

from collections.abc import Iterable
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from adapters.base import RawRequest, Sink, Webhook
from bot.ingress.gateway import GatewaySettings, make_app
from bot.ingress.health import Probes


async def posted(webhooks: Iterable[Webhook], sink: Sink, request: RawRequest) -> int:
    """Serve the routes for one call, and make it; the status."""
    app = make_app(webhooks, sink, _PROBES, GatewaySettings())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{request.path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, data=request.body, headers=request.headers) as answer,
        ):
            return answer.status
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
