"""First signs of turns that wait for a slot, in their chat's order: a placeholder, or how long the line is."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.base import Adapter, LiveOutput, SendsFrom
from adapters.errors import AdapterError, Ambiguous, RateScope, RetryAfter, Unreachable
from bot.clock import Clock
from bot.errors import ScheduleUnavailable, StoreUnavailable
from bot.turns.buttons import while_growing
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.journal.owed import UnsignedTurn
from bot.turns.line import LONG_S, Line, Place
from bot.turns.line_words import how_to_stop, in_line
from bot.turns.model import Chat
from bot.turns.scheduler.base import Scheduler
from bot.turns.send_policy import LEFT, SendPolicy, leaves_doubt
from bot.turns.sign import PLACEHOLDER, sign, take_back
from bot.turns.tasks import unbroken

logger = logging.getLogger(__name__)

#: Turns read at a time, oldest first, and how many chats get their signs at once.
BATCH = 200
AT_ONCE = 16
#: How often it is tried to write a posted sign down while the database is away.
MOST_TRIES = 10


class FirstSigns:
    """Gives signs on the platforms that any process may call and that can turn a sign into the answer."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        journal: Journal,
        *,
        scheduler: Scheduler,
        line: Line,
        clock: Clock,
        delays: Delays,
        name: str,
        policy: SendPolicy = SendPolicy.RESEND,
    ) -> None:
        self._adapters = adapters
        self._journal = journal
        self._scheduler = scheduler
        self._line = line
        self._clock = clock
        self._delays = delays
        self._name = name
        self._policy = policy
        #: Monotonic instants before which no sign is tried again, by chat or by account.
        self._pauses: dict[tuple[str, ...], float] = {}

    async def look(self) -> None:
        """Give every turn its sign that has waited long enough without one. Raises `StoreUnavailable`."""
        before = self._clock.now() - timedelta(seconds=self._delays.first_sign_s)
        after = None
        names = [name for name, adapter in self._adapters.items() if adapter.sends_from is SendsFrom.ANY]
        while page := await self._journal.unsigned(before, BATCH, after, adapters=names):
            await self._sign_all([turn for turn in page if self._can_sign(turn.chat)])
            if len(page) < BATCH:
                return
            after = page[-1].accepted_at, page[-1].turn_id

    def _can_sign(self, chat: Chat) -> bool:
        adapter = self._adapters.get(chat.adapter)
        if adapter is None or adapter.capabilities(chat.conversation).live is not LiveOutput.EDIT:
            return False
        now_s = self._clock.monotonic()
        return all(self._pauses.get(key, 0.0) <= now_s for key in (_chat_key(chat), _account_key(chat)))

    async def _sign_all(self, turns: Sequence[UnsignedTurn]) -> None:
        by_chat: dict[str, list[UnsignedTurn]] = defaultdict(list)
        for turn in sorted(turns, key=lambda turn: turn.ord):
            by_chat[turn.chat.id].append(turn)
        waits = await self._waits(by_chat)
        at_once = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            for of_chat in by_chat.values():
                tasks.create_task(self._sign_in_order(of_chat, waits, at_once))

    async def _waits(self, by_chat: Mapping[str, Sequence[UnsignedTurn]]) -> dict[str, float]:
        """Predict the wait that a turn's sign should tell of: a long one, once in a chat's episode."""
        if not by_chat or self._line.predicted_wait_s() is None:
            return {}
        chat_ids = list(by_chat)
        try:
            ranks = await self._scheduler.ranks(chat_ids)
        except ScheduleUnavailable:
            return {}
        lines = await self._journal.lines(chat_ids)
        waits: dict[str, float] = {}
        for chat_id, rank in zip(chat_ids, ranks, strict=True):
            line = lines.get(chat_id)
            if line is None or line.told:
                continue
            turn = by_chat[chat_id][0]
            wait_s = self._line.wait_s(Place(rank=rank, before=line.before(turn.ord)))
            if wait_s is not None and wait_s > LONG_S:
                waits[turn.turn_id] = wait_s
        return waits

    async def _sign_in_order(
        self, turns: Sequence[UnsignedTurn], waits: Mapping[str, float], at_once: asyncio.Semaphore
    ) -> None:
        async with at_once:
            for turn in turns:
                if self._can_sign(turn.chat):
                    await self._sign(self._adapters[turn.chat.adapter], turn, waits.get(turn.turn_id))

    async def _sign(self, adapter: Adapter, turn: UnsignedTurn, wait_s: float | None) -> None:
        until = self._clock.now() + timedelta(seconds=self._delays.sign_claim_s)
        try:
            if await self._journal.sign_claim(turn.turn_id, until, told_wait_s=wait_s):
                posting = _Posting(turn, until, self._text(turn.chat, wait_s))
                await unbroken(self._post(adapter, posting))
        except StoreUnavailable:
            logger.info("turn %s has to wait for a sign: the database is away", turn.turn_id)

    def _text(self, chat: Chat, wait_s: float | None) -> str:
        return PLACEHOLDER if wait_s is None else in_line(wait_s, how_to_stop(chat.kind, self._name))

    async def _post(self, adapter: Adapter, posting: "_Posting") -> None:
        turn = posting.turn
        buttons = while_growing(adapter.capabilities(turn.chat.conversation))
        try:
            sent = await adapter.send(
                sign(turn.turn_id, turn.chat, turn.reply_to, posting.text, buttons=buttons)
            )
        except AdapterError as error:
            await self._not_posted(posting, error)
            return
        await self._keep(adapter, turn, sent.message)

    async def _keep(self, adapter: Adapter, turn: UnsignedTurn, message: str) -> None:
        """Write a posted sign down or take it back; while the database is away nobody else would do either."""
        for _ in range(MOST_TRIES):
            try:
                if not await self._journal.sign_posted(turn.turn_id, message):
                    await take_back(adapter, self._journal, turn.turn_id, turn.chat, message)
            except StoreUnavailable:
                await asyncio.sleep(self._delays.not_now_s)
            else:
                return
        logger.warning("a first sign of turn %s may stand beside its answer", turn.turn_id)

    async def _not_posted(self, posting: "_Posting", error: AdapterError) -> None:
        """Give the claim back, unless the sign may stand after all: then nobody posts one until the claim ends."""
        turn, adapter = posting.turn, self._adapters[posting.turn.chat.adapter]
        logger.info("no sign for turn %s: %s", turn.turn_id, type(error).__name__)
        self._pause(turn.chat, error)
        if not isinstance(error, Ambiguous):
            await self._journal.sign_not_posted(turn.turn_id, posting.until)
        elif leaves_doubt(self._policy, adapter, turn.chat.conversation):
            await self._journal.sign_left(turn.turn_id, posting.until, posting.until + LEFT)

    def _pause(self, chat: Chat, error: AdapterError) -> None:
        now_s, delays, key = self._clock.monotonic(), self._delays, _chat_key(chat)
        match error:
            case RetryAfter():
                pause_s = min(error.seconds, delays.longest_wait_s)
                key = _account_key(chat) if error.scope is RateScope.ACCOUNT else key
            case Unreachable() | Ambiguous():
                pause_s = delays.not_now_s
            case _:
                pause_s = delays.operator_s
        self._pauses = {paused: until_s for paused, until_s in self._pauses.items() if until_s > now_s}
        self._pauses[key] = now_s + pause_s


@dataclass(frozen=True, slots=True)
class _Posting:
    """A sign on its way: whose it is, until when its claim stands, and what it says."""

    turn: UnsignedTurn
    until: datetime
    text: str


def _chat_key(chat: Chat) -> tuple[str, ...]:
    return (chat.id,)


def _account_key(chat: Chat) -> tuple[str, ...]:
    return chat.adapter, chat.account
