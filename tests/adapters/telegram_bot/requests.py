"""Reading a call of the Bot API, in each of the ways that it takes one."""

import json
from typing import Any

from aiohttp import web

from tests.adapters.telegram_bot.refusals import Refused, misuse

#: The content types that the documents name.
JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


async def params_of(request: web.Request) -> dict[str, Any]:
    """Read the parameters of a call: query string, JSON, form, or multipart; raise Refused.

    A parameter that is passed twice is refused; so is a file, as none of the methods here takes one.
    """
    if request.method not in ("GET", "POST"):
        raise Refused(405, "Method Not Allowed", blame=f"{request.method} is neither GET nor POST")
    pairs = list(request.query.items())
    if request.body_exists and request.content_type == JSON:
        pairs += _from_json(await request.read())
    elif request.body_exists and request.content_type in (FORM, MULTIPART):
        pairs += (await request.post()).items()  # type: ignore[arg-type]
    elif request.body_exists and await request.read():
        raise misuse("unsupported content type", f"a body of the type {request.content_type}")
    params: dict[str, Any] = {}
    for name, value in pairs:
        if name in params:
            raise misuse(f"parameter {name} is there twice")
        if isinstance(value, web.FileField):
            raise misuse(f"parameter {name} is a file")
        params[name] = value
    return params


def _from_json(body: bytes) -> list[tuple[str, Any]]:
    try:
        values = json.loads(body)
    except ValueError as exc:
        raise misuse("can't parse JSON object") from exc
    if not isinstance(values, dict):
        raise misuse("JSON object expected in the body of the request")
    # A null is as good as nothing.
    return [(name, value) for name, value in values.items() if value is not None]
