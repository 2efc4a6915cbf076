"""The memory a worker works with: the cache where it is current, else SQL; losing the cache is no error."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from bot.chat.context import Context, ContextStore
from bot.errors import ContextUnavailable
from bot.turns.model import Background, Chat, Exchange, Turn

logger = logging.getLogger(__name__)

#: `Journal.exchanges`: reads the exchanges that a chat still remembers (`ord` from `context_from` on) and that
#: stand before an `ord`, oldest first.
Exchanges = Callable[[Chat, int], Awaitable[Sequence[Exchange]]]
#: `Journal.background`: reads what stands before them.
Backgrounds = Callable[[Chat], Awaitable[Background]]
#: Above every `ord`: what is cached is always the whole memory, also where a requeued turn asks.
_END = 2**62


class ContextKeeper:
    """Loads, rebuilds and extends what chats remember.

    Only SQL's errors leave it; an outage of the cache is logged once, and so is its end.
    """

    def __init__(self, *, store: ContextStore, exchanges: Exchanges, background: Backgrounds) -> None:
        self._store = store
        self._exchanges = exchanges
        self._background = background
        self._out = False

    async def recall(self, turn: Turn) -> Context:
        """Return the context that a claimed turn follows, byte for byte as it was said."""
        return (await self.remembered(turn.chat)).before(turn.ord)

    async def remembered(self, chat: Chat) -> Context:
        """Return all that a chat remembers, as SQL knew it when `chat` was read."""
        if chat.context_version == 0:  # nothing was ever said: there is nothing to read
            return Context(version=0, context_from=chat.context_from, exchanges=())
        async with self._cache():
            context = await self._store.load(chat)
            if context is not None and context.is_of(chat):
                return context
        rebuilt = await self._rebuilt(chat)
        if not self._out:
            async with self._cache():
                await self._store.save(chat, rebuilt)
        return rebuilt

    async def add(self, chat: Chat, exchange: Exchange, *, version: int) -> None:
        """Cache an exchange that SQL has committed, for a turn that stays in the context.

        `chat` is as the claim read it, `version` its `context_version` after the commit. A call that never
        happens costs a rebuild.
        """
        async with self._cache():
            if version != chat.context_version + 1:
                # Something else changed meanwhile, as a summary does: what is cached does not have it.
                await self._store.drop(chat)
            elif chat.context_version == 0:
                first = Context(version=version, context_from=chat.context_from, exchanges=(exchange,))
                await self._store.save(chat, first)
            else:
                await self._store.append(chat, exchange, version)

    async def forget(self, chat: Chat) -> None:
        """Take a chat out of the cache, after a reset; SQL's version has moved on, so nothing old is read."""
        async with self._cache():
            await self._store.drop(chat)

    async def _rebuilt(self, chat: Chat) -> Context:
        background = await self._background(chat)
        exchanges = tuple(await self._exchanges(chat, _END))
        return Context(
            version=chat.context_version,
            context_from=chat.context_from,
            exchanges=exchanges,
            background=background,
        )

    @asynccontextmanager
    async def _cache(self) -> AsyncIterator[None]:
        """Do without the cache where it is out."""
        try:
            yield
        except ContextUnavailable as exc:
            self._note(out=True, why=str(exc))
        else:
            self._note(out=False)

    def _note(self, *, out: bool, why: str = "") -> None:
        if out == self._out:
            return
        self._out = out
        if out:
            logger.warning("the context cache is out, contexts are read from the database: %s", why)
        else:
            logger.info("the context cache is back")
