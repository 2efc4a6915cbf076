"""Sending one claimed notice: into the turn's placeholder where one stands, else as a message of its own."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from adapters.base import Adapter, Edit, Idempotency, Platform, Purpose, Send, SendsFrom, Sent
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
from bot.telemetry.events import AmbiguousSend, Hooks, NoticeSent, emit
from bot.turns.ahead import granted
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.journal.owed import OwedNotice
from bot.turns.moves import moved_to
from bot.turns.send_policy import UNKNOWN, SendPolicy, leaves_doubt
from bot.turns.tasks import unbroken

logger = logging.getLogger(__name__)

#: Sends of one notice of which nobody knows what became, after which it is left.
MOST_DOUBTS = 3
#: Seconds for which one notice waits its turn on a paced platform while others stand behind it.
PATIENCE_S = 0.5
#: Nobody can be told anything there any more.
OVER = (Gone, PolicyBlocked, Rejected, WindowClosed)


class _ClaimOver(Exception):
    """The notice may be another's by now: nothing of it may be started."""


class NoticeSending:
    """Sends notices on platforms that any process may call, for the notice task and for workers."""

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        journal: Journal,
        clock: Clock,
        delays: Delays,
        *,
        policy: SendPolicy = SendPolicy.RESEND,
        hooks: Hooks = (),
    ) -> None:
        self.adapters = {
            name: platform.adapter
            for name, platform in platforms.items()
            if platform.adapter.sends_from is SendsFrom.ANY
        }
        self._journal = journal
        self._clock = clock
        self._delays = delays
        self._policy = policy
        self._hooks = hooks
        self._doubts: Counter[str] = Counter()
        #: Being sent now: several notices are, at once.
        self._in_hand: set[str] = set()

    async def send_all(self) -> None:
        """Send what nobody else is sending, oldest first. Raises `StoreUnavailable`."""
        until_s = self._claim_ends_s()
        while notice := await self._journal.claim_notice(self._clock.now(), self._delays.notice_claim_s):
            await unbroken(self._send_once(notice, until_s))
            until_s = self._claim_ends_s()

    async def send_of(self, turn_id: str) -> None:
        """Send the notice of a turn that has just ended, so that it stands before the chat's next reply.

        Whatever keeps it from being sent now, the notice task sends it later.
        """
        try:
            now, claim_s, until_s = self._clock.now(), self._delays.notice_claim_s, self._claim_ends_s()
            if notice := await self._journal.claim_notice_of(turn_id, now, claim_s):
                await unbroken(self._send_once(notice, until_s))
        except StoreUnavailable:
            logger.info("the notice of turn %s has to wait: the database is away", turn_id)

    def _claim_ends_s(self) -> float:
        """Tell when a claim made from now on has certainly not ended yet, by our own clock."""
        return self._clock.monotonic() + self._delays.notice_claim_s

    async def _send_once(self, notice: OwedNotice, until_s: float) -> None:
        """Send, unless that is under way here: a claim may run out while a slow platform is still waited for."""
        if notice.notice_id in self._in_hand:
            return
        self._in_hand.add(notice.notice_id)
        try:
            await self._send(notice, until_s)
        finally:
            self._in_hand.discard(notice.notice_id)

    async def _send(self, notice: OwedNotice, until_s: float) -> None:
        adapter = self.adapters.get(notice.chat.adapter)
        if adapter is None:
            logger.warning("notice %s waits: %s is not enabled here", notice.notice_id, notice.chat.adapter)
            await self._again(notice, self._delays.operator_s, until_s)
            return
        try:
            sent = await self._carry_out(adapter, notice, until_s)
        except _ClaimOver:
            logger.info("notice %s is another's to send: the claim has ended", notice.notice_id)
        except AdapterError as error:
            await self._put_back(notice, error, until_s)
        else:
            await self._written(partial(self._journal.notice_sent, notice.notice_id, sent.message), until_s)
            emit(self._hooks, NoticeSent(adapter=adapter.name, kind=notice.kind.value))

    async def _carry_out(self, adapter: Adapter, notice: OwedNotice, until_s: float) -> Sent:
        await granted(adapter, notice.op_id, notice.chat, patience_s=PATIENCE_S)
        if notice.placeholder is not None:
            self._require_claim(until_s)
            try:
                return await adapter.edit(_edit(notice, notice.placeholder))
            except Rejected:
                logger.info("the placeholder of turn %s cannot be edited any more", notice.turn_id)
        found = await self._resolve_doubt(adapter, notice) if notice.in_doubt else None
        if found is None:
            self._require_claim(until_s)
        return found or await adapter.send(_send(adapter, notice))

    def _require_claim(self, until_s: float) -> None:
        """Raise `_ClaimOver` unless nobody else can have claimed the notice by now: a process may have stalled."""
        if self._clock.monotonic() >= until_s:
            raise _ClaimOver

    async def _resolve_doubt(self, adapter: Adapter, notice: OwedNotice) -> Sent | None:
        chat = notice.chat
        found = None
        if adapter.capabilities(chat.conversation).idempotency is not Idempotency.KEYED:
            found = await adapter.find(notice.op_id, chat.account, chat.conversation)
        if found is None and leaves_doubt(self._policy, adapter, chat.conversation):
            found = UNKNOWN
        doubt = AmbiguousSend(turn_id=notice.turn_id, adapter=adapter.name, resent=found is None)
        emit(self._hooks, doubt)
        return found

    async def _put_back(self, notice: OwedNotice, error: AdapterError, until_s: float) -> None:
        logger.info("notice %s waits: %s", notice.notice_id, type(error).__name__)
        match error:
            case RetryAfter():
                await self._again(notice, min(error.seconds, self._delays.longest_wait_s), until_s)
            case Unreachable():
                await self._again(notice, self._delays.notice_again_s, until_s)
            case Moved() if not self._is_doubted_enough(notice):
                await self._journal.move(moved_to(notice.chat, error))
                await self._again(notice, self._delays.not_now_s, until_s)
            case AuthFailed():
                await self._again(notice, self._delays.operator_s, until_s)
            case _ if isinstance(error, (*OVER, Moved)) or self._is_doubted_enough(notice):
                logger.error("notice %s is left: %s", notice.notice_id, type(error).__name__)
                left = partial(self._journal.notice_sent, notice.notice_id, UNKNOWN.message)
                await self._written(left, until_s)
            case _:
                pass  # in doubt: claimed again, as such, when the claim runs out

    def _is_doubted_enough(self, notice: OwedNotice) -> bool:
        self._doubts[notice.notice_id] += 1
        if self._doubts[notice.notice_id] < MOST_DOUBTS:
            return False
        del self._doubts[notice.notice_id]
        return True

    async def _again(self, notice: OwedNotice, wait_s: float, until_s: float) -> None:
        not_before = self._clock.now() + timedelta(seconds=wait_s)
        put_back = partial(
            self._journal.notice_not_sent, notice.notice_id, not_before, still_in_doubt=notice.in_doubt
        )
        await self._written(put_back, until_s)

    async def _written(self, write: Callable[[], Awaitable[None]], until_s: float) -> None:
        """Write down what is known, while the claim stands: a store that is away must make no doubt of it."""
        while True:
            try:
                await write()
            except StoreUnavailable:
                if self._clock.monotonic() + self._delays.not_now_s >= until_s:
                    raise
                await asyncio.sleep(self._delays.not_now_s)
            else:
                return


def _edit(notice: OwedNotice, placeholder: str) -> Edit:
    chat = notice.chat
    return Edit(
        op_id=notice.op_id,
        account=chat.account,
        conversation=chat.conversation,
        message=placeholder,
        content=parse(notice.text),
        purpose=Purpose.NOTICE,
    )


def _send(adapter: Adapter, notice: OwedNotice) -> Send:
    chat = notice.chat
    is_class_c = adapter.capabilities(chat.conversation).idempotency is Idempotency.NONE
    return Send(
        op_id=notice.op_id,
        account=chat.account,
        conversation=chat.conversation,
        content=parse(notice.text),
        purpose=Purpose.NOTICE,
        reply_to=notice.reply_to,
        may_be_duplicate=notice.in_doubt and is_class_c,
    )
