"""Notices and first signs on platforms that any process may call, outside the engine's slots."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from adapters.base import Adapter, Edit, Idempotency, LiveOutput, Platform, Purpose, Send, SendsFrom, Sent
from adapters.errors import AdapterError, RetryAfter, Unreachable
from adapters.markdown import parse
from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.turns.edit_live import PLACEHOLDER
from bot.turns.journal import Journal
from bot.turns.journal.owed import OwedNotice, UnsignedTurn

logger = logging.getLogger(__name__)

#: Seconds between two looks.
POLL_S = 0.5
#: Seconds whoever claimed a notice or a sign has for it.
CLAIM_S = 30.0
#: Seconds a turn may wait without any sign; until then nothing but the platform's own typing shows.
FIRST_SIGN_S = 3.0
#: Signs given at a time, oldest turn first.
BATCH = 50
#: Seconds before a notice is tried again that the platform did not take.
AGAIN_S = 5.0


class NoticeTask:
    """Sends what is owed besides replies."""

    def __init__(self, platforms: Mapping[str, Platform], journal: Journal, clock: Clock) -> None:
        self._adapters = {
            name: platform.adapter
            for name, platform in platforms.items()
            if platform.adapter.sends_from is SendsFrom.ANY
        }
        self._journal = journal
        self._clock = clock
        self._out = False

    async def run(self) -> None:
        """Send until cancelled; without a platform of this kind there is nothing to do."""
        while self._adapters:
            try:
                await self._notices()
                await self._signs()
                self._note_outage(out=False)
            except StoreUnavailable:
                self._note_outage(out=True)
            await asyncio.sleep(POLL_S)

    async def _notices(self) -> None:
        while notice := await self._journal.claim_notice(self._clock.now(), CLAIM_S):
            try:
                sent = await self._send_notice(notice)
            except AdapterError as error:
                await self._put_back(notice, error)
            else:
                await self._journal.notice_sent(notice.notice_id, sent.message)

    async def _send_notice(self, notice: OwedNotice) -> Sent:
        adapter, chat = self._adapters[notice.chat.adapter], notice.chat
        if notice.placeholder is not None:
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
        if isinstance(error, RetryAfter | Unreachable):
            wait_s = error.seconds if isinstance(error, RetryAfter) else AGAIN_S
            again_at = self._clock.now() + timedelta(seconds=wait_s)
            await self._journal.notice_not_sent(notice.notice_id, again_at)

    async def _signs(self) -> None:
        before = self._clock.now() - timedelta(seconds=FIRST_SIGN_S)
        for turn in await self._journal.unsigned(before, BATCH):
            adapter = self._adapters.get(turn.chat.adapter)
            if adapter and adapter.capabilities(turn.chat.conversation).live is LiveOutput.EDIT:
                await self._sign(adapter, turn)

    async def _sign(self, adapter: Adapter, turn: UnsignedTurn) -> None:
        if not await self._journal.sign_claim(turn.turn_id, self._clock.now() + timedelta(seconds=CLAIM_S)):
            return
        try:
            sent = await adapter.send(
                Send(
                    op_id=f"{turn.turn_id}-sign",
                    account=turn.chat.account,
                    conversation=turn.chat.conversation,
                    content=parse(PLACEHOLDER),
                    purpose=Purpose.PLACEHOLDER,
                    reply_to=turn.reply_to,
                )
            )
        except AdapterError as error:
            logger.info("no sign for turn %s: %s", turn.turn_id, type(error).__name__)
            return
        if not await self._journal.sign_posted(turn.turn_id, sent.message):
            logger.info("the sign for turn %s came late", turn.turn_id)

    def _note_outage(self, *, out: bool) -> None:
        if out != self._out:
            self._out = out
            logger.warning("the notice task %s", "waits for the database" if out else "goes on")
