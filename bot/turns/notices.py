"""Notices and first signs on platforms that any process may call, outside the engine's slots."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from adapters.base import Adapter, Edit, Idempotency, LiveOutput, Platform, Purpose, Send, SendsFrom, Sent
from adapters.errors import (
    AdapterError,
    AuthFailed,
    Gone,
    Moved,
    PolicyBlocked,
    Rejected,
    RetryAfter,
    Unreachable,
    WindowClosed,
)
from adapters.markdown import parse
from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.telemetry.events import Hooks, NoticeSent, emit
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.journal.owed import OwedNotice, UnsignedTurn
from bot.turns.sign import sign, take_back
from bot.turns.tasks import unbroken

logger = logging.getLogger(__name__)

#: Signs given at a time, oldest turn first, and how many of them at once.
BATCH = 50
AT_ONCE = 8
#: Sends of one notice of which nobody knows what became, after which it is left.
MOST_DOUBTS = 3
#: Nobody can be told anything there any more.
OVER = (Gone, Moved, PolicyBlocked, Rejected, WindowClosed)


class NoticeTask:
    """Sends what is owed besides replies."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        journal: Journal,
        clock: Clock,
        delays: Delays,
        hooks: Hooks = (),
    ) -> None:
        self._adapters = {
            name: platform.adapter
            for name, platform in platforms.items()
            if platform.adapter.sends_from is SendsFrom.ANY
        }
        self._journal = journal
        self._clock = clock
        self._delays = delays
        self._hooks = hooks
        self._doubts: Counter[str] = Counter()
        self._out = False

    async def run(self) -> None:
        """Send until cancelled; without a platform of this kind there is nothing to do."""
        if not self._adapters:
            return
        # A slow notice must not keep the signs waiting: they have their seconds.
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._notices))
            tasks.create_task(self._repeat(self._signs))

    async def _repeat(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await look()
                self._note_outage(out=False)
            except StoreUnavailable:
                self._note_outage(out=True)
            except Exception:
                logger.exception("the notice task met an unexpected error and goes on")
            await asyncio.sleep(self._delays.notices_s)

    async def _notices(self) -> None:
        while notice := await self._journal.claim_notice(self._clock.now(), self._delays.notice_claim_s):
            await unbroken(self._notice(notice))

    async def _notice(self, notice: OwedNotice) -> None:
        adapter = self._adapters.get(notice.chat.adapter)
        if adapter is None:
            logger.warning("notice %s waits: %s is not enabled here", notice.notice_id, notice.chat.adapter)
            await self._again(notice, self._delays.operator_s)
            return
        try:
            sent = await self._send_notice(adapter, notice)
        except AdapterError as error:
            await self._put_back(notice, error)
        else:
            await self._journal.notice_sent(notice.notice_id, sent.message)
            emit(self._hooks, NoticeSent(adapter=adapter.name, kind=notice.kind.value))

    async def _send_notice(self, adapter: Adapter, notice: OwedNotice) -> Sent:
        chat = notice.chat
        if notice.placeholder is not None:
            try:
                return await adapter.edit(
                    Edit(
                        op_id=notice.op_id,
                        account=chat.account,
                        conversation=chat.conversation,
                        message=notice.placeholder,
                        content=parse(notice.text),
                        purpose=Purpose.NOTICE,
                    )
                )
            except Rejected:
                logger.info("the placeholder of turn %s cannot be edited any more", notice.turn_id)
        idempotency = adapter.capabilities(chat.conversation).idempotency
        if notice.in_doubt and idempotency is Idempotency.READ_BACK:
            found = await adapter.find(notice.op_id, chat.account, chat.conversation)
            if found is not None:
                return found
        return await adapter.send(
            Send(
                op_id=notice.op_id,
                account=chat.account,
                conversation=chat.conversation,
                content=parse(notice.text),
                purpose=Purpose.NOTICE,
                reply_to=notice.reply_to,
                may_be_duplicate=notice.in_doubt and idempotency is Idempotency.NONE,
            )
        )

    async def _put_back(self, notice: OwedNotice, error: AdapterError) -> None:
        logger.info("notice %s waits: %s", notice.notice_id, type(error).__name__)
        match error:
            case RetryAfter():
                await self._again(notice, min(error.seconds, self._delays.longest_wait_s))
            case Unreachable():
                await self._again(notice, self._delays.notice_again_s)
            case AuthFailed():
                await self._again(notice, self._delays.operator_s)
            case _ if isinstance(error, OVER) or self._is_doubted_enough(notice):
                logger.error("notice %s is left: %s", notice.notice_id, type(error).__name__)
                await self._journal.notice_sent(notice.notice_id, "")
            case _:
                pass  # in doubt: claimed again, as such, when the claim runs out

    def _is_doubted_enough(self, notice: OwedNotice) -> bool:
        self._doubts[notice.notice_id] += 1
        if self._doubts[notice.notice_id] < MOST_DOUBTS:
            return False
        del self._doubts[notice.notice_id]
        return True

    async def _again(self, notice: OwedNotice, wait_s: float) -> None:
        await self._journal.notice_not_sent(notice.notice_id, self._clock.now() + timedelta(seconds=wait_s))

    async def _signs(self) -> None:
        before = self._clock.now() - timedelta(seconds=self._delays.first_sign_s)
        by_chat: dict[str, list[UnsignedTurn]] = {}
        for turn in await self._journal.unsigned(before, BATCH):
            adapter = self._adapters.get(turn.chat.adapter)
            if adapter and adapter.capabilities(turn.chat.conversation).live is LiveOutput.EDIT:
                by_chat.setdefault(turn.chat.id, []).append(turn)
        at_once = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for turns in by_chat.values():
                tasks.create_task(self._sign_in_order(turns, at_once))

    async def _sign_in_order(self, turns: list[UnsignedTurn], at_once: asyncio.Semaphore) -> None:
        async with at_once:
            for turn in turns:
                await self._sign(self._adapters[turn.chat.adapter], turn)

    async def _sign(self, adapter: Adapter, turn: UnsignedTurn) -> None:
        until = self._clock.now() + timedelta(seconds=self._delays.sign_claim_s)
        try:
            if await self._journal.sign_claim(turn.turn_id, until):
                await unbroken(self._post_sign(adapter, turn))
        except StoreUnavailable:
            logger.info("turn %s has to wait for a sign: the database is away", turn.turn_id)

    async def _post_sign(self, adapter: Adapter, turn: UnsignedTurn) -> None:
        try:
            sent = await adapter.send(sign(turn.turn_id, turn.chat, turn.reply_to))
        except AdapterError as error:
            logger.info("no sign for turn %s: %s", turn.turn_id, type(error).__name__)
            return
        if not await self._journal.sign_posted(turn.turn_id, sent.message):
            await take_back(adapter, self._journal, turn.turn_id, turn.chat, sent.message)

    def _note_outage(self, *, out: bool) -> None:
        if out != self._out:
            self._out = out
            logger.warning("the notice task %s", "waits for the database" if out else "goes on")
