"""Asking Telegram for updates: one process of all replicas at a time, nothing confirmed before the core has it.

Asking for what is behind an offset confirms what is before it. So the offset moves only over updates whose every
event the core has taken; after an outage the same updates come again, and the record knows them.
"""

import asyncio
import logging
import random
from collections.abc import Iterable

from adapters.base import Sink
from adapters.errors import AdapterError, RetryAfter
from adapters.polling_lease import PollingLease
from adapters.telegram.calls import Calls
from adapters.telegram.handing import Handing
from adapters.telegram.identity import Me
from adapters.telegram.parse import lane_of, update_id
from adapters.telegram.refusals import Conflicted
from adapters.telegram.settings import TelegramSettings
from adapters.telegram.standing import Standing

logger = logging.getLogger(__name__)


class Backoff:
    """How long to wait before the next try: doubling, with jitter, up to a cap."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._next_s = first_s

    def worked(self) -> None:
        """Begin anew with the next failure."""
        self._next_s = self._first_s

    def next_s(self) -> float:
        """Return what to wait now, and wait longer the next time."""
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, self._most_s)
        return wait_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter guards nothing


class Polling:
    """Takes updates in while it holds the lease."""

    def __init__(
        self,
        settings: TelegramSettings,
        calls: Calls,
        handing: Handing,
        lease: PollingLease,
        *,
        standing: Standing,
        kinds: tuple[str, ...],
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._handing = handing
        self._lease = lease
        self._standing = standing
        self._kinds = kinds
        self._is_out = False

    async def run(self, me: Me, sink: Sink) -> None:
        """Take updates in until cancelled."""
        backoff = Backoff(self._settings.again_s, self._settings.again_most_s)
        offset = 0
        try:
            while True:
                if not await self._lease.keep():
                    await asyncio.sleep(self._settings.again_s)
                    continue
                try:
                    offset, is_done = await self._once(offset, me, sink)
                except RetryAfter as told:
                    await asyncio.sleep(told.seconds)
                    continue
                except AdapterError:
                    is_done = False  # the standing has said so
                if is_done:
                    backoff.worked()
                else:
                    await asyncio.sleep(backoff.next_s())
        finally:
            await self._lease.give_back()

    async def _once(self, offset: int, me: Me, sink: Sink) -> tuple[int, bool]:
        """Ask once and hand over what comes; return the next offset, and whether all of it was taken."""
        try:
            with self._standing.watching():
                updates = await self._calls.updates(offset, self._kinds)
        except Conflicted:
            await self.end_webhook()
            raise
        numbered = [(number, update) for update in updates if (number := update_id(update)) is not None]
        failed = await self._hand_over(numbered, me, sink)
        self._note(failed)
        # The next request confirms what was taken before the first failure, and brings the rest again.
        behind = max((number + 1 for number, _ in numbered), default=offset)
        return min(failed, default=behind), not failed

    async def end_webhook(self) -> None:
        """Take a webhook away, which would keep updates from being asked for; what is pending stays."""
        info = await self._calls("getWebhookInfo")
        if isinstance(info, dict) and info.get("url"):
            logger.warning(
                "Telegram had a webhook set for this bot: it is taken away, as updates are asked for"
            )
            await self._calls("deleteWebhook", drop_pending_updates=False)

    async def _hand_over(self, numbered: Iterable[tuple[int, object]], me: Me, sink: Sink) -> list[int]:
        """Hand updates over, each chat's in their order; return the numbers of those that failed."""
        lanes: dict[str, list[tuple[int, object]]] = {}
        for number, update in numbered:
            lanes.setdefault(lane_of(update), []).append((number, update))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._lane(lane, me, sink)) for lane in lanes.values()]
        return [failed for task in tasks if (failed := task.result()) is not None]

    async def _lane(self, lane: list[tuple[int, object]], me: Me, sink: Sink) -> int | None:
        for number, update in lane:
            try:
                async with asyncio.timeout(self._settings.accept_s):
                    await self._handing.hand_over(update, me, sink)
            except Exception as exc:  # noqa: BLE001 - intake's loop top: whatever it was, it may be handed over again
                self._failed_by(exc)
                return number
        return None

    def _failed_by(self, exc: Exception) -> None:
        if not self._is_out:
            logger.warning("the core takes no updates of Telegram's: %s", type(exc).__name__)
        self._is_out = True

    def _note(self, failed: list[int]) -> None:
        if self._is_out and not failed:
            logger.info("the core takes updates of Telegram's again")
            self._is_out = False
