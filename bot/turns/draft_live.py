"""Live replies on platforms that have drafts: each shows in place of the one before, and the final message ends it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from adapters.base import Adapter, Drafting, LivePhase
from adapters.errors import AdapterError, RetryAfter, Unreachable
from bot.turns.delays import Delays
from bot.turns.edit_live import EditedReply
from bot.turns.lease import Lease
from bot.turns.linking import GrowingLinks, Linking
from bot.turns.live_reply import LiveReply
from bot.turns.live_window import Ending, View, as_content
from bot.turns.model import Turn

logger = logging.getLogger(__name__)

#: Seconds after which a draft is shown once more: platforms take one away that stands unchanged for half a minute.
REFRESH_S: Final = 20.0


class DraftLive:
    """Opens live replies in conversations whose `live` is `DRAFT`; nothing of a draft is kept or stays behind."""

    def __init__(
        self,
        adapter: Adapter,
        drafts: Drafting,
        delays: Delays,
        *,
        refresh_s: float = REFRESH_S,
        linking: Linking | None = None,
    ) -> None:
        """Keep whom to ask; without a `linking` no address is a live link."""
        self._adapter = adapter
        self._drafts = drafts
        self._delays = delays
        self._refresh_s = refresh_s
        self._linking = linking

    @asynccontextmanager
    async def open(self, turn: Turn, lease: Lease) -> AsyncIterator[LiveReply]:
        """Show that the turn was taken, then what comes; on leaving, the last draft has been shown."""
        reply = EditedReply(turn)
        pump = asyncio.create_task(self._pump(reply, lease))
        try:
            yield reply
        finally:
            await reply.close(pump)

    async def _pump(self, reply: EditedReply, lease: Lease) -> None:
        conversation = reply.turn.chat.conversation
        # Of a reply that outgrew one message its end is what people wait for.
        ending = Ending(partial(self._adapter.split, conversation=conversation))
        links = GrowingLinks(self._linking, reply.turn)
        text = ""
        while True:
            pause_s = self._adapter.capabilities(conversation).live_min_interval_s
            shown = ending.of(text) if text else ""
            view = View(shown, await links.of(shown))
            try:
                async with reply.on_platform:
                    lease.require()
                    await self._show(reply.turn, view)
            except RetryAfter as error:
                pause_s = max(pause_s, error.seconds)
            except Unreachable:
                pause_s = max(pause_s, self._delays.not_now_s)
            except AdapterError as error:
                logger.info("drafts of turn %s end: %s", reply.turn.id, type(error).__name__)
                return
            await asyncio.sleep(pause_s)
            text = await self._next(reply, text)

    async def _show(self, turn: Turn, view: View) -> None:
        chat, content = turn.chat, as_content(view.text) if view.text else None
        await self._drafts.draft(chat.account, chat.conversation, turn.id, content, view.links)

    async def _next(self, reply: EditedReply, known: str) -> str:
        """Wait for something newer, but not until what is shown vanishes."""
        try:
            async with asyncio.timeout(self._refresh_s):
                phase, text = await reply.newest.next()
        except TimeoutError:
            return known
        return text if phase is LivePhase.STREAMING and text.strip() else known
