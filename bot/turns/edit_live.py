"""Live replies on platforms that edit: a placeholder first, then edits no faster than the platform allows."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from adapters.base import Adapter, Button, Capabilities, Edit, LiveOutput, LivePhase, Purpose
from adapters.errors import AdapterError, Ambiguous, RetryAfter, Unreachable
from bot.clock import Clock
from bot.errors import Fenced, StoreUnavailable
from bot.turns.buttons import while_growing
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.linking import GrowingLinks, Linking
from bot.turns.live_reply import LiveReply, Newest
from bot.turns.live_window import Beginning, Split, View, as_content
from bot.turns.model import Turn
from bot.turns.send_policy import LEFT, SendPolicy, leaves_doubt
from bot.turns.sign import PLACEHOLDER, sign, take_back
from bot.turns.takeover import LateEffects
from bot.turns.tasks import end, unbroken
from bot.turns.typing_sign import TypingSign

logger = logging.getLogger(__name__)

#: How often it is tried to take a placeholder back while the database is away.
MOST_TRIES = 5


class EditLive:
    """Opens live replies on one `sends_from: any` platform."""

    def __init__(
        self,
        adapter: Adapter,
        journal: Journal,
        late: LateEffects,
        clock: Clock,
        *,
        typing: TypingSign,
        delays: Delays,
        policy: SendPolicy = SendPolicy.RESEND,
        linking: Linking | None = None,
    ) -> None:
        """Keep whom to ask; without a `linking` no address is a live link."""
        self._adapter = adapter
        self._typing = typing
        self._journal = journal
        self._late = late
        self._clock = clock
        self._delays = delays
        self._policy = policy
        self._linking = linking

    @asynccontextmanager
    async def open(self, turn: Turn, lease: Lease) -> AsyncIterator["EditedReply"]:
        """Post a placeholder unless one stands, then edit; on leaving, the last edit has ended."""
        reply = EditedReply(turn)
        capabilities = self._adapter.capabilities(turn.chat.conversation)
        if capabilities.live is not LiveOutput.EDIT:
            async with self._typing.during(turn.chat):
                yield reply
            return
        pump = asyncio.create_task(self._pump(reply, capabilities, lease))
        try:
            yield reply
        finally:
            await reply.close(pump)

    async def _pump(self, reply: "EditedReply", capabilities: Capabilities, lease: Lease) -> None:
        beginning = Beginning(self._splitting(reply.turn), capabilities.text_limit)
        links = GrowingLinks(self._linking, reply.turn)
        async with self._typing.during(reply.turn.chat):
            text = await self._first(reply)
        reply.turn = await self._with_sign(reply.turn)
        stands: View | None = None
        while True:
            pause_s = capabilities.live_min_interval_s
            shown = beginning.of(text or PLACEHOLDER)
            view = View(shown, await links.of(shown))
            try:
                async with reply.on_platform:
                    if view != stands:
                        lease.require()
                        await self._show(reply, view, lease, is_text=bool(text))
                        stands = view
            except (RetryAfter, Unreachable) as error:
                pause_s = max(
                    pause_s, error.seconds if isinstance(error, RetryAfter) else self._delays.not_now_s
                )
            except (AdapterError, StoreUnavailable) as error:
                logger.info("live output of turn %s ends: %s", reply.turn.id, type(error).__name__)
                return
            await asyncio.sleep(pause_s)
            # What was refused is tried again also where nothing newer comes meanwhile.
            if view == stands or reply.newest.pending:
                text = _text(*await reply.newest.next())

    async def _first(self, reply: "EditedReply") -> str:
        """Wait for something to show, but no longer than a turn may go without a sign."""
        waited_s = (self._clock.now() - reply.turn.accepted_at).total_seconds()
        try:
            async with asyncio.timeout(max(0.0, self._delays.first_sign_s - waited_s)):
                return _text(*await reply.newest.next())
        except TimeoutError:
            return ""

    async def _show(self, reply: "EditedReply", view: View, lease: Lease, *, is_text: bool) -> None:
        turn, chat = reply.turn, reply.turn.chat
        if turn.placeholder is None:
            await self._post(reply, view)
        elif is_text:
            edit = Edit(
                op_id=f"{turn.id}-live",
                account=chat.account,
                conversation=chat.conversation,
                message=turn.placeholder,
                content=as_content(view.text),
                purpose=Purpose.REPLY,
                live=True,
                buttons=self._buttons(turn),
                links=view.links,
            )
            try:
                await self._adapter.edit(edit)
            finally:
                lease.shown()
            await self._late.check(turn, lease)

    async def _post(self, reply: "EditedReply", view: View) -> None:
        """Post the placeholder; one that the record does not keep is nobody's to edit, and is taken back."""
        turn = reply.turn
        operation = sign(
            turn.id,
            turn.chat,
            turn.said[-1].message,
            view.text,
            buttons=self._buttons(turn),
            links=view.links,
        )
        try:
            sent = await self._adapter.send(operation)
        except Ambiguous:
            if leaves_doubt(self._policy, self._adapter, turn.chat.conversation):
                await self._journal.placeholder_left(turn, self._clock.now() + LEFT)
            raise
        try:
            await self._journal.placeholder_posted(turn, sent.message)
        except Fenced:
            await take_back(self._adapter, self._journal, turn.id, turn.chat, sent.message)
            raise
        except StoreUnavailable:
            # It may stand in the record all the same, and somebody else may have edited the answer into it.
            await self._taken_back(turn, sent.message)
            raise
        reply.turn = replace(turn, placeholder=sent.message)

    async def _taken_back(self, turn: Turn, message: str) -> None:
        for _ in range(MOST_TRIES):
            try:
                await take_back(self._adapter, self._journal, turn.id, turn.chat, message)
            except StoreUnavailable:
                await asyncio.sleep(self._delays.not_now_s)
            else:
                return
        logger.warning("a placeholder of turn %s may stand beside its answer", turn.id)

    def _splitting(self, turn: Turn) -> Split:
        return partial(self._adapter.split, conversation=turn.chat.conversation)

    def _buttons(self, turn: Turn) -> tuple[Button, ...]:
        return while_growing(self._adapter.capabilities(turn.chat.conversation))

    async def _with_sign(self, turn: Turn) -> Turn:
        """Wait for a first sign that the notice task is posting, and edit that very message.

        No call is under way here, so a reply that is complete does not wait for it.
        """
        until = turn.sign_until
        while turn.placeholder is None and until is not None and until > self._clock.now():
            try:
                placeholder, until = await self._journal.sign_of(turn.id)
            except StoreUnavailable:
                placeholder = None
            turn = replace(turn, placeholder=placeholder)
            if placeholder is None:
                await asyncio.sleep(self._delays.sign_poll_s)
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
        try:
            # Also where the lease is lost meanwhile: cut off, the call would arrive behind a successor's final text.
            await unbroken(self._at_rest(pump))
        finally:
            await end({pump})
        if not pump.cancelled() and (error := pump.exception()):
            raise error

    async def _at_rest(self, pump: "asyncio.Task[None]") -> None:
        async with self.on_platform:
            pump.cancel()


def _text(phase: LivePhase, text: str) -> str:
    """Return the text that has come so far; nothing while there is only a state."""
    return text if phase is LivePhase.STREAMING and text.strip() else ""
