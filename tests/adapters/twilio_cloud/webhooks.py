"""Webhooks out: signed requests to the URLs that an account configured, tried as their overrides say.

A URL is what the world sees. Where a test names no proxy for it, it is called itself; where it does, the request goes
to one of the addresses behind the proxy, by turns, with the headers that proxies add. Nothing leaves this machine.
"""

import asyncio
import ipaddress
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree as ET

import aiohttp

from tests.adapters.twilio_cloud.account import Account
from tests.adapters.twilio_cloud.overrides import Overrides
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.signing import SIGNATURE, sign, with_body_hash, with_port
from tests.platforms.news import News

TOKEN: Final = "I-Twilio-Idempotency-Token"  # noqa: S105 - the name of a header
#: In an answer: what became of the message, for the record alone.
OUTCOME: Final = "X-Seen-Outcome"
_TWIML_TYPES: Final = ("text/xml", "application/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell."""

    sid: str
    #: `message` or `status`.
    kind: str
    #: `received`, or a status.
    what: str
    url: str
    params: dict[str, str]
    fallback: str | None = None
    #: The same for every try of one delivery.
    token: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True, kw_only=True)
class Style:
    """How requests are written; a test may change it."""

    #: `bodySHA256` in the URL and JSON in the body, as some of Twilio's products send.
    as_json: bool = False
    #: Name port 443 or 80 in what is signed.
    port_signed: bool = False
    #: Parameters that were added without notice.
    extra: dict[str, str] = field(default_factory=lambda: {"UnheardOf": "new", "UnheardOfAndBlank": ""})
    #: Another token than the account's: somebody who forges.
    forged_with: str | None = None
    #: Shortens the documented times of a webhook.
    time_scale: float = 1.0
    #: Seconds between two tries; that there are any is not documented.
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    status: int
    #: `ct`, `rt`, `4xx`, `5xx`; empty where it went well.
    failure: str
    #: What the answer says for the record.
    outcome: str | None = None


class Webhooks:
    """Delivers events. Use it as an async context manager."""

    def __init__(self, account: Account, record: Record, news: News) -> None:
        self.style = Style()
        #: What stands behind the public origins: `https://bot.example.org` to addresses on this machine.
        self.proxies: dict[str, Sequence[str]] = {}
        self._account = account
        self._record = record
        self._news = news
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop delivering."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self._session is not None
        await self._session.close()

    @property
    def under_way(self) -> int:
        """How many deliveries have not ended."""
        return len(self._tasks)

    async def settled(self) -> None:
        """Wait until every delivery has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def tell(self, events: Sequence[Event], delay_s: float = 0.0) -> "asyncio.Task[None]":
        """Begin to tell events, one after the other, after so many seconds."""
        task = asyncio.create_task(self._in_turn(events, delay_s))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._news.tell()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._record.violate(f"the cloud itself broke over a webhook: {error!r}")

    async def _in_turn(self, events: Sequence[Event], delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        for event in events:
            await self._deliver(event)

    async def _deliver(self, event: Event) -> None:
        tried = await self._insist(event, event.url, event.params)
        if tried.failure and event.fallback:
            errors = {"ErrorCode": "11200", "ErrorUrl": event.url}
            tried = await self._insist(event, event.fallback, event.params | errors)
        if tried.failure and event.kind == "message":
            self._record.gave_up(event.sid)

    async def _insist(self, event: Event, configured: str, params: dict[str, str]) -> _Tried:
        url, overrides = Overrides.of(configured)
        loop = asyncio.get_running_loop()
        until = loop.time() + overrides.total_ms / 1000 * self.style.time_scale
        for _ in range(overrides.retries + 1):
            tried = await self._try(event, url, params, overrides, until - loop.time())
            if not tried.failure or not overrides.tries_again(tried.failure) or loop.time() >= until:
                break
            await asyncio.sleep(self.style.pause_s)
        return tried

    async def _try(
        self, event: Event, url: str, params: dict[str, str], overrides: Overrides, left_s: float
    ) -> _Tried:
        began = time.monotonic()
        tried = await self._post(event, url, params, self._timeout(overrides, left_s))
        took_s = time.monotonic() - began
        self._record.delivered(
            sid=event.sid,
            kind=event.kind,
            what=event.what,
            url=url,
            status=tried.status,
            took_s=took_s,
            token=event.token,
            outcome=tried.outcome,
        )
        self._news.tell()
        return tried

    def _timeout(self, overrides: Overrides, left_s: float) -> aiohttp.ClientTimeout:
        scale = self.style.time_scale / 1000
        return aiohttp.ClientTimeout(
            total=max(left_s, 0.001),
            sock_connect=overrides.connect_ms * scale,
            sock_read=overrides.read_ms * scale,
        )

    async def _post(
        self, event: Event, url: str, params: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> _Tried:
        assert self._session is not None
        requested, body, headers = self._request(event, url, params)
        target = self._target(requested)
        if target is None:
            return _Tried(status=0, failure="ct")
        try:
            async with self._session.post(
                target, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                self._require_answer(event, answer, await answer.read())
                family = answer.status // 100
                return _Tried(
                    status=answer.status,
                    failure="" if family == 2 else f"{family}xx",
                    outcome=answer.headers.get(OUTCOME),
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return _Tried(status=0, failure="ct")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return _Tried(status=0, failure="rt")

    def _request(self, event: Event, url: str, params: dict[str, str]) -> tuple[str, bytes, dict[str, str]]:
        filled = params | self.style.extra
        token = self.style.forged_with or self._account.token
        if self.style.as_json:
            body, kind = json.dumps(filled).encode(), "application/json"
            url, signed = with_body_hash(url, body), {}
        else:
            body, kind, signed = urlencode(filled).encode(), "application/x-www-form-urlencoded", filled
        parts = urlsplit(url)
        headers = {
            SIGNATURE: sign(token, with_port(url) if self.style.port_signed else url, signed),
            TOKEN: event.token,
            "Content-Type": kind,
            "User-Agent": "TwilioProxy/1.1",
            "Host": parts.netloc,
            "X-Forwarded-Proto": parts.scheme,
            "X-Forwarded-Host": parts.netloc,
        }
        return url, body, headers

    def _target(self, url: str) -> str | None:
        """Find the address on this machine that a URL leads to."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self.proxies:
            behind = self.proxies[origin]
            self._turn += 1
            if not behind:
                return None
            inner = urlsplit(behind[self._turn % len(behind)])
            return urlunsplit(parts._replace(scheme=inner.scheme, netloc=inner.netloc))
        if not _is_local(parts.hostname or ""):
            self._record.violate(f"a webhook's URL leads to {origin}, and no proxy was named for it")
            return None
        return url

    def _require_answer(self, event: Event, answer: aiohttp.ClientResponse, body: bytes) -> None:
        """Ask for empty TwiML where Twilio would act upon TwiML: replies go by the API."""
        if event.kind != "message" or answer.status // 100 != 2:
            return
        if answer.content_type not in _TWIML_TYPES:
            self._record.violate(
                f"a webhook was answered with {answer.content_type}, which Twilio sends on or refuses"
            )
        elif not _is_empty_twiml(body):
            self._record.violate("a webhook was answered with something else than an empty <Response/>")


def _is_empty_twiml(body: bytes) -> bool:
    try:
        root = ET.fromstring(body)  # noqa: S314 - our own gateway wrote it
    except ET.ParseError:
        return False
    return root.tag == "Response" and len(root) == 0 and not (root.text or "").strip()


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
