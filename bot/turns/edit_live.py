"""Live replies on platforms that edit: a placeholder first, then edits no faster than the platform allows."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.base import Adapter, Capabilities, Edit, LiveOutput, LivePhase, Purpose, Send
from adapters.errors import AdapterError, RetryAfter
from adapters.markdown import parse
from bot.clock import Clock
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.live_reply import LiveReply, Newest
from bot.turns.model import Turn
from bot.turns.takeover import LateEffects

logger = logging.getLogger(__name__)

#: What stands in a placeholder until there is text.
PLACEHOLDER = "…"
#: Seconds between two looks for a sign that is on its way.
SIGN_POLL_S = 0.2


class EditLive:
    """Opens live replies on one `sends_from: any` platform."""

    def __init__(self, adapter: Adapter, journal: Journal, late: LateEffects, clock: Clock) -> None:
        self._adapter = adapter
        self._journal = journal
        self._late = late
        self._clock = clock

    @asynccontextmanager
    async def open(self, turn: Turn, lease: Lease) -> AsyncIterator["EditedReply"]:
        """Post a placeholder unless one stands, then edit; on leaving, the last edit has ended."""
        reply = EditedReply(turn)
        capabilities = self._adapter.capabilities(turn.chat.conversation)
        if capabilities.live is LiveOutput.NONE:
            yield reply
            return
        pump = asyncio.create_task(self._pump(reply, capabilities, lease))
        try:
            yield reply
        finally:
            await reply.close(pump)

    async def _pump(self, reply: "EditedReply", capabilities: Capabilities, lease: Lease) -> None:
        while True:
            phase, text = await reply.newest.next()
            shown = text if phase is LivePhase.STREAMING else PLACEHOLDER
            pause_s = capabilities.live_min_interval_s
            try:
                async with reply.on_platform:
                    lease.require()
                    await self._show(
                        reply, self._adapter.split(shown, reply.turn.chat.conversation)[0], lease
                    )
            except RetryAfter as error:
                pause_s = max(pause_s, error.seconds)
            except AdapterError as error:
                logger.info("live output of turn %s ends: %s", reply.turn.id, type(error).__name__)
                return
            await asyncio.sleep(pause_s)

    async def _show(self, reply: "EditedReply", text: str, lease: Lease) -> None:
        turn = reply.turn = await self._with_sign(reply.turn)
        chat = turn.chat
        if turn.placeholder is None:
            sent = await self._adapter.send(
                Send(
                    op_id=f"{turn.id}-sign",
                    account=chat.account,
                    conversation=chat.conversation,
                    content=parse(text),
                    purpose=Purpose.PLACEHOLDER,
                    reply_to=turn.said[-1].message,
                )
            )
            await self._journal.placeholder_posted(turn, sent.message)
            reply.turn = replace(turn, placeholder=sent.message)
            return
        edit = Edit(
            op_id=f"{turn.id}-live",
            account=chat.account,
            conversation=chat.conversation,
            message=turn.placeholder,
            content=parse(text),
            purpose=Purpose.REPLY,
        )
        await self._adapter.edit(edit)
        await self._late.check(turn, lease)

    async def _with_sign(self, turn: Turn) -> Turn:
        """Wait for a first sign that the notice task is posting, and edit that very message."""
        while turn.placeholder is None:
            placeholder, until = await self._journal.sign_of(turn.id)
            turn = replace(turn, placeholder=placeholder)
            if placeholder is not None or until is None or until <= self._clock.now():
                break
            await asyncio.sleep(SIGN_POLL_S)
        return turn


class EditedReply(LiveReply):
    """One live reply; `turn` knows its placeholder once it was posted."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.newest = Newest()
        self.on_platform = asyncio.Lock()

    def show(self, text: str) -> None:
        """Show the reply so far."""
        self.newest.show(text)

    def warming(self, reason: str) -> None:
        """Show the placeholder: a sentence that changes every second would only cost edits."""
        self.newest.warming(reason)

    async def close(self, pump: "asyncio.Task[None]") -> None:
        """Let a call that is on the platform end, start no other, and pass on what the pump raised."""
        async with self.on_platform:
            pump.cancel()
        await asyncio.wait({pump})
        if not pump.cancelled() and (error := pump.exception()):
            raise error
