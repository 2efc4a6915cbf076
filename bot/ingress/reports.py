"""Hearing what became of messages of ours, also when the news is quicker than we are."""

import asyncio
from decimal import Decimal, InvalidOperation
from typing import Final

from adapters.base import Delivery, DeliveryState, Receipt
from bot.errors import StoreUnavailable
from bot.ingress.announcing import Announcer
from bot.ingress.asked import ReportedJournal
from bot.ingress.endings import DONE, IGNORED
from bot.telemetry.events import Hooks, MessageReported, emit
from bot.turns.journal import DeliveryChange, DeliveryChanged

#: A platform may report on a message before its own answer to our send has come back to us.
TRIES: Final = 6
AGAIN_S: Final = 0.5


class Reports:
    """Carries reports into the record, and counts them once."""

    def __init__(
        self,
        journal: ReportedJournal,
        announcer: Announcer,
        hooks: Hooks,
        *,
        again_s: float = AGAIN_S,
    ) -> None:
        self._journal = journal
        self._announcer = announcer
        self._hooks = hooks
        self._again_s = again_s

    async def hear(self, event: Delivery) -> Receipt:
        """Write a report down. Raises `StoreUnavailable` where it cannot be now."""
        changed = await self._settled(event)
        if changed.change is DeliveryChange.BUSY:
            raise StoreUnavailable(f"turn {changed.turn_id} is being sent: its report cannot be taken yet")
        if changed.change in (DeliveryChange.UNKNOWN, DeliveryChange.NOTHING):
            return IGNORED
        emit(self._hooks, _told_of(event, changed))
        if changed.change is DeliveryChange.AGAIN:
            self._announcer.put(changed.chat_id, changed.weight)
        return DONE

    async def _settled(self, event: Delivery) -> DeliveryChanged:
        """Ask again for a moment, where bad news would be lost otherwise."""
        changed = await self._journal.delivered(event)
        for _ in range(TRIES - 1):
            is_early = changed.change is DeliveryChange.UNKNOWN and event.state is DeliveryState.FAILED
            if not (is_early or changed.change is DeliveryChange.BUSY):
                break
            await asyncio.sleep(self._again_s)
            changed = await self._journal.delivered(event)
        return changed


def _told_of(event: Delivery, changed: DeliveryChanged) -> MessageReported:
    return MessageReported(
        turn_id=changed.turn_id,
        adapter=event.adapter,
        state=event.state.value,
        failure=event.failure.value if event.failure else "",
        code=event.code,
        cost=cost_of(event.price),
        currency=event.currency,
    )


def cost_of(price: str) -> float:
    """Read a price; platforms write what we owe with a minus sign. What is no number costs nothing. Pure."""
    try:
        cost = abs(Decimal(price.strip()))
    except InvalidOperation:
        return 0.0
    return float(cost) if cost.is_finite() else 0.0
