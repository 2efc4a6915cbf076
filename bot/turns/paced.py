"""An adapter that calls its platform no faster than the platform allows, whichever process it runs in.

A refusal by the pacer is the same `RetryAfter` that the platform would have raised: the core knows what to do with it,
and nothing was sent. The pacer's round trip is a place where a process may stall, so whoever holds a lease or a claim
asks `ahead` first, then looks at the lease, then sends: the call that was granted ahead starts at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.base import (
    Adapter,
    AdapterState,
    Capabilities,
    Edit,
    Platform,
    Purpose,
    Send,
    SendsFrom,
    Sent,
    Typing,
)
from adapters.content import Content
from adapters.drafting import Drafting
from adapters.errors import RetryAfter
from adapters.pacing import PENALTY_SCOPES, Pacer, PacingKeys, Priority

#: For how long a call that was granted ahead may still start.
GRANT_LASTS_S = 10.0


def paced(platform: Platform, pacer: Pacer) -> Platform:
    """Pace a platform that any process may call by its capabilities' buckets; one with an owner stays as it is."""
    if platform.adapter.sends_from is SendsFrom.OWNER:
        return platform
    adapter = PacedAdapter(platform.adapter, pacer)
    typing = None if platform.typing is None else PacedTyping(platform.typing, adapter)
    drafts = None if platform.drafts is None else PacedDrafts(platform.drafts, adapter)
    return replace(platform, adapter=adapter, typing=typing, drafts=drafts)


def priority_of(op: Send | Edit) -> Priority:
    """Tell how much an operation matters. Pure."""
    if isinstance(op, Edit) and op.live:
        return Priority.EDIT
    return Priority.FIRST if op.purpose is Purpose.PLACEHOLDER else Priority.FINAL


class PacedAdapter:
    """An `Adapter` around another one; deleting and looking up are not paced, but heed no less what a 429 says."""

    def __init__(
        self,
        adapter: Adapter,
        pacer: Pacer,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._adapter = adapter
        self._pacer = pacer
        self._monotonic = monotonic
        #: Operations granted ahead, by when that was.
        self._granted_s: dict[tuple[str, Priority], float] = {}

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self._adapter.name

    @property
    def sends_from(self) -> SendsFrom:
        """Which process may call it."""
        return self._adapter.sends_from

    @property
    def state(self) -> AdapterState:
        """How it fares."""
        return self._adapter.state

    def capabilities(self, conversation: str) -> Capabilities:
        """Tell what a conversation allows."""
        return self._adapter.capabilities(conversation)

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Cut a reply."""
        return self._adapter.split(markdown, conversation)

    async def ahead(
        self, op_id: str, account: str, conversation: str, priority: Priority, *, patience_s: float = 0.0
    ) -> None:
        """Wait for a call's turn, no longer than `patience_s`, and keep it for the operation that starts next.

        Raises `RetryAfter` where the wait would be longer.
        """
        ends_s = self._monotonic() + patience_s
        while True:
            try:
                await self.take(account, conversation, priority)
            except RetryAfter as told:
                if self._monotonic() + told.seconds > ends_s:
                    raise
                await asyncio.sleep(told.seconds)
            else:
                break
        self._forget_unused()
        self._granted_s.pop((op_id, priority), None)
        self._granted_s[op_id, priority] = self._monotonic()

    async def take(self, account: str, conversation: str, priority: Priority) -> None:
        """Take one call. Raises `RetryAfter`."""
        buckets = self._adapter.capabilities(conversation).buckets
        await self._pacer.take(self._keys(account, conversation), buckets, priority)

    async def send(self, op: Send) -> Sent:
        """Post a message, if it may go now. Raises `RetryAfter` where it may not."""
        await self._go(op)
        async with self.heeding(op.account, op.conversation):
            return await self._adapter.send(op)

    async def edit(self, op: Edit) -> Sent:
        """Replace a message's content, if that may go now. Raises `RetryAfter` where it may not."""
        await self._go(op)
        async with self.heeding(op.account, op.conversation):
            return await self._adapter.edit(op)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Take a message back."""
        async with self.heeding(account, conversation):
            await self._adapter.delete(account, conversation, message)

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Look up what an operation posted."""
        async with self.heeding(account, conversation):
            return await self._adapter.find(op_id, account, conversation)

    @asynccontextmanager
    async def heeding(self, account: str, conversation: str) -> AsyncIterator[None]:
        """Tell the pacer, and so every process, what the platform says while this is open."""
        try:
            yield
        except RetryAfter as refused:
            scope = PENALTY_SCOPES[refused.scope]
            await self._pacer.penalise(self._keys(account, conversation), scope, refused.seconds)
            raise

    async def _go(self, op: Send | Edit) -> None:
        priority = priority_of(op)
        granted_s = self._granted_s.pop((op.op_id, priority), None)
        if granted_s is None or self._monotonic() - granted_s > GRANT_LASTS_S:
            await self.take(op.account, op.conversation, priority)

    def _forget_unused(self) -> None:
        """Drop grants whose operation never started: they stand in order of their time."""
        oldest_s = self._monotonic() - GRANT_LASTS_S
        while self._granted_s and next(iter(self._granted_s.values())) < oldest_s:
            del self._granted_s[next(iter(self._granted_s))]

    def _keys(self, account: str, conversation: str) -> PacingKeys:
        return PacingKeys(adapter=self._adapter.name, account=account, conversation=conversation)


class PacedTyping:
    """The sign that somebody writes, where there is room for it."""

    def __init__(self, typing: Typing, pacing: PacedAdapter) -> None:
        self._typing = typing
        self._pacing = pacing

    async def typing(self, account: str, conversation: str) -> None:
        """Show it, if that may go now. Raises `RetryAfter` where it may not."""
        await self._pacing.take(account, conversation, Priority.TYPING)
        async with self._pacing.heeding(account, conversation):
            await self._typing.typing(account, conversation)


class PacedDrafts:
    """The reply so far, where there is room for it: each draft replaces the one before, as a live edit does."""

    def __init__(self, drafts: Drafting, pacing: PacedAdapter) -> None:
        self._drafts = drafts
        self._pacing = pacing

    async def draft(
        self,
        account: str,
        conversation: str,
        turn_id: str,
        content: Content | None,
        links: frozenset[str] = frozenset(),
    ) -> None:
        """Show it, if that may go now. Raises `RetryAfter` where it may not."""
        await self._pacing.take(account, conversation, Priority.EDIT)
        async with self._pacing.heeding(account, conversation):
            await self._drafts.draft(account, conversation, turn_id, content, links)
