"""The Twilio platform with sends and outcomes marked for the cloud's record, for a chaos run to tell them apart.

    marked(settings, ground.records(NAME), ground.clock.now)

The marks are headers that only the local cloud reads; the adapter under them is the one that is shipped.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import aiohttp

from adapters.base import Inbound, Platform, RawRequest, RawResponse, Receipt, Send, Sent, Sink, Webhook
from adapters.records import RecordStore
from adapters.twilio.adapter import platform
from adapters.twilio.rest import Rest
from adapters.twilio.settings import TwilioSettings
from adapters.twilio.transport import open_session
from tests.adapters.twilio_cloud.messages import ANSWERS, MAY_BE_DUPLICATE, OPERATION, PURPOSE
from tests.adapters.twilio_cloud.webhooks import OUTCOME

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
        if op.reply_to is not None:
            request.headers[ANSWERS] = op.reply_to


def marked(settings: TwilioSettings, records: RecordStore, now: Callable[[], datetime]) -> Platform:
    """Make the platform with its sends marked."""
    made = platform(settings, records, now, calls=MarkedRest)
    webhooks = tuple(replace(webhook, ingest=_naming(webhook)) for webhook in made.webhooks)
    return replace(made, adapter=MarkedAdapter(made.adapter), webhooks=webhooks)


class HeardSink:
    """The core's sink, of which the last outcome is remembered."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.outcome = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    async def accept(self, event: Inbound) -> Receipt:
        receipt = await self._sink.accept(event)
        self.outcome = receipt.outcome.value
        return receipt


def _naming(webhook: Webhook) -> Callable[[RawRequest, Sink], Awaitable[RawResponse]]:
    """Let a webhook's answers say what became of the message."""

    async def ingest(request: RawRequest, sink: Sink) -> RawResponse:
        heard = HeardSink(sink)
        answer = await webhook.ingest(request, cast("Sink", heard))
        named = {OUTCOME: heard.outcome} if heard.outcome else {}
        return replace(answer, headers=dict(answer.headers) | named)

    return ingest
