"""The adapter of the fake platforms: a plain HTTP client with timeouts and no retry, and a signed webhook."""

import hmac
import json
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from adapters.base import (
    AdapterState,
    Capabilities,
    Edit,
    Edited,
    Idempotency,
    Inbound,
    Platform,
    Purpose,
    RawRequest,
    RawResponse,
    Receipt,
    Send,
    SendsFrom,
    Sent,
    Sink,
    StopRequested,
    Webhook,
    Withdrawn,
)
from adapters.content import Content
from adapters.doubt import limit_beside_label, shown
from adapters.errors import Rejected
from adapters.markdown_source import to_markdown
from adapters.split import split_markdown
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.deliveries import SIGNATURE, sign
from tests.platforms.errors import NotThere, refusal, translated, tried_once
from tests.platforms.parse import CloudEvent, parse
from tests.platforms.vendor import MAY_BE_DUPLICATE, OPERATION, PURPOSE

_UNSIGNED = RawResponse(status=HTTPStatus.UNAUTHORIZED)


class CloudAdapter:
    """An `Adapter` over a vendor's HTTP API; enter it to open its connections."""

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._capabilities = Capabilities(
            text_limit=settings.text_limit,
            live=settings.live,
            live_min_interval_s=settings.live_min_interval_s,
            idempotency=settings.platform_class.idempotency,
        )

    async def __aenter__(self) -> Self:
        """Open the session."""
        settings = self.settings
        self._session = aiohttp.ClientSession(
            # An idle connection may be half closed, and a request lost in it looks like one that was begun.
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(total=settings.call_s, connect=settings.connect_s),
            headers={"Authorization": f"Bearer {settings.secret}"},
            middlewares=(tried_once,),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()

    @property
    def name(self) -> str:
        """The platform's name."""
        return self.settings.name

    @property
    def sends_from(self) -> SendsFrom:
        """Any worker may call the vendor."""
        return SendsFrom.ANY

    @property
    def state(self) -> AdapterState:
        """It holds no connection between two calls."""
        return AdapterState.CONNECTED

    @property
    def webhook(self) -> Webhook:
        """The route that takes its events."""
        return Webhook(path=f"/hooks/{self.name}", ingest=self._ingest)

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what it was made to allow."""
        return self._capabilities

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply's Markdown into texts that each fit one message."""
        limit = self._capabilities.text_limit
        if self._idempotency is Idempotency.NONE:
            limit = limit_beside_label(to_markdown, len, limit)
        return split_markdown(markdown, to_markdown, len, limit)

    async def send(self, op: Send) -> Sent:
        """Post a message, under a key or marker where the vendor takes one."""
        body = {"account": op.account, "conversation": op.conversation, "text": self._rendered(shown(op))}
        if op.reply_to is not None:
            body["reply_to"] = op.reply_to
        if own := {Idempotency.KEYED: "key", Idempotency.READ_BACK: "marker"}.get(self._idempotency):
            body[own] = op.op_id
        seen = _seen(op.op_id, op.purpose) | {MAY_BE_DUPLICATE: str(int(op.may_be_duplicate))}
        answer = await self._call("POST", "/v1/messages", body, seen)
        return Sent(message=answer["id"])

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's text."""
        body = {"text": self._rendered(shown(op))}
        await self._call(
            "PATCH", f"/v1/messages/{quote(op.message, safe='')}", body, _seen(op.op_id, op.purpose)
        )
        return Sent(message=op.message)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message back; one that is gone, or never was, is fine."""
        try:
            await self._call("DELETE", f"/v1/messages/{quote(message, safe='')}", None, {})
        except NotThere:
            return

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Look an operation up by its marker, where the vendor has a search."""
        if self._idempotency is not Idempotency.READ_BACK:
            return None
        query = {"conversation": conversation, "marker": op_id}
        answer = await self._call("GET", "/v1/messages", None, {}, query)
        return Sent(message=answer["ids"][0]) if answer["ids"] else None

    @property
    def _idempotency(self) -> Idempotency:
        return self._capabilities.idempotency

    def _rendered(self, content: Content) -> str:
        text = to_markdown(content)
        if len(text) > self._capabilities.text_limit:
            raise Rejected(f"the message is {len(text)} long, more than {self._capabilities.text_limit}")
        return text

    async def _call(
        self,
        method: str,
        path: str,
        body: dict[str, str] | None,
        headers: dict[str, str],
        query: dict[str, str] | None = None,
    ) -> Any:
        assert self._session is not None, "the adapter's lifetime has not begun"
        url = self.settings.url + path
        async with (
            translated(),
            self._session.request(method, url, json=body, headers=headers, params=query) as response,
        ):
            data = await response.read()
            if response.status != HTTPStatus.OK:
                raise refusal(response.status, data, response.headers.get("Retry-After"))
            return json.loads(data)

    async def _ingest(self, request: RawRequest, sink: Sink) -> RawResponse:
        """Believe nothing before the signature over the raw bytes."""
        given = request.headers.get(SIGNATURE, "")
        if not hmac.compare_digest(given.encode(), sign(self.settings.secret, request.body).encode()):
            return _UNSIGNED
        event = parse(self.name, request.body)
        return _answer((await _handed_over(event, sink)).outcome.value)


async def _handed_over(event: CloudEvent, sink: Sink) -> Receipt:
    match event:
        case Inbound():
            return await sink.accept(event)
        case Edited():
            return await sink.edited(event)
        case Withdrawn():
            return await sink.withdrawn(event)
        case StopRequested():
            return await sink.stop(event)


def platform(settings: CloudSettings) -> Platform:
    """Make the platform: its adapter, its webhook, and the lifetime of its connections."""
    adapter = CloudAdapter(settings)
    return Platform(adapter=adapter, webhooks=(adapter.webhook,), lifetime=adapter)


def _seen(operation: str, purpose: Purpose) -> dict[str, str]:
    return {OPERATION: operation, PURPOSE: purpose.value}


def _answer(outcome: str) -> RawResponse:
    return RawResponse(
        status=HTTPStatus.OK,
        body=json.dumps({"outcome": outcome}).encode(),
        headers={"Content-Type": "application/json"},
    )
