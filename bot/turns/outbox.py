"""What the owner of a platform's connection sends: stored replies, notices, and live snapshots."""

import asyncio
import logging

from adapters.base import Adapter, LiveSurface, Purpose, Send
from adapters.errors import AdapterError, Gone, Moved, PolicyBlocked, Rejected, WindowClosed
from adapters.markdown import parse
from bot.errors import StoreUnavailable
from bot.telemetry.events import Hooks, NoticeSent, emit
from bot.turns.journal import Journal
from bot.turns.journal.owed import LockedReply, OwedNotice, OwedReply
from bot.turns.live import LiveBus
from bot.turns.notice_texts import UNSHOWN_PART

logger = logging.getLogger(__name__)

#: Replies and notices handed over at a time; more are read only while chats that wait fill a whole batch.
BATCH = 100
MOST = 10_000
#: This content will never be shown; another sentence may be.
REFUSED = (Rejected, PolicyBlocked)
#: Nobody can be told anything there any more.
OVER = (Gone, WindowClosed, Moved)


class Outbox:
    """Serves one `sends_from: owner` platform.

    Everything is sent by operation id and marked afterwards, so that a crash between the two repeats a send
    that the platform recognises. A chat whose send fails waits; the others go on.
    """

    def __init__(
        self,
        adapter: Adapter,
        live: LiveSurface | None,
        journal: Journal,
        bus: LiveBus,
        *,
        poll_s: float = 1.0,
        hooks: Hooks = (),
    ) -> None:
        self._adapter = adapter
        self._live = live
        self._journal = journal
        self._bus = bus
        self._poll_s = poll_s
        self._hooks = hooks
        self._owed = asyncio.Event()
        self._out = False
        self._limit = BATCH
        #: The chats that wait, told once each.
        self._waiting: set[str] = set()

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
                self._note_outage(None)
            except StoreUnavailable as error:
                more = False
                self._note_outage(error)
            if not more:
                await self._rung()

    async def _rung(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._owed.wait()
        except TimeoutError:
            return

    async def _send_owed(self) -> bool:
        """Hand over what is owed, mark it together, and tell whether there may be more at once."""
        owed = await self._journal.owed(self._adapter.name, self._limit)
        failed: set[str] = set()
        sent: list[OwedReply | OwedNotice] = []
        for item in owed:
            if item.chat.id in failed:
                continue
            if isinstance(item, LockedReply):
                self._note_locked(item)
                failed.add(item.chat.id)
            elif await self._sent(item):
                sent.append(item)
            else:
                failed.add(item.chat.id)
        if sent:
            await self._mark(sent)
        is_full = len(owed) >= self._limit
        self._waiting &= failed
        # Chats that wait must not keep those behind them from ever being read.
        self._limit = min(self._limit * 2, MOST) if is_full and failed else BATCH
        return is_full and len(failed) < len({item.chat.id for item in owed})

    async def _sent(self, item: OwedReply | OwedNotice) -> bool:
        """Hand one over, or tell that its chat has to wait."""
        chat_id = item.chat.id
        try:
            await self._hand_over(item)
        except AdapterError as error:
            if chat_id not in self._waiting:
                logger.warning("chat %s of %s waits: %s", chat_id, self._adapter.name, type(error).__name__)
        except Exception:
            if chat_id not in self._waiting:
                logger.exception("chat %s of %s waits after an unexpected error", chat_id, self._adapter.name)
        else:
            return True
        self._waiting.add(chat_id)
        return False

    async def _hand_over(self, item: OwedReply | OwedNotice) -> None:
        if isinstance(item, OwedNotice):
            await self._post(item, item.op_id, item.text, Purpose.NOTICE, item.reply_to)
            return
        for part in item.parts:
            reply_to = item.reply_to if part.number == 0 else None
            await self._post(item, part.op_id, part.text, Purpose.REPLY, reply_to)

    async def _mark(self, sent: list[OwedReply | OwedNotice]) -> None:
        notices = [item for item in sent if isinstance(item, OwedNotice)]
        turn_ids = [item.turn_id for item in sent if isinstance(item, OwedReply)]
        await self._journal.handed_over_all(turn_ids, [notice.notice_id for notice in notices])
        for notice in notices:
            emit(self._hooks, NoticeSent(adapter=self._adapter.name, kind=notice.kind.value))

    async def _post(
        self, item: OwedReply | OwedNotice, op_id: str, text: str, purpose: Purpose, reply_to: str | None
    ) -> None:
        """Send, or say in its place that it cannot be shown: what is never taken must not block its chat."""
        try:
            try:
                await self._send(item, op_id, text, purpose, reply_to)
            except REFUSED as error:
                logger.error("%s was refused for good: %s", op_id, type(error).__name__)  # noqa: TRY400 - ids only
                await self._send(item, op_id, UNSHOWN_PART, Purpose.NOTICE, reply_to)
        except (*REFUSED, *OVER) as error:
            logger.error("%s can never be shown: %s", op_id, type(error).__name__)  # noqa: TRY400 - ids only

    async def _send(
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

    def _note_locked(self, item: LockedReply) -> None:
        if item.chat.id not in self._waiting:
            logger.error(
                "chat %s of %s waits, its reply cannot be read here: %s",
                item.chat.id,
                self._adapter.name,
                item.why,
            )
        self._waiting.add(item.chat.id)

    def _note_outage(self, error: Exception | None) -> None:
        if (error is not None) == self._out:
            return
        self._out = error is not None
        if error is None:
            logger.info("the outbox of %s goes on", self._adapter.name)
        else:
            logger.warning("the outbox of %s waits: %s", self._adapter.name, error)
