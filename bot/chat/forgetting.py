"""Forgetting on request: out of the record first, then out of every cache, and out of the files within a minute."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from adapters.base import ConversationKind
from bot.chat.ambient import AmbientStore
from bot.chat.context import ContextStore
from bot.chat.own_histories import OwnHistories
from bot.errors import AsideError, ContextUnavailable, StoreUnavailable
from bot.turns.journal.forgetting import Forgetting, Forgotten
from bot.turns.model import Chat

logger = logging.getLogger(__name__)

#: Seconds after which whoever worked on a forgotten turn has heard of it, and publishes nothing of it any more.
SETTLE_S = 3.0
#: Seconds between two cleanings of the files: each of them locks a table, or writes a file anew.
PACE_S = 20.0
#: Seconds for which gateways may still hold a chat's old key.
DEAF_S = 15.0
#: Seconds after which what failed is tried again: at first, and at most.
_AGAIN_S = 5.0
_AGAIN_AT_MOST_S = 40.0
#: Seconds between two looks for what another process had forgotten, and this one keeps the history of.
_LOOK_S = 5.0
#: Time after which whoever owes a cleaning is taken to be gone.
_GONE_AFTER = timedelta(minutes=3)


class LiveTraces(Protocol):
    """What of running turns is outside the record."""

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker to stop a turn."""
        ...

    async def forget(self, adapter: str, turn_ids: Collection[str]) -> None:
        """Drop what is kept of some turns. Raises `ScheduleUnavailable`."""
        ...


class OwedCleanings(Protocol):
    """Where it stands that something is still to be cleaned. Every call raises `StoreUnavailable`."""

    async def owe(self) -> str:
        """Write down that files are to be cleaned; returns the id."""
        ...

    async def owed(self, age: timedelta | None = None) -> dict[str, Chat | None]:
        """Read what is owed (for that long at least), and which chat's caches are meant, too; by id."""
        ...

    async def done(self, cleanings: Collection[str]) -> None:
        """Cross some off; one that is not there is fine."""
        ...

    async def recent(self, chat_id: str) -> tuple[str, ...]:
        """Name the turns of a chat of which a live snapshot may still be kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where something of a chat is beside the record's rows."""

    contexts: ContextStore
    ambient: AmbientStore
    live: LiveTraces
    #: Takes what was deleted out of the database's files. Raises `StoreUnavailable`.
    scrub: Callable[[], Awaitable[None]]
    #: Takes it out of Redis' file. Raises `ScheduleUnavailable`. None where there is no Redis.
    rewrite_log: Callable[[], Awaitable[None]] | None
    #: What is owed, whatever crashes.
    cleanings: OwedCleanings
    #: What adapters keep themselves. None where none does.
    histories: OwnHistories | None = None


@dataclass(slots=True, kw_only=True)
class _Owed:
    """What is out of the record and still to be cleaned away elsewhere."""

    chats: dict[str, Chat] = field(default_factory=dict)
    turns: dict[str, set[str]] = field(default_factory=dict)
    #: What is crossed off in the end.
    cleanings: set[str] = field(default_factory=set)
    #: What is done is not done again because something after it failed.
    files: bool = False
    log: bool = False

    def add(self, cleaning: str, chat: Chat | None, recent: Collection[str]) -> None:
        self.cleanings.add(cleaning)
        self.files = self.log = True
        if chat is not None:
            self.chats[chat.id] = chat
            self.turns.setdefault(chat.adapter, set()).update(recent)

    def add_all(self, other: "_Owed") -> None:
        self.chats |= other.chats
        for adapter, turn_ids in other.turns.items():
            self.turns.setdefault(adapter, set()).update(turn_ids)
        self.cleanings |= other.cleanings
        self.files, self.log = self.files or other.files, self.log or other.log


class Forgetter:
    """Forgets chats and people. Every call raises `StoreUnavailable`, and `VaultError` where a row is damaged.

    When a call returns, nothing of it can be read by anybody who uses the assistant. Files follow: by `run`, within
    a minute, or by `clean`.
    """

    def __init__(
        self,
        forgetting: Forgetting,
        traces: Traces,
        *,
        settle_s: float = SETTLE_S,
        pace_s: float = PACE_S,
        look_s: float = _LOOK_S,
    ) -> None:
        self._forgetting = forgetting
        self._traces = traces
        self._settle_s = settle_s
        self._pace_s = pace_s
        self._look_s = look_s
        self._owed = _Owed()
        self._wanted = asyncio.Event()

    async def knows(self, adapter: str, account: str, event_key: str) -> bool:
        """Tell whether a wish was carried out before: the platform delivers it once more."""
        return await self._forgetting.knows(adapter, account, event_key)

    async def chat(self, chat_id: str) -> Forgotten:
        """Forget everything of a chat. Raises `LookupError`."""
        return await self._traceless(await self._forgetting.forget_chat(chat_id))

    async def person(self, chat: Chat, sender_id: str, names: Collection[str] = ()) -> Forgotten:
        """Forget one person in a chat; in a direct chat that is all of it. Raises `LookupError`."""
        if chat.kind is ConversationKind.DIRECT:
            return await self.chat(chat.id)
        return await self._traceless(await self._forgetting.forget_person(chat.id, sender_id, names))

    async def everywhere(
        self,
        adapter: str,
        account: str,
        sender_id: str,
        names: Collection[str] = (),
        *,
        asked_in: str | None = None,
    ) -> list[Forgotten]:
        """Forget one person in every chat of an account that keeps words of theirs, and where they ask for it."""
        found = await self._forgetting.chats_of(adapter, account, sender_id, asked_in=asked_in)
        return [await self.person(chat, sender_id, names) for chat in found]

    async def clean(self) -> None:
        """Take what was forgotten out of caches and files. Raises `AsideError` for what cannot be reached now."""
        owed, self._owed = self._owed, _Owed()
        self._wanted.clear()
        try:
            await asyncio.sleep(self._settle_s)
            await self._clear_caches(owed)
            trouble = await self._forget_histories(owed)
            # What one history cannot forget now must not keep everybody's files from being cleaned.
            await self._clean_files(owed)
            await self._cross_off(owed, trouble)
        except BaseException:
            self._owed.add_all(owed)
            self._wanted.set()
            raise

    async def run(self) -> None:
        """Clean after everything that is forgotten, until cancelled; trouble is logged once."""
        trouble, again_s = False, _AGAIN_S
        with suppress(StoreUnavailable):
            await self._adopt()
        while True:
            await self._until_wanted()
            try:
                await self.clean()
            except (AsideError, OSError) as exc:
                if not trouble:
                    logger.warning("what was forgotten is still in a cache or a file: %s", exc)
                trouble = True
                await asyncio.sleep(random.uniform(again_s / 2, again_s))  # noqa: S311 - jitter, no secret
                again_s = min(again_s * 2, _AGAIN_AT_MOST_S)
            else:
                if trouble:
                    logger.info("what was forgotten is out of caches and files")
                trouble, again_s = False, _AGAIN_S
                await asyncio.sleep(self._pace_s)

    async def _clear_caches(self, owed: _Owed) -> None:
        for chat in owed.chats.values():
            await self._drop(chat)
        for adapter, turn_ids in owed.turns.items():
            await self._traces.live.forget(adapter, turn_ids)

    async def _forget_histories(self, owed: _Owed) -> AsideError | None:
        histories = self._traces.histories
        if histories is None or not await histories.any_pending():
            return None
        if not owed.cleanings:
            owed.cleanings.add(await self._traces.cleanings.owe())
        carried = await histories.carry_out()
        owed.files = owed.files or carried.forgotten > 0
        return carried.trouble

    async def _clean_files(self, owed: _Owed) -> None:
        if owed.files:
            await self._traces.scrub()
            owed.files = False
        if owed.log and self._traces.rewrite_log is not None:
            await self._traces.rewrite_log()
        owed.log = False

    async def _cross_off(self, owed: _Owed, trouble: AsideError | None) -> None:
        if trouble is not None:
            raise trouble
        await self._traces.cleanings.done(owed.cleanings)

    async def _adopt(self, age: timedelta | None = None) -> None:
        """Take on what others owe (for that long): they may be gone, and cleaning twice does no harm."""
        cleanings = self._traces.cleanings
        found = await cleanings.owed(age)
        for cleaning in found.keys() - self._owed.cleanings:
            chat = found[cleaning]
            self._owed.add(cleaning, chat, await cleanings.recent(chat.id) if chat else ())
            self._wanted.set()

    async def _until_wanted(self) -> None:
        """Wait until this process has forgotten something, or another has that this one keeps the history of."""
        while not self._wanted.is_set():
            if await self._wanted_elsewhere():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._wanted.wait()

    async def _wanted_elsewhere(self) -> bool:
        histories = self._traces.histories
        try:
            await self._adopt(_GONE_AFTER)
            return self._wanted.is_set() or (histories is not None and await histories.any_pending())
        except StoreUnavailable:
            return False

    async def _traceless(self, forgotten: Forgotten) -> Forgotten:
        for turn_id in forgotten.held:
            await self._traces.live.signal_stop(turn_id)
        try:
            await self._drop(forgotten.chat)
        except ContextUnavailable:
            logger.debug("the caches of chat %s follow later", forgotten.chat.id)
        self._owed.add(forgotten.cleaning, forgotten.chat, forgotten.recent)
        self._wanted.set()
        logger.info("chat %s: %d turns are forgotten", forgotten.chat.id, forgotten.turns)
        return forgotten

    async def _drop(self, chat: Chat) -> None:
        await self._traces.contexts.drop(chat)
        await self._traces.ambient.drop(chat, deaf_s=DEAF_S)
