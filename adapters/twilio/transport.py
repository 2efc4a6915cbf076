"""The HTTP client under Twilio's library: each call once, within a time, and nothing of it in the log.

The library's own client repeats nothing either unless told to, but it logs numbers and texts, has no time limit, and
knows neither whether a failed call had left nor how long a 429 asks to wait.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from adapters.errors import AdapterError, Ambiguous, Unreachable
from adapters.twilio.health import Health
from adapters.twilio.refusals import refusal
from adapters.twilio.settings import TwilioSettings

#: Before these nothing left this process. The order counts: the second group's classes are wider.
_NOTHING_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_NOBODY_KNOWS = (aiohttp.ClientError, TimeoutError, OSError)


def open_session(settings: TwilioSettings) -> aiohttp.ClientSession:
    """Open what calls are made by. Call it inside the loop."""
    return aiohttp.ClientSession(
        # An idle connection may be half closed, and a request lost in it looks like one that was begun.
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        timeout=aiohttp.ClientTimeout(total=settings.call_s, connect=settings.connect_s),
        middlewares=(_tried_once,),
    )


async def _tried_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET or DELETE of its own accord: it repeats on its own errors only."""
    async with translated(changes_something=request.method != "GET"):
        return await handler(request)


@asynccontextmanager
async def translated(*, changes_something: bool) -> AsyncIterator[None]:
    """Say in our words what becomes of a call; one that only reads is as if it had never been made."""
    try:
        yield
    except _NOTHING_LEFT as exc:
        raise Unreachable(f"no connection to Twilio: {type(exc).__name__}") from exc
    except _NOBODY_KNOWS as exc:
        kind = Ambiguous if changes_something else Unreachable
        raise kind(f"no answer from Twilio: {type(exc).__name__}") from exc


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]  # the library has no types
    """Twilio's HTTP client. Raises an `AdapterError` for whatever is not carried out."""

    def __init__(self, session: aiohttp.ClientSession, health: Health, api_base: str = "") -> None:
        super().__init__(None, True)  # noqa: FBT003 - the library's signature
        self._session = session
        self._health = health
        self._api_base = urlsplit(api_base)

    async def request(  # noqa: PLR0917 - the library's signature
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the library's signature
    ) -> Response:
        """Make one call. Raises an `AdapterError`."""
        try:
            async with translated(changes_something=method.upper() != "GET"):
                answer = await self._call(method, url, params, data, dict(headers or {}), auth)
        except AdapterError as error:
            self._health.failed(error)
            raise
        self._health.answered()
        return answer

    async def _call(  # noqa: PLR0917 - as above
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None,
        data: Mapping[str, object] | None,
        headers: dict[str, str],
        auth: tuple[str, str] | None,
    ) -> Response:
        if auth:
            headers["Authorization"] = aiohttp.encode_basic_auth(*auth)
        query = {name: str(value) for name, value in (params or {}).items() if value is not None}
        body = urlencode(data, doseq=True).encode() if data else None
        async with self._session.request(
            method, self._where(url), params=query, data=body, headers=headers, allow_redirects=False
        ) as answer:
            text = await answer.text()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise refusal(answer.status, _parsed(text), answer.headers.get("Retry-After"))
            return Response(answer.status, text, answer.headers)

    def _where(self, url: str) -> str:
        if not self._api_base.netloc:
            return url
        return urlunsplit(urlsplit(url)._replace(scheme=self._api_base.scheme, netloc=self._api_base.netloc))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
