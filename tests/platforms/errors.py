"""What a fake vendor's answers, and their absence, mean to the core: one table."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

import aiohttp

from adapters.errors import AdapterError, Ambiguous, AuthFailed, Rejected, RetryAfter, Unreachable

#: Seconds to wait where a 429 does not say.
_RETRY_S = 1.0


class NotThere(Rejected):
    """The message is gone, or never was."""


#: By the vendor's code, then by status; what is in neither is ambiguous from 500 on and refused below.
_BY_CODE: Mapping[str, type[AdapterError]] = {
    "unauthorized": AuthFailed,
    "unavailable": Unreachable,
    "unknown_message": NotThere,
    "deleted": NotThere,
}
#: Before these nothing left this process. The order counts: the second group's classes are wider.
_NOTHING_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_NOBODY_KNOWS = (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError)


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    try:
        yield
    except _NOTHING_LEFT as exc:
        raise Unreachable(f"no connection: {type(exc).__name__}") from exc
    except _NOBODY_KNOWS as exc:
        raise Ambiguous(f"no answer: {type(exc).__name__}") from exc


async def tried_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET, PUT or DELETE of its own accord: it repeats on its own errors only."""
    async with translated():
        return await handler(request)


def refusal(status: int, data: bytes, retry_after: str | None) -> AdapterError:
    code = _code(data)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RetryAfter(float(retry_after) if retry_after else _RETRY_S)
    if known := _BY_CODE.get(code):
        return known(f"the platform answered {status} {code}")
    unknown = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return (Ambiguous if unknown else Rejected)(f"the platform answered {status} {code}")


def _code(data: bytes) -> str:
    try:
        return str(json.loads(data)["error"])
    except (ValueError, KeyError, TypeError):
        return "without a code"
