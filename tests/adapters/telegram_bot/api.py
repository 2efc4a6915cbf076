"""The Bot API over HTTP: https://core.telegram.org/bots/api#making-requests."""

import asyncio
import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tests.adapters.telegram_bot.faults import Fault, Faults, Rule
from tests.adapters.telegram_bot.files import Files
from tests.adapters.telegram_bot.journal import Call, Journal
from tests.adapters.telegram_bot.marks import Marks
from tests.adapters.telegram_bot.rates import Rates
from tests.adapters.telegram_bot.refusals import Refused, bad_request, misuse, too_many
from tests.adapters.telegram_bot.requests import params_of
from tests.adapters.telegram_bot.schema import METHODS
from tests.adapters.telegram_bot.updates import Updates
from tests.adapters.telegram_bot.values import Unfit, checked
from tests.adapters.telegram_bot.world import World
from tests.platforms.news import News

Params = dict[str, Any]
Act = Callable[[], web.Response]

_CUT: Final = (Fault.LOST_REQUEST, Fault.LOST_RESPONSE)
#: What is done although the caller never learns of it.
_DONE: Final = (Fault.LOST_RESPONSE, Fault.SILENT, Fault.BAD_GATEWAY_AFTER)
_PROXY: Final = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body>\r\n</html>\r\n"


class BotApi:
    """The routes that bots call."""

    def __init__(
        self,
        world: World,
        methods: Mapping[str, Callable[[Params], Any]],
        updates: Updates,
        files: Files,
        *,
        faults: Faults,
        rates: Rates,
        journal: Journal,
        news: News,
    ) -> None:
        self._world = world
        self._methods = {**methods, "getFile": files.get}
        self._updates = updates
        self._files = files
        self._faults = faults
        self._rates = rates
        self._journal = journal
        self._news = news

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.route("*", "/bot{token}/{method}", self._call),
            web.get("/file/bot{token}/{path:.+}", self._download, allow_head=False),
        ]

    async def _download(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self._world.rules.token:
            return _told(Refused(401, "Unauthorized"))
        body = self._files.body(request.match_info["path"])
        if body is None:
            return _told(Refused(404, "Not Found"))
        return web.Response(body=body, content_type="application/octet-stream")

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        call = Call(method=method, params={})
        try:
            self._require_known(request.match_info["token"], method)
            call.params = await self._params(request, method)
        except Refused as refused:
            return self._refusal(call, refused)
        call.chat_id = self._chat_of(call.params)
        call.marks = Marks.of(request.headers)
        self._journal.calls.append(call)
        rule = self._faults.strike(method, call.chat_id)
        if method == "getUpdates" and rule is None:
            return await self._poll(request, call)
        if rule is None:
            wait_s = self._rates.wait_s(method, call.chat_id)
            return self._refusal(call, too_many(math.ceil(wait_s))) if wait_s else self._done(call)
        call.fault = rule.fault
        self._journal.struck(call)
        return await self._faulty(request, rule, call)

    def _require_known(self, token: str, method: str) -> None:
        if token != self._world.rules.token:
            raise Refused(401, "Unauthorized")
        if method not in METHODS:
            raise Refused(404, "Not Found", blame="there is no such method, or this server does not take it")

    async def _params(self, request: web.Request, method: str) -> Params:
        raw = await params_of(request)
        try:
            return checked(raw, METHODS[method])
        except Unfit as unfit:
            raise misuse(f"{method} {unfit}", str(unfit)) from unfit

    def _chat_of(self, params: Params) -> int | None:
        chat_id = params.get("chat_id")
        inline = self._world.by_inline_id.get(params.get("inline_message_id", ""))
        return inline.chat_id if inline else chat_id if isinstance(chat_id, int) else None

    async def _poll(self, request: web.Request, call: Call) -> web.Response:
        def is_gone() -> bool:
            return request.transport is None or request.transport.is_closing()

        try:
            return self._answer(call, await self._updates.get(call.params, is_gone, call.marks.outcomes))
        except Refused as refused:
            return self._refusal(call, refused)

    def _done(self, call: Call) -> web.Response:
        """Do what is asked, in one step."""
        self._world.marks = call.marks
        try:
            with self._world.store.together():
                return self._answer(call, self._methods[call.method](call.params))
        except Refused as refused:
            return self._refusal(call, refused)
        finally:
            self._world.marks = Marks()
            self._news.tell()

    async def _faulty(self, request: web.Request, rule: Rule, call: Call) -> web.StreamResponse:
        if refused := _refusal_of(rule):
            return self._refusal(call, refused)
        if rule.fault is Fault.SLOW:
            await asyncio.sleep(rule.slow_s)
            return self._done(call)
        if rule.fault in _DONE:
            self._done(call)
            call.status = 0
        self._news.tell()
        if rule.fault in (Fault.BAD_GATEWAY, Fault.BAD_GATEWAY_AFTER):
            call.status = HTTPStatus.BAD_GATEWAY
            return web.Response(status=call.status, text=_PROXY, content_type="text/html")
        return _cut(request) if rule.fault in _CUT else await _never(request)

    def _answer(self, call: Call, result: Any) -> web.Response:
        call.status = HTTPStatus.OK
        return web.json_response({"ok": True, "result": result})

    def _refusal(self, call: Call, refused: Refused) -> web.Response:
        call.status, call.description = refused.code, refused.description
        if refused.blame:
            self._journal.blame(call.method, refused.blame)
        self._news.tell()
        return _told(refused)


def _refusal_of(rule: Rule) -> Refused | None:
    if rule.fault is Fault.RATE_LIMITED:
        return too_many(rule.retry_after_s)
    if rule.fault is Fault.RATE_LIMITED_SILENTLY:
        return too_many(None)
    if rule.fault is Fault.SERVER_ERROR:
        return Refused(500, "Internal Server Error")
    if rule.fault is Fault.UNAUTHORIZED:
        return Refused(401, "Unauthorized")
    if rule.fault is Fault.ENTITIES_REFUSED:
        return bad_request("can't parse entities: it was not liked")
    return None


def _told(refused: Refused) -> web.Response:
    return web.json_response(refused.to_wire(), status=refused.code)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _never(request: web.Request) -> web.Response:
    """Keep the connection open and silent until the other side gives up."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)
    return web.Response()
