"""The Twilio platform with every send marked for the cloud's record, which is how a chaos run tells them apart.

    marked(settings, ground.records(NAME), ground.clock.now)

The marks are headers that only the local cloud reads; the adapter under them is the one that is shipped.
"""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import Any

import aiohttp

from adapters.base import Platform, Send, Sent
from adapters.records import RecordStore
from adapters.twilio.adapter import platform
from adapters.twilio.rest import Rest
from adapters.twilio.settings import TwilioSettings
from adapters.twilio.transport import open_session
from tests.adapters.twilio_cloud.messages import MAY_BE_DUPLICATE, OPERATION, PURPOSE

_SENDING: ContextVar[Send | None] = ContextVar("sending", default=None)


class MarkedAdapter:
    """The adapter, whose sends are told apart."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    async def send(self, op: Send) -> Sent:
        token = _SENDING.set(op)
        try:
            return await self._adapter.send(op)
        finally:
            _SENDING.reset(token)


class MarkedRest(Rest):
    """Calls that carry the marks of the operation they are made for."""

    def open_session(self) -> aiohttp.ClientSession:
        session = open_session(self._settings)
        watching = aiohttp.TraceConfig()
        watching.on_request_start.append(_mark)
        watching.freeze()
        session.trace_configs.append(watching)
        return session


async def _mark(_session: object, _context: object, request: aiohttp.TraceRequestStartParams) -> None:
    op = _SENDING.get()
    if op is not None and request.method == "POST":
        request.headers[OPERATION] = op.op_id
        request.headers[PURPOSE] = op.purpose.value
        request.headers[MAY_BE_DUPLICATE] = str(int(op.may_be_duplicate))


def marked(settings: TwilioSettings, records: RecordStore, now: Callable[[], datetime]) -> Platform:
    """Make the platform with its sends marked."""
    made = platform(settings, records, now, calls=MarkedRest)
    return replace(made, adapter=MarkedAdapter(made.adapter))
