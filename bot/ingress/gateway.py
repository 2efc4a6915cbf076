"""The gateway's HTTP side: the adapters' webhooks and the health routes, on loopback or behind a proxy.

A webhook's body is read up to a cap and handed to its adapter as bytes; nothing is parsed before the adapter
verified its signature. What could not be committed is not acknowledged: 503, so the platform delivers again.
"""

import logging
import secrets
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from adapters.base import RawRequest, Sink, Webhook
from adapters.errors import MalformedEvent
from bot.errors import StartupError, StoreUnavailable
from bot.ingress.health import Health, Probes
from bot.ingress.listening import listen
from bot.ingress.time_limit import TimeLimit

logger = logging.getLogger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """Where the gateway listens, and how much one request may be and take."""

    host: str = "127.0.0.1"
    port: int = 8470
    #: The operator's word that only a proxy, or a port published on loopback, reaches `host`.
    behind_proxy: bool = False
    max_body_bytes: int = 1024 * 1024
    #: Seconds one webhook may take; platforms give up, and deliver again, after 5 to 20.
    webhook_s: float = 10.0
    #: Seconds a webhook in progress is given when the gateway stops.
    shutdown_s: float = 10.0


def make_app(
    webhooks: Iterable[Webhook], sink: Sink, probes: Probes, settings: GatewaySettings
) -> web.Application:
    """Build the application. Raises `StartupError` when two routes are the same."""
    app = web.Application(client_max_size=settings.max_body_bytes)
    app.add_routes(Health(probes).routes())
    taken = {resource.canonical for resource in app.router.resources()}
    for webhook in webhooks:
        if webhook.path in taken:
            raise StartupError(f"two routes of the gateway are {webhook.path}: give one adapter another path")
        taken.add(webhook.path)
        app.router.add_route("*", webhook.path, _webhook_handler(webhook, sink, settings))
    return app


def _webhook_handler(webhook: Webhook, sink: Sink, settings: GatewaySettings) -> _Handler:
    limit = TimeLimit(settings.webhook_s)

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            with limit:
                return await _ingest(webhook, sink, request)
        except TimeoutError:
            logger.warning("webhook %s took longer than %g s", webhook.path, settings.webhook_s)
            return web.Response(status=503)
        except StoreUnavailable:
            return web.Response(status=503, headers={"Retry-After": "5"})
        except MalformedEvent as exc:
            logger.warning("webhook %s sent a malformed event of %d bytes", webhook.path, len(exc.raw))
            return web.Response(status=400)
        except web.HTTPException:
            raise
        except Exception as exc:  # noqa: BLE001 - the loop's top: whatever an adapter raises becomes a 500
            return _internal_error(webhook, exc)

    return handle


def _internal_error(webhook: Webhook, exc: Exception) -> web.Response:
    """Log where it broke, under a reference the answer carries; the error's own text may quote content."""
    reference = secrets.token_hex(6)
    frame = traceback.extract_tb(exc.__traceback__)[-1]
    logger.error(
        "webhook %s failed, reference %s: %s in %s, %s line %s",
        *(webhook.path, reference, type(exc).__name__, frame.name, frame.filename, frame.lineno),
    )
    return web.json_response({"error": "internal", "reference": reference}, status=500)


async def _ingest(webhook: Webhook, sink: Sink, request: web.Request) -> web.Response:
    body = await request.read()
    raw = RawRequest(method=request.method, path=request.path_qs, headers=request.headers, body=body)
    answer = await webhook.ingest(raw, sink)
    return web.Response(status=answer.status, body=answer.body or None, headers=answer.headers or None)


class Gateway:
    """A running gateway: listens while the context is open; leaving lets requests in progress finish."""

    def __init__(self, app: web.Application, settings: GatewaySettings) -> None:
        """Keep what to serve and where."""
        self._settings = settings
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.shutdown_s)
        self._listener: socket.socket | None = None

    @property
    def port(self) -> int:
        """The port it listens on, once entered."""
        if self._listener is None:
            raise RuntimeError("the gateway is not listening")
        return int(self._listener.getsockname()[1])

    async def __aenter__(self) -> Self:
        """Listen and serve. Raises `StartupError`, which names a taken port and its holder."""
        self._listener = listen(
            self._settings.host, self._settings.port, behind_proxy=self._settings.behind_proxy
        )
        try:
            await self._runner.setup()
            await web.SockSite(self._runner, self._listener).start()
        except BaseException:
            await self._runner.cleanup()
            self._listener.close()
            raise
        logger.info("gateway listens on %s port %d", self._settings.host, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, wait for requests in progress, close."""
        await self._runner.cleanup()
