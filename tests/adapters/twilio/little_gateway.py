"""A gateway in little, and the core's place behind it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from adapters.base import Outcome, RawRequest, Receipt, Webhook
from adapters.errors import MalformedEvent


class HearingSink:
    """The core's place: keeps what is handed over, and fails when told to."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.deliveries: list[Any] = []
        self.changes: list[Any] = []
        self.fails = False

    async def accept(self, event: Any) -> Receipt:
        return self._heard(self.events, event, Outcome.ACCEPTED)

    async def delivered(self, event: Any) -> Receipt:
        return self._heard(self.deliveries, event, Outcome.DONE)

    async def membership(self, event: Any) -> Receipt:
        return self._heard(self.changes, event, Outcome.DONE)

    def _heard(self, into: list[Any], event: Any, outcome: Outcome) -> Receipt:
        if self.fails:
            raise OSError("no commit")
        into.append(event)
        return Receipt(outcome=outcome)


@contextlib.asynccontextmanager
async def gateway(webhooks: tuple[Webhook, ...], sink: Any) -> AsyncIterator[str]:
    """Serve webhooks as the gateway does; give where."""
    app = web.Application()
    for webhook in webhooks:
        app.router.add_route("*", webhook.path, _handler(webhook, sink))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _handler(webhook: Webhook, sink: Any) -> Any:
    async def handle(request: web.Request) -> web.Response:
        raw = RawRequest(
            method=request.method, path=request.path_qs, headers=request.headers, body=await request.read()
        )
        try:
            answer = await webhook.ingest(raw, sink)
        except MalformedEvent:
            return web.Response(status=400)
        except OSError:
            return web.Response(status=503)
        return web.Response(
            status=answer.status, body=answer.body or None, headers=dict(answer.headers) or None
        )

    return handle
