"""Getting the core's decisions in time; an outage of the core is logged once, and its end once."""

import asyncio
import logging
from collections.abc import Awaitable

from adapters.base import (
    ConversationMoved,
    Delivery,
    Edited,
    Inbound,
    MembershipChanged,
    Pressed,
    Receipt,
    Sink,
    StopRequested,
    Withdrawn,
)

logger = logging.getLogger(__name__)


class NoDecision(Exception):
    """The core could not decide: nothing may be acknowledged, the same event may be handed over again."""


class Decisions:
    """A sink that answers within a time limit and raises nothing but `NoDecision`."""

    def __init__(self, sink: Sink, timeout_s: float, adapter: str) -> None:
        self._sink = sink
        self._adapter = adapter
        self._timeout_s = timeout_s
        self._is_out = False

    async def accept(self, event: Inbound) -> Receipt:
        """Hand over a message."""
        return await self._in_time(self._sink.accept(event))

    async def stop(self, event: StopRequested) -> Receipt:
        """Hand over a wish to stop."""
        return await self._in_time(self._sink.stop(event))

    async def edited(self, event: Edited) -> Receipt:
        """Hand over another text of a message."""
        return await self._in_time(self._sink.edited(event))

    async def withdrawn(self, event: Withdrawn) -> Receipt:
        """Hand over that a message was taken back."""
        return await self._in_time(self._sink.withdrawn(event))

    async def pressed(self, event: Pressed) -> Receipt:
        """Hand over a press."""
        return await self._in_time(self._sink.pressed(event))

    async def moved(self, event: ConversationMoved) -> Receipt:
        """Hand over that a conversation moved."""
        return await self._in_time(self._sink.moved(event))

    async def membership(self, event: MembershipChanged) -> Receipt:
        """Hand over who came or went."""
        return await self._in_time(self._sink.membership(event))

    async def delivered(self, event: Delivery) -> Receipt:
        """Hand over what became of a message."""
        return await self._in_time(self._sink.delivered(event))

    async def _in_time(self, decision: Awaitable[Receipt]) -> Receipt:
        try:
            async with asyncio.timeout(self._timeout_s):
                receipt = await decision
        except Exception as exc:
            # Intake's loop top: whatever it was, nothing was committed for sure, and it may be handed over again.
            if not self._is_out:
                logger.warning("the core takes no decisions for %s: %s", self._adapter, type(exc).__name__)
            self._is_out = True
            raise NoDecision from exc
        if self._is_out:
            logger.info("the core takes decisions for %s again", self._adapter)
        self._is_out = False
        return receipt
