"""The Telegram platform with every send, edit and outcome marked for the record, for a chaos run to tell them apart.

    marked(settings, ground.lease(NAME), ground.clock.now)

The marks are headers that only the local Telegram reads; the adapter under them is the one that is shipped.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import httpx

from adapters.base import Edit, Inbound, Platform, Receipt, Send, Sent, Sink, Source
from adapters.polling_lease import PollingLease
from adapters.telegram.calls import Calls, QuietRequest
from adapters.telegram.places import message_number, place_of
from adapters.telegram.platform import telegram
from adapters.telegram.settings import TelegramSettings
from tests.adapters.telegram_bot.marks import ANSWERS, MAY_BE_DUPLICATE, OPERATION, OUTCOMES, PURPOSE

#: What one header has room for, and more than updates come at once.
_MOST_OUTCOMES = 100
_DOING: ContextVar[Send | Edit | None] = ContextVar("doing", default=None)


class MarkedAdapter:
    """The adapter, whose sends and edits are told apart."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    async def send(self, op: Send) -> Sent:
        return await self._marking(op, self._adapter.send)

    async def edit(self, op: Edit) -> Sent:
        return await self._marking(op, self._adapter.edit)

    async def _marking(self, op: Any, do: Any) -> Sent:
        token = _DOING.set(op)
        try:
            return await do(op)
        finally:
            _DOING.reset(token)


class Outcomes:
    """What became of the newest messages, by chat and number."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def keep(self, event: Inbound, outcome: str) -> None:
        chat_id = place_of(event.conversation.ref).chat_id
        self._known[f"{chat_id}/{message_number(chat_id, event.message)}"] = outcome
        while len(self._known) > _MOST_OUTCOMES:
            del self._known[next(iter(self._known))]

    async def mark(self, request: httpx.Request) -> None:
        if request.url.path.endswith("/getUpdates"):
            request.headers[OUTCOMES] = json.dumps(self._known)


class MarkedSource:
    """The source, whose sink is listened to."""

    def __init__(self, source: Source, outcomes: Outcomes) -> None:
        self._source = source
        self._outcomes = outcomes

    async def run(self, sink: Sink) -> None:
        await self._source.run(cast("Sink", HeardSink(sink, self._outcomes)))


class HeardSink:
    """The core's sink, whose outcomes are kept."""

    def __init__(self, sink: Sink, outcomes: Outcomes) -> None:
        self._sink = sink
        self._outcomes = outcomes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    async def accept(self, event: Inbound) -> Receipt:
        receipt = await self._sink.accept(event)
        self._outcomes.keep(event, receipt.outcome.value)
        return receipt


class MarkedCalls(Calls):
    """Calls that carry the marks of the operation they are made for."""

    def __init__(self, settings: TelegramSettings, outcomes: Outcomes) -> None:
        super().__init__(settings)
        self._outcomes = outcomes

    def _request(self, connections: int) -> QuietRequest:
        request = super()._request(connections)
        request._client.event_hooks = {"request": [_mark, self._outcomes.mark]}
        return request


async def _mark(request: httpx.Request) -> None:
    op = _DOING.get()
    if op is None:
        return
    request.headers[OPERATION] = op.op_id
    request.headers[PURPOSE] = op.purpose.value
    if isinstance(op, Send):
        request.headers[MAY_BE_DUPLICATE] = str(int(op.may_be_duplicate))
        answered = message_number(place_of(op.conversation).chat_id, op.reply_to or "")
        request.headers[ANSWERS] = str(answered or "")


def marked(settings: TelegramSettings, lease: PollingLease, now: Callable[[], datetime]) -> Platform:
    """Make the platform with its sends and edits marked."""
    outcomes = Outcomes()
    made = telegram(settings, lease, now, make_calls=lambda given: MarkedCalls(given, outcomes))
    assert made.source is not None
    return replace(made, adapter=MarkedAdapter(made.adapter), source=MarkedSource(made.source, outcomes))
