"""The door of the REST API: who may call, what each call runs into, and that nothing passes unnoticed.

Every call is recorded. What no adapter of ours should do, and what this cloud does not know, is a violation beside
the answer that Twilio would give or, where that is not known, a 400.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tests.adapters.twilio_cloud.account import Account
from tests.adapters.twilio_cloud.errors import Refused, Unmodelled
from tests.adapters.twilio_cloud.faults import Faults, Rule
from tests.adapters.twilio_cloud.parameters import read_form
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.shown import Endpoint, Fault
from tests.adapters.twilio_cloud.sids import new_sid
from tests.platforms.news import News

#: Faults that are answered, by Twilio's code.
REFUSALS: Final = {
    Fault.TOO_MANY: 20429,
    Fault.TOO_MANY_SILENTLY: 20429,
    Fault.CHANNEL_RATE: 63018,
    Fault.DAILY_LIMIT: 63038,
    Fault.QUEUE_FULL: 21611,
    Fault.SERVER_ERROR: 20500,
    Fault.SERVER_ERROR_DONE: 20500,
    Fault.UNAVAILABLE: 20503,
}
#: Faults that strike after the call was done.
DONE: Final = (Fault.LOST_RESPONSE, Fault.SILENT, Fault.SERVER_ERROR_DONE, Fault.SLOW)
_FORM: Final = "application/x-www-form-urlencoded"

Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that was let in."""

    #: The form of a POST, the query of a GET.
    fields: Fields
    #: What the path names.
    names: Mapping[str, str]
    headers: Mapping[str, str]
    by_key: bool

    @property
    def person(self) -> str:
        """Whom it is about, as far as it says."""
        return dict(self.fields).get("To", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call is answered."""

    wire: Any = None
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


Act = Callable[[Call], Awaitable[Answer]]


class Api:
    """Lets calls in, lets faults strike, answers in Twilio's form."""

    def __init__(self, account: Account, record: Record, faults: Faults, news: News) -> None:
        self._account = account
        self._record = record
        self._faults = faults
        self._news = news

    def route(self, method: str, path: str, endpoint: Endpoint, act: Act) -> web.RouteDef:
        """Make a route of an act."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(request, endpoint, act)

        return web.route(method, path, handle)

    def unknown(self, request: web.Request, error: Refused) -> web.Response:
        """Answer what this cloud does not have, loudly."""
        self._record.violate(f"{request.method} {request.path} is not part of this cloud")
        return _refusal(error)

    async def _handle(self, request: web.Request, endpoint: Endpoint, act: Act) -> web.StreamResponse:
        person, fault = "", None
        try:
            call = await self._let_in(request)
            person = call.person
            rule = self._faults.strike(endpoint, person)
            if rule is not None:
                fault = rule.fault
                return await self._faulty(request, endpoint, rule, act, call)
            answer = await act(call)
        except Refused as refused:
            return self._refuse(endpoint, person, refused)
        self._called(endpoint, person, answer.status, None, fault)
        return _answered(answer)

    async def _let_in(self, request: web.Request) -> Call:
        authorization = request.headers.get("Authorization")
        named = request.match_info.get("account", self._account.sid)
        if named != self._account.sid or not self._account.knows(authorization):
            raise Refused(20003)
        if not self._account.active:
            raise Refused(20005)
        body = await request.read()
        if request.method == "POST" and request.content_type != _FORM:
            raise Unmodelled(20001, f"a form is expected, not {request.content_type}")
        if request.method == "POST" and request.query_string:
            raise Unmodelled(20001, "a POST carries its parameters in the body")
        fields = read_form(body) if request.method == "POST" else list(request.query.items())
        return Call(
            fields=fields,
            names=request.match_info,
            headers=request.headers,
            by_key=self._account.by_key(authorization),
        )

    async def _faulty(
        self, request: web.Request, endpoint: Endpoint, rule: Rule, act: Act, call: Call
    ) -> web.StreamResponse:
        answer: Answer | None = None
        if rule.fault == Fault.SLOW:
            await asyncio.sleep(rule.slow_s)
        if rule.fault in DONE:
            answer = await act(call)
        code = REFUSALS.get(rule.fault)
        if code is not None:
            refused = Refused(code)
            self._called(endpoint, call.person, refused.status, code, rule.fault)
            wait = {"Retry-After": f"{rule.retry_after_s:g}"} if rule.fault == Fault.TOO_MANY else {}
            return _refusal(refused, wait)
        if rule.fault == Fault.SLOW and answer is not None:
            self._called(endpoint, call.person, answer.status, None, rule.fault)
            return _answered(answer)
        self._called(endpoint, call.person, 0, None, rule.fault)
        return await unanswered(request, rule.fault)

    def _refuse(self, endpoint: Endpoint, person: str, refused: Refused) -> web.Response:
        if isinstance(refused, Unmodelled):
            self._record.violate(f"{endpoint}: {refused.message}")
        self._called(endpoint, person, refused.status, refused.code, None)
        return _refusal(refused)

    def _called(
        self, endpoint: Endpoint, person: str, status: int, code: int | None, fault: str | None
    ) -> None:
        self._record.called(
            endpoint=str(endpoint), person=person, status=int(status), code=code, fault=fault and str(fault)
        )
        self._news.tell()


async def unanswered(request: web.Request, fault: Fault) -> web.Response:
    """Cut the connection, or keep it open and silent until the other side gives up."""
    if fault in (Fault.LOST_REQUEST, Fault.LOST_RESPONSE):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)
    return web.Response()


def _answered(answer: Answer) -> web.Response:
    headers = {"Twilio-Request-Id": new_sid("RQ")} | dict(answer.headers)
    if answer.wire is None:
        return web.Response(status=answer.status, headers=headers)
    return web.json_response(answer.wire, status=answer.status, headers=headers)


def _refusal(refused: Refused, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response(
        refused.to_wire(),
        status=refused.status,
        headers={"Twilio-Request-Id": new_sid("RQ")} | dict(headers or {}),
    )
