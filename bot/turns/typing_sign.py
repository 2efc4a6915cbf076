"""Typing: the lightest sign that a reply is on its way, where a platform has one."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.base import Platform
from adapters.errors import AdapterError, RetryAfter
from bot.turns.model import Chat
from bot.turns.tasks import end

logger = logging.getLogger(__name__)

#: The share of its life after which the sign is given again.
AGAIN_AT = 0.8


class TypingSign:
    """Has it shown on one `sends_from: any` platform that the assistant writes."""

    def __init__(self, platform: Platform) -> None:
        self._typing = platform.typing
        self._adapter = platform.adapter

    @asynccontextmanager
    async def during(self, chat: Chat) -> AsyncIterator[None]:
        """Keep the sign standing until this is left; a platform that has none, or refuses it, costs nothing."""
        lasts_s = self._adapter.capabilities(chat.conversation).typing_lasts_s
        if self._typing is None or lasts_s <= 0:
            yield
            return
        keeping = asyncio.create_task(self._keep(chat, lasts_s))
        try:
            yield
        finally:
            await end({keeping})

    async def _keep(self, chat: Chat, lasts_s: float) -> None:
        assert self._typing is not None
        while True:
            pause_s = lasts_s * AGAIN_AT
            try:
                # A sign that is late is none, and nobody waits for it.
                async with asyncio.timeout(lasts_s):
                    await self._typing.typing(chat.account, chat.conversation)
            except RetryAfter as error:
                pause_s = max(pause_s, error.seconds)
            except (AdapterError, TimeoutError) as error:
                logger.info("chat %s is shown no typing: %s", chat.id, type(error).__name__)
                return
            await asyncio.sleep(pause_s)
