"""What the owner of a platform's connection sends: stored replies, notices, and live snapshots."""

import asyncio
import logging

from adapters.base import Adapter, LiveSurface, Purpose, Send
from adapters.errors import AdapterError
from adapters.markdown import parse
from bot.errors import StoreUnavailable
from bot.turns.journal import Journal
from bot.turns.journal.owed import OwedNotice, OwedReply
from bot.turns.live import LiveBus

logger = logging.getLogger(__name__)

#: Seconds between two looks into SQL when nothing rings: a ring can be lost.
POLL_S = 1.0
#: Replies and notices handed over at a time.
BATCH = 100


class Outbox:
    """Serves one `sends_from: owner` platform.

    Everything is sent by operation id and marked afterwards, so that a crash between the two repeats a send
    that the platform recognises. A chat whose send fails waits; the others go on.
    """

    def __init__(self, adapter: Adapter, live: LiveSurface | None, journal: Journal, bus: LiveBus) -> None:
        self._adapter = adapter
        self._live = live
        self._journal = journal
        self._bus = bus
        self._owed = asyncio.Event()
        self._out = False

    async def run(self) -> None:
        """Send and show until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            tasks.create_task(self._send_forever())

    async def _listen(self) -> None:
        async with self._bus.snapshots(self._adapter.name) as snapshots:
            async for snapshot in snapshots:
                if snapshot is None:
                    self._owed.set()
                elif self._live is not None:
                    await self._live.show(snapshot)

    async def _send_forever(self) -> None:
        while True:
            self._owed.clear()
            try:
                more = await self._send_owed()
                self._note_outage(out=False)
            except StoreUnavailable:
                more = False
                self._note_outage(out=True)
            if not more:
                await self._rung()

    async def _rung(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._owed.wait()
        except TimeoutError:
            return

    async def _send_owed(self) -> bool:
        """Hand over what is owed; tell whether there may be more at once."""
        owed = await self._journal.owed(self._adapter.name, BATCH)
        failed: set[str] = set()
        for item in owed:
            if item.chat.id in failed:
                continue
            try:
                await self._hand_over(item)
            except AdapterError as error:
                failed.add(item.chat.id)
                logger.warning(
                    "chat %s of %s waits: %s", item.chat.id, self._adapter.name, type(error).__name__
                )
        return len(owed) >= BATCH and not failed

    async def _hand_over(self, item: OwedReply | OwedNotice) -> None:
        if isinstance(item, OwedNotice):
            await self._post(item, item.op_id, item.text, Purpose.NOTICE, item.reply_to)
            await self._journal.notice_handed_over(item.notice_id)
            return
        for part in item.parts:
            reply_to = item.reply_to if part.number == 0 else None
            await self._post(item, part.op_id, part.text, Purpose.REPLY, reply_to)
        await self._journal.handed_over(item.turn_id)

    async def _post(
        self, item: OwedReply | OwedNotice, op_id: str, text: str, purpose: Purpose, reply_to: str | None
    ) -> None:
        await self._adapter.send(
            Send(
                op_id=op_id,
                account=item.chat.account,
                conversation=item.chat.conversation,
                content=parse(text),
                purpose=purpose,
                reply_to=reply_to,
            )
        )

    def _note_outage(self, *, out: bool) -> None:
        if out != self._out:
            self._out = out
            logger.warning(
                "the outbox of %s %s", self._adapter.name, "waits for the database" if out else "goes on"
            )
