"""The API that a fake vendor offers to bots, strict as vendors are: what it does not know is an error.

    POST   /v1/messages                {account, conversation, text, reply_to?, key? (class A), marker? (class B)}
    PATCH  /v1/messages/{id}           {text}        where messages can be edited
    DELETE /v1/messages/{id}
    GET    /v1/messages?conversation=&marker=        class B

A bearer token is asked for. Headers beginning with `X-Seen-` are written into the record for the tests to read and
change nothing that the vendor does.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from adapters.base import LiveOutput
from adapters.registry import PlatformClass
from tests.platforms.faults import Faults, Rule
from tests.platforms.news import News
from tests.platforms.record import Posting, Record
from tests.platforms.seen import Endpoint, Fault

OPERATION: Final = "X-Seen-Operation"
PURPOSE: Final = "X-Seen-Purpose"
MAY_BE_DUPLICATE: Final = "X-Seen-May-Be-Duplicate"

#: What a vendor answers: a status and a code that its documentation explains.
_ERRORS: Final = {
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "bad_request": HTTPStatus.BAD_REQUEST,
    "unknown_field": HTTPStatus.BAD_REQUEST,
    "missing_field": HTTPStatus.BAD_REQUEST,
    "too_long": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unknown_message": HTTPStatus.NOT_FOUND,
    "deleted": HTTPStatus.GONE,
    "no_edits": HTTPStatus.METHOD_NOT_ALLOWED,
    "no_search": HTTPStatus.METHOD_NOT_ALLOWED,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}

#: Faults that the vendor answers.
_REFUSALS: Final = {
    Fault.RATE_LIMITED: "rate_limited",
    Fault.RATE_LIMITED_SILENTLY: "rate_limited",
    Fault.SERVER_ERROR: "internal",
    Fault.UNAVAILABLE: "unavailable",
}

_Act = Callable[[], web.Response]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """The vendor does not do this; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one platform is like."""

    platform_class: PlatformClass
    live: LiveOutput
    token: str
    #: Code points.
    text_limit: int = 4000


class Vendor:
    """The vendor's routes over a record."""

    def __init__(self, rules: Rules, record: Record, faults: Faults, news: News) -> None:
        self._rules = rules
        self._record = record
        self._faults = faults
        self._news = news

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.post("/v1/messages", self._strictly(self._send)),
            web.patch("/v1/messages/{id}", self._strictly(self._edit)),
            web.delete("/v1/messages/{id}", self._strictly(self._delete)),
            web.get("/v1/messages", self._strictly(self._find), allow_head=False),
        ]

    def _strictly(self, handler: _Handler) -> _Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if request.headers.get("Authorization") != f"Bearer {self._rules.token}":
                return _refusal("unauthorized")
            try:
                return await handler(request)
            except Refused as refused:
                return _refusal(refused.code)

        return handle

    async def _send(self, request: web.Request) -> web.StreamResponse:
        optional = {"reply_to"} | {"A": {"key"}, "B": {"marker"}, "C": set()}[self._rules.platform_class]
        body = await _body(request, {"account", "conversation", "text"}, optional)
        self._require_length(body["text"])
        posting = Posting(
            **body,
            operation=request.headers.get(OPERATION, ""),
            purpose=request.headers.get(PURPOSE, ""),
            may_be_duplicate=request.headers.get(MAY_BE_DUPLICATE) == "1",
        )
        # A key is only honoured, and told of again, by class A: others have no such field.
        return await self._under_faults(
            request, Endpoint.SEND, posting.conversation, lambda: _ok(id=self._record.post(posting))
        )

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        if self._rules.live is LiveOutput.NONE:
            raise Refused("no_edits")
        body = await _body(request, {"text"}, set())
        self._require_length(body["text"])
        message = request.match_info["id"]
        marks = {"purpose": request.headers.get(PURPOSE, ""), "operation": request.headers.get(OPERATION, "")}

        def act() -> web.Response:
            self._require_standing(message)
            self._record.edit(message, body["text"], **marks)
            return _ok(id=message)

        return await self._under_faults(request, Endpoint.EDIT, self._conversation_of(message), act)

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        message = request.match_info["id"]

        def act() -> web.Response:
            self._require_standing(message)
            self._record.delete(message)
            return _ok()

        return await self._under_faults(request, Endpoint.DELETE, self._conversation_of(message), act)

    async def _find(self, request: web.Request) -> web.StreamResponse:
        if self._rules.platform_class is not PlatformClass.B:
            raise Refused("no_search")
        if set(request.query) != {"conversation", "marker"}:
            raise Refused("unknown_field" if len(request.query) > 1 else "missing_field")
        conversation, marker = request.query["conversation"], request.query["marker"]
        return await self._under_faults(
            request,
            Endpoint.FIND,
            conversation,
            lambda: _ok(ids=self._record.marked(conversation, marker)),
        )

    async def _under_faults(
        self, request: web.Request, endpoint: Endpoint, conversation: str, act: _Act
    ) -> web.StreamResponse:
        """Do something unless a fault says otherwise; what is done is done in one step."""
        rule = self._faults.strike(endpoint, conversation)
        if rule is None:
            return self._told(act)
        self._record.injected(rule.fault, endpoint, request.headers.get(OPERATION, ""), conversation)
        self._news.tell()
        return await self._faulty(request, rule, lambda: self._told(act))

    async def _faulty(self, request: web.Request, rule: Rule, act: _Act) -> web.StreamResponse:
        if code := _REFUSALS.get(rule.fault):
            wait = {"Retry-After": f"{rule.retry_after_s:g}"} if rule.fault is Fault.RATE_LIMITED else {}
            return _refusal(code, wait)
        if rule.fault is Fault.SLOW:
            await asyncio.sleep(rule.slow_s)
            return act()
        if rule.fault in (Fault.LOST_RESPONSE, Fault.SILENT):
            act()
        if rule.fault in (Fault.LOST_REQUEST, Fault.LOST_RESPONSE):
            return _cut(request)
        return await _never(request)

    def _told(self, act: _Act) -> web.Response:
        try:
            return act()
        finally:
            self._news.tell()

    def _require_length(self, text: str) -> None:
        if len(text) > self._rules.text_limit:
            raise Refused("too_long")

    def _require_standing(self, message: str) -> None:
        standing = self._record.standing(message)
        if standing is None:
            raise Refused("unknown_message")
        if standing["deleted_at"] is not None:
            raise Refused("deleted")

    def _conversation_of(self, message: str) -> str:
        standing = self._record.standing(message)
        return "" if standing is None else standing["conversation"]


async def _body(request: web.Request, required: set[str], optional: set[str]) -> dict[str, str]:
    try:
        body = json.loads(await request.read())
    except ValueError as exc:
        raise Refused("bad_request") from exc
    if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
        raise Refused("bad_request")
    if required - body.keys():
        raise Refused("missing_field")
    if body.keys() - required - optional:
        raise Refused("unknown_field")
    return body


def _ok(**values: Any) -> web.Response:
    return web.json_response(values)


def _refusal(code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": code}, status=_ERRORS[code], headers=headers)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _never(request: web.Request) -> web.Response:
    """Keep the connection open and silent until the other side gives up."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)
    return web.Response()
