"""The HTTP side: the page and its files, coming in, going, and the one stream of each tab."""

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from adapters.records import RecordsUnavailable
from adapters.webchat.assets import Assets
from adapters.webchat.close_codes import CloseCode
from adapters.webchat.deed import Caller
from adapters.webchat.desk import Desk
from adapters.webchat.frames import MAX_FRAME_BYTES, Problem
from adapters.webchat.guests import Guests
from adapters.webchat.limits import Kind, SlowDown
from adapters.webchat.people import Profile
from adapters.webchat.pump import Pump
from adapters.webchat.refusals import Refused
from adapters.webchat.security import BARE_POLICY, COMMON_HEADERS, PAGE_HEADERS, Gate, page_policy
from adapters.webchat.session import Session
from adapters.webchat.shell import Shell
from adapters.webchat.sockets import Sockets
from adapters.webchat.views import me

logger = logging.getLogger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: The largest body of a POST, in bytes.
MAX_BODY_BYTES = 16 * 1024
#: Tabs and devices of one person.
_MOST_CONNECTIONS = 20

_REFUSALS = (Refused, SlowDown, RecordsUnavailable)
_BUSY = "Aside cannot do this just now. Please try again in a moment."
_SIGN_ON = "Your organisation's sign-on did not say who you are. Please sign in again."
_TOO_MANY = "You have this page open very often. Please close a tab."


class Server:
    """Answers requests; everything lasting is the house's."""

    def __init__(self, desk: Desk, guests: Guests, assets: Assets, sockets: Sockets) -> None:
        self._desk = desk
        self._guests = guests
        self._assets = assets
        self._sockets = sockets
        self._gate = Gate(desk.settings)
        self._shell = Shell(assets, desk.settings.assistant_names[0])

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[self._guard], client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/", self._page)
        app.router.add_get("/join/{code}", self._page)
        app.router.add_get("/static/{version}/{name:.+}", self._file)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/ws", self._stream)
        app.router.add_post("/enter", self._enter)
        app.router.add_post("/forget-me", self._forget_me)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Turn away what our own page would not send, and say on every answer what it may be used for."""
        try:
            response = await self._checked(request, handler)
        except web.HTTPException as exc:
            response = _error(
                exc.status, "not_found" if exc.status == HTTPStatus.NOT_FOUND else "refused", exc.reason
            )
        if not response.prepared:
            for name, value in COMMON_HEADERS.items():
                response.headers.setdefault(name, value)
            response.headers.setdefault("Content-Security-Policy", BARE_POLICY)
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _checked(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._gate.knows_host(request.headers.get("Host", "")):
            return _error(HTTPStatus.MISDIRECTED_REQUEST, "host", "This server is not known under that name.")
        if (request.method == "POST" or request.path == "/ws") and not self._gate.knows_origin(
            request.headers
        ):
            return _error(HTTPStatus.FORBIDDEN, "origin", "This can only be asked by Aside's own page.")
        try:
            return await handler(request)
        except _REFUSALS as exc:
            return _refused(exc)

    async def _page(self, request: web.Request) -> web.Response:
        self._desk.limits.take(Kind.LOOK, self._address(request))
        code, refusal, preview = request.match_info.get("code", ""), "", None
        if code:
            try:
                seen = await self._desk.house.look(code)
                preview = {"title": seen.title, "members": seen.members}
            except Refused as exc:
                refusal = exc.text
        guest, nonce = await self._guests.of(request), secrets.token_urlsafe(18)
        page = self._shell.page(
            nonce,
            guest,
            may_enter=self._may_enter(preview is not None),
            code=code,
            preview=preview,
            refusal=refusal,
        )
        headers = {**PAGE_HEADERS, "Content-Security-Policy": page_policy(nonce)}
        response = web.Response(text=page, content_type="text/html", headers=headers)
        response.enable_compression()
        if guest is not None and not self._guests.by_sign_on:
            self._guests.remember(response, guest.id)  # its year begins anew
        return response

    def _may_enter(self, is_invited: bool) -> bool:  # noqa: FBT001 - the one fact there is
        return not self._guests.by_sign_on and (is_invited or self._desk.settings.anyone_may_enter)

    async def _file(self, request: web.Request) -> web.Response:
        return self._assets.answer(request)

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _enter(self, request: web.Request) -> web.Response:
        if self._guests.by_sign_on:
            return _error(HTTPStatus.FORBIDDEN, "forbidden", _SIGN_ON)
        self._desk.limits.take(Kind.ENTER, self._address(request))
        body = await _json(request)
        known = await self._guests.of(request)
        profile = await self._desk.house.enter(
            known.id if known else None,
            _text(body, "name"),
            _text(body, "colour"),
            _text(body, "code") or None,
        )
        for membership in await self._desk.house.rooms_of(profile.id):
            await self._desk.seating.changed(membership.room)
        response = web.json_response({"me": me(profile)})
        self._guests.remember(response, profile.id)
        return response

    async def _forget_me(self, request: web.Request) -> web.Response:
        profile = await self._guests.of(request)
        for pump in list(self._desk.hub.people.get(profile.id, ())) if profile else ():
            pump.close(CloseCode.NOT_IN, "you went out")
        response = web.json_response({})
        self._guests.forget(response)
        return response

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        profile = await self._guests.of(request)
        if profile:
            self._desk.limits.take(Kind.CONNECT, profile.id)
        socket = web.WebSocketResponse(
            heartbeat=self._sockets.heartbeat_s, compress=False, max_msg_size=MAX_FRAME_BYTES, autoclose=True
        )
        for name, value in COMMON_HEADERS.items():
            socket.headers[name] = value
        await socket.prepare(request)
        if profile is None:
            await socket.close(code=CloseCode.NOT_IN, message=b"come in first")
        elif len(self._desk.hub.people.get(profile.id, ())) >= _MOST_CONNECTIONS:
            await socket.close(code=CloseCode.TOO_MANY, message=_TOO_MANY.encode())
        else:
            await self._serve(request, socket, profile)
        return socket

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse, profile: Profile) -> None:
        transport = request.transport
        if transport is None:
            return
        with self._sockets.kept(socket, transport) as close:
            pump = Pump(profile.id, transport, close)
            caller = Caller(person=profile.id, pump=pump, origin=self._origin(request))
            await Session(self._desk, caller, socket).serve()

    def _origin(self, request: web.Request) -> str:
        return self._desk.settings.public_url.rstrip("/") or f"http://{request.host}"

    def _address(self, request: web.Request) -> str:
        """Tell whose request it is; behind a proxy by the address that the proxy itself saw."""
        if self._desk.settings.behind_proxy and (seen := request.headers.get("X-Forwarded-For", "")):
            return seen.rpartition(",")[2].strip()
        return request.remote or ""


def _refused(problem: Exception) -> web.Response:
    match problem:
        case Refused():
            return _error(HTTPStatus.UNPROCESSABLE_ENTITY, problem.code.value, problem.text)
        case SlowDown():
            status = HTTPStatus.TOO_MANY_REQUESTS
            return _error(status, Problem.SLOW_DOWN, _BUSY, retry_s=problem.retry_s)
        case _:
            return _error(HTTPStatus.SERVICE_UNAVAILABLE, Problem.TRY_AGAIN, _BUSY, retry_s=2.0)


async def _json(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(10):
            body = json.loads(await request.read())
    except (ValueError, RecursionError, TimeoutError) as exc:
        raise web.HTTPBadRequest from exc
    if not isinstance(body, dict):
        raise web.HTTPBadRequest
    return body


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise web.HTTPBadRequest
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _error(status: int, code: str, text: str, *, retry_s: float | None = None) -> web.Response:
    error: dict[str, Any] = {"code": code, "text": text}
    headers = {}
    if retry_s is not None:
        error["retry_s"] = round(retry_s, 1)
        headers["Retry-After"] = str(max(1, round(retry_s)))
    return web.json_response({"error": error}, status=status, headers=headers)
