"""Plays a fake platform's users, makes it fail, and reads what they see; a test's or a driver's side of /control."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from tests.fixtures.introduced import answer_of
from tests.platforms.seen import Endpoint, Fault, Injected, Mention, Message, Page

ACCOUNT = "main"
#: A bound on every wait of a test; reached only by a failure.
PATIENCE_S = 60.0


@dataclass(slots=True)
class Seen:
    """A platform's record as far as it was read: rows by id, as they are now."""

    messages: dict[str, Message] = field(default_factory=dict)
    mentions: dict[str, Mention] = field(default_factory=dict)
    faults: list[Injected] = field(default_factory=list)
    next: int = 0

    def take(self, page: Page) -> None:
        """Add a page."""
        self.messages.update((message.id, message) for message in page.messages)
        self.mentions.update((mention.id, mention) for mention in page.mentions)
        self.faults.extend(page.faults)
        self.next = page.next

    def visible(self, conversation: str) -> list[Message]:
        """List the assistant's messages that stand in a conversation, in the order of their posting."""
        standing = (
            message
            for message in self.messages.values()
            if message.conversation == conversation and message.deleted_at is None
        )
        return sorted(standing, key=lambda message: message.posted_seq)

    def texts(self, conversation: str) -> list[str]:
        """List the texts a user sees in a conversation, in order; the first one without its introduction."""
        return [answer_of(message.text) for message in self.visible(conversation)]


class PlatformClient:
    """One fake platform, from the outside. Use it as an async context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
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
        assert self._session is not None
        await self._session.close()

    async def set_gateways(self, urls: Iterable[str]) -> None:
        """Name the webhook URLs that events are delivered to from now on."""
        await self._post("gateways", urls=list(urls))

    async def say(
        self,
        text: str,
        *,
        conversation: str = "room",
        sender: str = "ann",
        kind: str = "group",
        account: str = ACCOUNT,
        mentions_assistant: bool = True,
        reply_to: str | None = None,
        copies: int = 1,
        spread: bool = False,
        delay_s: float = 0.0,
    ) -> str:
        """Say something and return the mention's id; it is delivered behind this call.

        `copies` are delivered in parallel, to the gateways in turn where `spread`; `delay_s` lets what is said
        later arrive earlier.
        """
        said = {"text": text, "conversation": conversation, "sender": sender, "kind": kind}
        manner = {"copies": copies, "spread": spread, "delay_s": delay_s}
        answer = await self._post(
            "say",
            **said,
            account=account,
            mentions_assistant=mentions_assistant,
            reply_to=reply_to,
            manner=manner,
        )
        return str(answer["id"])

    async def deliver_again(self, mention: str, *, copies: int = 1, spread: bool = False) -> None:
        """Deliver what was said once more."""
        await self._post("again", id=mention, manner={"copies": copies, "spread": spread})

    async def edit(self, mention: str, text: str, *, mentions_assistant: bool = True) -> None:
        """Edit what was said."""
        await self._post("edit", id=mention, text=text, mentions_assistant=mentions_assistant)

    async def withdraw(self, mention: str) -> None:
        """Withdraw what was said."""
        await self._post("withdraw", id=mention)

    async def stop(
        self, *, conversation: str = "room", sender: str = "ann", kind: str = "group", account: str = ACCOUNT
    ) -> None:
        """Press stop in a conversation."""
        await self._post("stop", conversation=conversation, sender=sender, kind=kind, account=account)

    async def fault(
        self,
        fault: Fault,
        *,
        endpoint: Endpoint | None = None,
        conversation: str | None = None,
        times: int | None = 1,
        probability: float = 1.0,
        retry_after_s: float = 0.2,
        slow_s: float = 0.5,
    ) -> None:
        """Let the next `times` calls, or any call with a probability, run into a fault."""
        await self._post(
            "faults",
            fault=fault,
            endpoint=endpoint,
            conversation=conversation,
            times=times,
            probability=probability,
            retry_after_s=retry_after_s,
            slow_s=slow_s,
        )

    async def calm(self) -> None:
        """End every fault."""
        await self._post("calm")

    async def violations(self) -> list[str]:
        """List what no correct client of the vendor would have asked for; this vendor refuses, and keeps no list."""
        return []

    async def page(self, after: int = 0, *, limit: int = 1000, wait_s: float = 0.0) -> Page:
        """Read what changed after a number, at most `limit` rows; where nothing has, wait up to `wait_s` for it."""
        query = {"after": str(after), "limit": str(limit), "wait_s": str(wait_s)}
        async with self._open.get(f"{self._url}/control/record", params=query) as answer:
            answer.raise_for_status()
            wire = await answer.json()
        self.under_way = int(wire.pop("under_way"))
        return Page.from_wire(wire)

    async def pages(self, after: int = 0) -> AsyncIterator[Page]:
        """Read everything there is, a page at a time."""
        while (page := await self.page(after)).next > after:
            yield page
            after = page.next

    async def seen(self) -> Seen:
        """Read the whole record."""
        seen = Seen()
        async for page in self.pages():
            seen.take(page)
        return seen

    async def until(self, condition: Callable[[Seen], Any], within_s: float = PATIENCE_S) -> Seen:
        """Wait until what the platform knows fulfils a condition."""
        seen = Seen()
        async with asyncio.timeout(within_s):
            while True:
                page = await self.page(seen.next, wait_s=1.0)
                seen.take(page)
                if not page.more and condition(seen):
                    return seen

    @property
    def _open(self) -> aiohttp.ClientSession:
        assert self._session is not None, "use it as an async context manager"
        return self._session

    async def _post(self, what: str, **asked: Any) -> dict[str, Any]:
        async with self._open.post(f"{self._url}/control/{what}", json=asked) as answer:
            answer.raise_for_status()
            answered: dict[str, Any] = await answer.json()
            return answered
