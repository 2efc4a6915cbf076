"""Webhooks out: signed JSON to the gateways, delivered again with growing pauses until one answers 2xx."""

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp

from tests.platforms.news import News
from tests.platforms.record import Record

SIGNATURE: Final = "X-Cloud-Signature"
_FIRST_PAUSE_S = 0.1


def sign(secret: str, body: bytes) -> str:
    """Sign a body: HMAC-SHA256 in hex, as GitHub's and Meta's webhooks do."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a platform tries to tell of one event."""

    #: Seconds for one try.
    try_s: float = 10.0
    #: Longest pause between two tries.
    longest_pause_s: float = 2.0
    #: Seconds after which it gives up.
    in_all_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to tell the gateways."""

    id: str
    #: The user's message it is about; None for a pressed button.
    mention: str | None
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one event is delivered."""

    #: Copies delivered in parallel, each until it is acknowledged.
    copies: int = 1
    #: Whether the copies go to the gateways in turn; otherwise each event keeps to one as long as that answers.
    spread: bool = False
    #: Seconds before the first try: what is said later is delivered earlier.
    delay_s: float = 0.0


class Deliveries:
    """Delivers events to the gateways that were named last."""

    def __init__(self, record: Record, news: News, *, secret: str, patience: Patience, seed: int) -> None:
        self._record = record
        self._news = news
        self._secret = secret
        self._patience = patience
        self._chance = random.Random(f"{seed}/deliveries")
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self.gateways: Sequence[str] = ()

    async def __aenter__(self) -> Self:
        """Open the connections."""
        timeout = aiohttp.ClientTimeout(total=self._patience.try_s)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
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

    def deliver(self, event: Event, manner: Manner) -> None:
        """Begin to deliver an event."""
        body = json.dumps(event.payload).encode()
        self._turn += 1
        for copy in range(manner.copies):
            first = self._turn + (copy if manner.spread else 0)
            task = asyncio.create_task(self._until_taken(event, body, first, manner.delay_s))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._news.tell()
        if not task.cancelled():
            task.result()

    async def _until_taken(self, event: Event, body: bytes, first: int, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        loop = asyncio.get_running_loop()
        until_s, pause_s, at = loop.time() + self._patience.in_all_s, _FIRST_PAUSE_S, first
        while not await self._try(event, body, at):
            if loop.time() > until_s:
                return
            await asyncio.sleep(pause_s * self._chance.uniform(0.5, 1.0))
            pause_s, at = min(pause_s * 2, self._patience.longest_pause_s), at + 1

    async def _try(self, event: Event, body: bytes, at: int) -> bool:
        gateways = self.gateways
        if not gateways:
            return False
        gateway = gateways[at % len(gateways)]
        status, outcome = await self._post(gateway, body)
        self._record.delivered(event.mention, event.id, gateway, status, outcome)
        self._news.tell()
        return status // 100 == 2

    async def _post(self, gateway: str, body: bytes) -> tuple[int, str | None]:
        assert self._session is not None
        headers = {SIGNATURE: sign(self._secret, body), "Content-Type": "application/json"}
        try:
            async with self._session.post(gateway, data=body, headers=headers) as answer:
                return answer.status, _outcome(await answer.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, None


def _outcome(body: bytes) -> str | None:
    try:
        return str(json.loads(body)["outcome"])
    except (ValueError, KeyError, TypeError):
        return None
