"""How a reply reaches people: by the worker, or by the process that owns the platform's connection."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from adapters.base import LiveOutput, Platform, SendsFrom
from bot.clock import Clock
from bot.telemetry.events import Hooks
from bot.turns.delays import Delays
from bot.turns.draft_live import DraftLive
from bot.turns.edit_live import EditLive
from bot.turns.journal import Journal
from bot.turns.lease import Lease
from bot.turns.linking import Linking
from bot.turns.live import LiveBus
from bot.turns.live_reply import BusLive, LiveReply
from bot.turns.model import Turn
from bot.turns.notice_sending import NoticeSending
from bot.turns.send_policy import SendPolicy
from bot.turns.sending import Sending
from bot.turns.takeover import LateEffects
from bot.turns.typing_sign import TypingSign


class Delivery(Protocol):
    """Brings one platform's replies to people."""

    def live(self, turn: Turn, lease: Lease) -> AbstractAsyncContextManager[LiveReply]:
        """Show the reply while it grows; leaving means that no live output of ours follows."""
        ...

    async def deliver(self, turn: Turn, lease: Lease) -> None:
        """See to the sending of a stored reply; safe to repeat. Raises `AdapterError`."""
        ...

    async def look(self, turn: Turn, lease: Lease) -> Turn:
        """Look once more for what is in doubt, before a turn is given up; return what is known then."""
        ...

    async def restate(self, turn: Turn, lease: Lease) -> None:
        """Make the stored final text stand once more."""
        ...

    async def lost(self, turn: Turn, lease: Lease) -> None:
        """Hear that another may have the turn: what was shown live here may stand over its final text."""
        ...

    async def closed(self, turn: Turn) -> None:
        """Hear that a turn ended without a reply: what SQL holds for it (a notice, if any) is next."""
        ...

    def split(self, turn: Turn, markdown: str) -> tuple[str, ...]:
        """Cut a reply into the platform's messages."""
        ...


class WorkerDelivery:
    """Delivery for platforms that any worker may call."""

    def __init__(
        self,
        platform: Platform,
        journal: Journal,
        late: LateEffects,
        clock: Clock,
        *,
        notices: NoticeSending,
        policy: SendPolicy,
        delays: Delays,
        hooks: Hooks,
        linking: Linking | None = None,
    ) -> None:
        adapter = self._adapter = platform.adapter
        self._notices = notices
        self._late = late
        typing = TypingSign(platform)
        self._edits = EditLive(
            adapter, journal, late, clock, typing=typing, delays=delays, policy=policy, linking=linking
        )
        drafts = platform.drafts
        self._drafts = None if drafts is None else DraftLive(adapter, drafts, delays, linking=linking)
        self._sending = Sending(
            adapter, journal, late, clock, policy=policy, delays=delays, hooks=hooks, linking=linking
        )

    @asynccontextmanager
    async def live(self, turn: Turn, lease: Lease) -> AsyncIterator[LiveReply]:
        """Show drafts where the conversation has them, else edit a placeholder."""
        live = self._adapter.capabilities(turn.chat.conversation).live
        shown = self._edits if self._drafts is None or live is not LiveOutput.DRAFT else self._drafts
        async with shown.open(turn, lease) as reply:
            yield reply

    async def deliver(self, turn: Turn, lease: Lease) -> None:
        """Send what is not sent yet."""
        await self._sending.send(turn, lease)

    async def look(self, turn: Turn, lease: Lease) -> Turn:
        """Ask the platform."""
        return await self._sending.look(turn, lease)

    async def restate(self, turn: Turn, lease: Lease) -> None:
        """Edit the final text in again."""
        await self._sending.restate(turn, lease)

    async def lost(self, turn: Turn, lease: Lease) -> None:
        """Have the final text edited in again if an edit of ours may have come behind it."""
        if lease.may_have_overwritten:
            await self._late.restate(turn)

    async def closed(self, turn: Turn) -> None:
        """Send the notice before the chat is given back, so that it stands before the next reply."""
        await self._notices.send_of(turn.id)

    def split(self, turn: Turn, markdown: str) -> tuple[str, ...]:
        """Ask the adapter."""
        return tuple(self._adapter.split(markdown, turn.chat.conversation))


class OwnerDelivery:
    """Delivery for platforms whose owner sends: snapshots and a doorbell, the text itself from SQL."""

    def __init__(self, platform: Platform, bus: LiveBus) -> None:
        self._adapter = platform.adapter
        self._live = BusLive(bus)
        self._bus = bus

    @asynccontextmanager
    async def live(self, turn: Turn, lease: Lease) -> AsyncIterator[LiveReply]:
        """Publish snapshots."""
        async with self._live.open(turn) as reply:
            yield reply

    async def deliver(self, turn: Turn, lease: Lease) -> None:
        """Ring: the owner finds the stored reply in SQL."""
        await self._bus.ring(turn.chat.adapter)

    async def look(self, turn: Turn, lease: Lease) -> Turn:
        """Know nothing new: an owner repeats its operations without any doubt."""
        return turn

    async def restate(self, turn: Turn, lease: Lease) -> None:
        """Do nothing: an owner only ever sends the stored text."""

    async def lost(self, turn: Turn, lease: Lease) -> None:
        """Do nothing: snapshots are overtaken by number, and the stored text by nothing."""

    async def closed(self, turn: Turn) -> None:
        """Take the live reply away and ring for the notice."""
        await self._live.ended(turn)
        await self._bus.ring(turn.chat.adapter)

    def split(self, turn: Turn, markdown: str) -> tuple[str, ...]:
        """Ask the adapter."""
        return tuple(self._adapter.split(markdown, turn.chat.conversation))


def deliveries(
    platforms: Mapping[str, Platform],
    *,
    journal: Journal,
    bus: LiveBus,
    late: LateEffects,
    clock: Clock,
    policy: SendPolicy = SendPolicy.RESEND,
    delays: Delays,
    hooks: Hooks = (),
    linking: Linking | None = None,
) -> dict[str, Delivery]:
    """Choose each platform's delivery by who may call it."""
    notices = NoticeSending(platforms, journal, clock, delays, policy=policy, hooks=hooks)
    return {
        name: OwnerDelivery(platform, bus)
        if platform.adapter.sends_from is SendsFrom.OWNER
        else WorkerDelivery(
            platform,
            journal,
            late,
            clock,
            notices=notices,
            policy=policy,
            delays=delays,
            hooks=hooks,
            linking=linking,
        )
        for name, platform in platforms.items()
    }
