"""The cloud from another process: a test's or a driver's side of /control."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from tests.adapters.twilio_cloud.cloud import ANN
from tests.adapters.twilio_cloud.shown import Bubble, Call, Channel, Delivery, Page

#: A bound on every wait of a test; reached only by a failure.
PATIENCE_S = 60.0


@dataclass(slots=True)
class Known:
    """The cloud's record as far as it was read: messages by SID, as they are now."""

    messages: dict[str, Bubble] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    next: int = 0

    def take(self, page: Page) -> None:
        """Add a page."""
        self.messages.update((bubble.sid, bubble) for bubble in page.messages)
        self.calls.extend(page.calls)
        self.deliveries.extend(page.deliveries)
        self.violations.extend(page.violations)
        self.next = page.next

    def seen(self, person: str) -> list[str]:
        """List the texts of the assistant that stand on a person's phone, oldest first."""
        standing = [each for each in self.messages.values() if each.person == person and each.seen]
        standing.sort(key=lambda bubble: bubble.changes[0].seq)
        return [bubble.body for bubble in standing if not bubble.inbound]


class RemoteCloud:
    """One fake cloud, from the outside. Use it as an async context manager."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session: aiohttp.ClientSession | None = None
        #: Deliveries that had not ended when a page was last read.
        self.under_way = 0

    async def __aenter__(self) -> Self:
        """Open the connections."""
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=90))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._open.close()

    async def do(self, what: str, **asked: Any) -> Any:
        """Call one of the methods that `control.py` lists."""
        async with self._open.post(f"{self.url}/control/{what}", json=asked) as answer:
            answer.raise_for_status()
            return (await answer.json())["answer"]

    async def say(self, body: str, *, number: str = ANN, channel: str = Channel.WHATSAPP, **more: Any) -> str:
        """Let somebody write to the assistant; give the message's SID."""
        return str(await self.do("say", body=body, number=number, channel=channel, **more))

    async def page(self, after: int = 0, *, limit: int = 1000, wait_s: float = 0.0) -> Page:
        """Read what changed after a number, at most `limit` rows; where nothing has, wait up to `wait_s` for it."""
        query = {"after": str(after), "limit": str(limit), "wait_s": str(wait_s)}
        async with self._open.get(f"{self.url}/control/record", params=query) as answer:
            answer.raise_for_status()
            wire = await answer.json()
        self.under_way = int(wire.pop("under_way"))
        return Page.from_wire(wire)

    async def until(self, condition: Callable[[Known], Any], within_s: float = PATIENCE_S) -> Known:
        """Wait until what the cloud knows fulfils a condition."""
        known = Known()
        async with asyncio.timeout(within_s):
            while True:
                page = await self.page(known.next, wait_s=1.0)
                known.take(page)
                if not page.more and condition(known):
                    return known

    @property
    def _open(self) -> aiohttp.ClientSession:
        assert self._session is not None, "use it as an async context manager"
        return self._session
