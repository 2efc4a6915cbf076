"""Forgetting on request: out of the record first, then out of every cache, and out of the files within a minute."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
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


class LiveTraces(Protocol):
    """What of running turns is outside the record."""

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker to stop a turn."""
        ...

    async def forget(self, adapter: str, turn_ids: Collection[str]) -> None:
        """Drop what is kept of some turns. Raises `ScheduleUnavailable`."""
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
    #: Cleaning holds nobody up here: it is done at the start, too, lest a crash came between forgetting and cleaning.
    cheap: bool = False
    #: What adapters keep themselves. None where none does.
    histories: OwnHistories | None = None


@dataclass(slots=True, kw_only=True)
class _Owed:
    """What is out of the record and still to be cleaned away elsewhere."""

    chats: dict[str, Chat] = field(default_factory=dict)
    turns: dict[str, set[str]] = field(default_factory=dict)

    def add(self, forgotten: Forgotten) -> None:
        chat = forgotten.chat
        self.chats[chat.id] = chat
        self.turns.setdefault(chat.adapter, set()).update(forgotten.recent)


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
        self, adapter: str, account: str, sender_id: str, names: Collection[str] = ()
    ) -> list[Forgotten]:
        """Forget one person in every chat of an account."""
        found = await self._forgetting.chats_of(adapter, account, sender_id)
        return [await self.person(chat, sender_id, names) for chat in found]

    async def clean(self) -> None:
        """Take what was forgotten out of caches and files. Raises `AsideError` for what cannot be reached now."""
        owed, self._owed = self._owed, _Owed()
        self._wanted.clear()
        try:
            await asyncio.sleep(self._settle_s)
            for chat in owed.chats.values():
                await self._drop(chat)
            for adapter, turn_ids in owed.turns.items():
                await self._traces.live.forget(adapter, turn_ids)
            try:
                await self._forget_histories()
            except AsideError:
                # What one history cannot forget now must not keep everybody's files from being cleaned.
                await self._clean_files()
                raise
            await self._clean_files()
        except BaseException:
            self._owe(owed)
            raise

    async def run(self) -> None:
        """Clean after everything that is forgotten, until cancelled; trouble is logged once."""
        trouble, again_s = False, _AGAIN_S
        with suppress(StoreUnavailable):
            if self._traces.cheap and await self._forgetting.was_busy():
                self._wanted.set()
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

    async def _forget_histories(self) -> None:
        if self._traces.histories is not None:
            await self._traces.histories.carry_out()

    async def _clean_files(self) -> None:
        await self._traces.scrub()
        if self._traces.rewrite_log is not None:
            await self._traces.rewrite_log()

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
            return histories is not None and await histories.any_pending()
        except StoreUnavailable:
            return False

    async def _traceless(self, forgotten: Forgotten) -> Forgotten:
        for turn_id in forgotten.held:
            await self._traces.live.signal_stop(turn_id)
        try:
            await self._drop(forgotten.chat)
        except ContextUnavailable:
            logger.debug("the caches of chat %s follow later", forgotten.chat.id)
        self._owed.add(forgotten)
        self._wanted.set()
        logger.info("chat %s: %d turns are forgotten", forgotten.chat.id, forgotten.turns)
        return forgotten

    async def _drop(self, chat: Chat) -> None:
        await self._traces.contexts.drop(chat)
        await self._traces.ambient.drop(chat, deaf_s=DEAF_S)

    def _owe(self, owed: _Owed) -> None:
        self._owed.chats |= owed.chats
        for adapter, turn_ids in owed.turns.items():
            self._owed.turns.setdefault(adapter, set()).update(turn_ids)
        self._wanted.set()
