"""Retention: what people wrote goes when it has become too old, by itself and a little at a time."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.chat.believing import TRUST_AFTER_S, BelievedClock
from bot.clock import Clock
from bot.errors import ContextUnavailable, StoreUnavailable
from bot.turns.journal.retaining import Due, Retaining
from bot.turns.model import Chat

logger = logging.getLogger(__name__)

#: Seconds between two sweeps; and where words go at once, seconds that a finished turn still has for its late edits.
SWEEP_S = 240.0
AT_ONCE_S = 30.0
#: Seconds between two notes of a sweep: less than the step of a clock that is believed at once.
_NOTE_S = 3600.0
#: Between two transactions, so that a sweep of years holds nobody up.
_PAUSE_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStore:
    """What an adapter keeps in a store of its own, for people to read again: a day at least."""

    #: Drops what is from before an instant; how much that was. May raise `StoreUnavailable`.
    drop: Callable[[datetime], Awaitable[int]]
    #: The adapter whose store it is; empty where its conversations are no chats.
    adapter: str = ""
    #: Drops it in one conversation alone, for a chat that keeps less. May raise `StoreUnavailable`.
    drop_in: Callable[[str, datetime], Awaitable[int]] | None = None
    #: For how many days it is kept; 0 is as long as the deployment keeps words. Never longer than that.
    days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Where words are beside the record's turns."""

    #: Drops a cached context. Raises `ContextUnavailable`.
    drop_context: Callable[[Chat], Awaitable[None]]
    #: Takes what was deleted out of the database's files. Raises `StoreUnavailable`.
    scrub: Callable[[], Awaitable[None]]
    #: Seconds between two of those.
    scrub_every_s: float = 0.0
    stores: tuple[OwnStore, ...] = ()


class Retention:
    """Sweeps away what is older than a deployment, or a chat for itself, keeps."""

    def __init__(self, retaining: Retaining, elsewhere: Elsewhere, clock: Clock, *, days: int) -> None:
        self._retaining = retaining
        self._elsewhere = elsewhere
        self._clock = clock
        self._days = days
        self._believed = BelievedClock()
        self._doubts = False
        self._unclean = False
        self._cleaned_s = -math.inf
        self._noted_s = -math.inf

    async def due(self) -> Due:
        """Count what the next sweep would take. Raises `StoreUnavailable`."""
        due = await self._retaining.due(self._before(self._days), self._days)
        for chat_id, days in await self._retaining.stricter(self._days):
            more = await self._retaining.due_of(chat_id, self._before(days))
            due = Due(turns=due.turns + more.turns, chats=due.chats + more.chats)
        return due

    async def sweep(self) -> int:
        """Take everything that is too old now, in small steps; how many turns that were. Raises `StoreUnavailable`."""
        swept = await self._sweep(self._before(self._days))
        dropped = await self._drop_memories(self._days)
        for chat_id, days in await self._retaining.stricter(self._days):
            swept += await self._sweep(self._before(days), chat_id)
            dropped += await self._drop_memories(days, chat_id)
        while exports := await self._retaining.drop_exports(self._before(0), self._clock.now()):
            dropped += exports
        await self._drop_names()
        await self._retaining.drop_tombstones(self._clock.now())
        for store in self._elsewhere.stores:
            dropped += await self._drop_stricter(store)
            dropped += await store.drop(self._store_before(store))
        self._unclean = self._unclean or bool(swept or dropped)
        await self._scrub()
        return swept

    async def run(self) -> None:
        """Sweep until cancelled. A database that is away, or a clock that jumped, is logged once."""
        away = False
        while True:
            try:
                if await self._may_sweep():
                    await self._note()
                    if swept := await self.sweep():
                        logger.info("the words of %d turns went: they were older than they may become", swept)
            except StoreUnavailable as exc:
                if not away:
                    logger.warning("retention waits for the database: %s", exc)
                away = True
            else:
                away = False
            await asyncio.sleep(await self._pause_s())

    async def _scrub(self) -> None:
        now_s = self._clock.monotonic()
        if self._unclean and now_s - self._cleaned_s >= self._elsewhere.scrub_every_s:
            await self._elsewhere.scrub()
            self._unclean, self._cleaned_s = False, now_s

    async def _note(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._noted_s >= _NOTE_S:
            await self._retaining.note_sweep(self._clock.now())
            self._noted_s = now_s

    async def _may_sweep(self) -> bool:
        newest, has_looked = await self._retaining.newest(), self._believed.has_looked
        believes = self._believed.believes(self._clock.now(), self._clock.monotonic(), newest)
        if not believes and not self._doubts:
            if has_looked:
                logger.warning(
                    "the clock is more than a day ahead of where it should be: nothing is swept for %d minutes; "
                    "if it is wrong, set it right until then",
                    TRUST_AFTER_S // 60,
                )
            else:
                logger.warning(
                    "nothing was written here for more than a day: nothing is swept for %d minutes, in case the "
                    "clock is ahead; if it is right, there is nothing to do",
                    TRUST_AFTER_S // 60,
                )
        self._doubts = not believes
        return believes

    async def _pause_s(self) -> float:
        try:
            stricter = await self._retaining.stricter(self._days)
        except StoreUnavailable:
            return SWEEP_S
        shortest = min([self._days, *(days for _, days in stricter)])
        return SWEEP_S if shortest else AT_ONCE_S

    async def _sweep(self, before: datetime, chat_id: str | None = None) -> int:
        turns, behind = 0, ""
        while True:
            swept = await self._retaining.sweep(before, self._clock.now(), chat_id=chat_id, behind=behind)
            turns += swept.turns
            for chat in swept.chats:
                await self._drop(chat)
            if swept.behind is None:
                return turns
            behind = swept.behind
            await asyncio.sleep(_PAUSE_S)

    async def _drop_memories(self, days: int, chat_id: str | None = None) -> int:
        """Where nothing is kept any more, take away what was to be remembered until somebody deletes it."""
        dropped = 0
        while days <= 0 and (chats := await self._retaining.drop_memories(chat_id)):
            dropped += len(chats)
            for chat in chats:
                await self._drop(chat)
        return dropped

    async def _drop_names(self) -> None:
        more = True
        while more:
            more = await self._retaining.drop_names(self._before(self._days), self._clock.now())
            await asyncio.sleep(_PAUSE_S)

    async def _drop(self, chat: Chat) -> None:
        try:
            await self._elsewhere.drop_context(chat)
        except ContextUnavailable:
            # Its version no longer fits, so nobody reads it; and it goes with its time to live.
            logger.debug("the cached context of chat %s could not be dropped", chat.id)

    async def _drop_stricter(self, store: OwnStore) -> int:
        if store.drop_in is None:
            return 0
        stricter = await self._retaining.stricter_of(store.adapter, self._days)
        return sum(
            [
                await store.drop_in(conversation, self._store_before(store, days))
                for conversation, days in stricter
            ]
        )

    def _store_before(self, store: OwnStore, chats_days: int | None = None) -> datetime:
        days = self._days if chats_days is None else min(chats_days, self._days)
        return self._before(max(min(store.days or days, days), 1))

    def _before(self, days: int) -> datetime:
        return self._clock.now() - max(timedelta(days=days), timedelta(seconds=AT_ONCE_S))
