"""The schedule in this process: the same steps as the Lua scripts, in plain Python."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.clock import Clock
from bot.errors import ScheduleErased
from bot.turns.scheduler.base import DoneOutcome, ScheduleCounts, Take
from bot.turns.scheduler.weight import checked_weight

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class _Lease:
    """A chat in somebody's hands."""

    token: int
    start: float
    taken_at_ms: int
    expires_at_ms: int
    weight: float


@dataclass(slots=True, kw_only=True)
class _Schedule:
    """What the keys of design.md 5.1 hold."""

    ready: dict[str, float] = field(default_factory=dict)
    leases: dict[str, _Lease] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    more: set[str] = field(default_factory=set)
    finish: dict[str, float] = field(default_factory=dict)
    weight: dict[str, float] = field(default_factory=dict)
    hold: set[str] = field(default_factory=set)
    virtual: float = 0.0
    token: int = 0
    epoch: str | None = None
    paused: bool = False


class MemoryScheduler:
    """The `Scheduler` within one process; forgets everything when the process ends, and on `erase`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = _Schedule()
        self._bell = asyncio.Event()

    def erase(self) -> None:
        """Forget everything, as FLUSHALL does."""
        self._state = _Schedule()
        self._bell.clear()

    async def put(self, chat_id: str, *, weight: float = 1.0) -> None:
        """Make a chat takeable."""
        state = self._state
        if checked_weight(weight) == 1.0:
            state.weight.pop(chat_id, None)
        else:
            state.weight[chat_id] = weight
        if chat_id in state.leases or chat_id in state.later:
            state.more.add(chat_id)
        else:
            self._offer(chat_id)

    async def put_many(self, chats: Mapping[str, float]) -> None:
        """Put several chats."""
        for chat_id, weight in chats.items():
            await self.put(chat_id, weight=weight)

    async def take(self, lease_ms: int) -> Take | None:
        """Take the ready chat with the smallest virtual start."""
        state = self._state
        if state.epoch is None:
            raise ScheduleErased("the schedule is empty: put every unfinished chat, then begin an epoch")
        self._sweep()
        if state.paused or not state.ready:
            self._settle()
            self._bell.clear()
            return None
        chat_id = min(state.ready, key=lambda chat: (state.ready[chat], chat))
        start = state.ready.pop(chat_id)
        state.virtual = max(state.virtual, start)
        state.token = max(state.token + 1, self._now_us())
        state.more.discard(chat_id)
        now_ms = self._now_ms()
        state.leases[chat_id] = _Lease(
            token=state.token,
            start=start,
            taken_at_ms=now_ms,
            expires_at_ms=now_ms + lease_ms,
            weight=state.weight.get(chat_id, 1.0),
        )
        return Take(chat_id=chat_id, token=state.token, epoch=state.epoch)

    async def keep(self, take: Take, lease_ms: int) -> bool:
        """Renew a lease."""
        if not self._is_mine(take):
            return False
        self._state.leases[take.chat_id].expires_at_ms = self._now_ms() + lease_ms
        return True

    async def done(self, take: Take, outcome: DoneOutcome, *, delay_ms: int = 0) -> bool:
        """End a lease and charge it."""
        if not self._is_mine(take):
            return False
        state, chat_id = self._state, take.chat_id
        self._free(chat_id, self._now_ms())
        if outcome is DoneOutcome.LATER:
            state.later[chat_id] = self._now_ms() + delay_ms
        elif chat_id in state.more or outcome is DoneOutcome.AGAIN:
            state.more.discard(chat_id)
            self._offer(chat_id)
        else:
            state.weight.pop(chat_id, None)
        self._settle()
        return True

    async def lift(self, token: int) -> None:
        """Raise the token counter."""
        self._state.token = max(self._state.token, token)

    async def begin_epoch(self) -> str:
        """Name a new life of the schedule unless one stands."""
        if self._state.epoch is None:
            self._state.epoch = secrets.token_hex(4)
            self._bell.set()
        return self._state.epoch

    async def wait(self, timeout_s: float) -> None:
        """Wait for the doorbell, which keeps ringing until a take finds nothing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._bell.wait()

    async def pause(self) -> None:
        """Let nothing be taken."""
        self._state.paused = True

    async def resume(self) -> None:
        """Let chats be taken again."""
        self._state.paused = False
        self._bell.set()

    async def hold(self, chat_id: str) -> None:
        """Keep one chat from being taken."""
        self._state.hold.add(chat_id)
        if self._state.ready.pop(chat_id, None) is not None:
            self._state.more.add(chat_id)

    async def release(self, chat_id: str) -> None:
        """End a hold."""
        state = self._state
        if chat_id not in state.hold:
            return
        state.hold.discard(chat_id)
        if chat_id in state.leases or chat_id in state.later or chat_id not in state.more:
            return
        state.more.discard(chat_id)
        self._offer(chat_id)

    async def counts(self) -> ScheduleCounts:
        """Count the chats in each state."""
        state = self._state
        return ScheduleCounts(
            ready=len(state.ready),
            leased=len(state.leases),
            later=len(state.later),
            held=len(state.hold),
            paused=state.paused,
        )

    async def ranks(self, chat_ids: Sequence[str]) -> list[int | None]:
        """Tell how many ready chats come before each."""
        ready = self._state.ready
        in_order = sorted(ready, key=lambda chat: (ready[chat], chat))
        rank = {chat_id: at for at, chat_id in enumerate(in_order)}
        return [rank.get(chat_id) for chat_id in chat_ids]

    def _offer(self, chat_id: str) -> None:
        state = self._state
        if chat_id in state.hold:
            state.more.add(chat_id)
        elif chat_id not in state.ready:
            state.ready[chat_id] = max(state.virtual, state.finish.get(chat_id, 0.0))
            self._bell.set()

    def _sweep(self) -> None:
        state, now_ms = self._state, self._now_ms()
        for chat_id in [chat for chat, due_ms in state.later.items() if due_ms <= now_ms]:
            del state.later[chat_id]
            self._offer(chat_id)
        for chat_id, lease in [item for item in state.leases.items() if item[1].expires_at_ms <= now_ms]:
            self._free(chat_id, lease.expires_at_ms)
            self._offer(chat_id)

    def _free(self, chat_id: str, until_ms: int) -> None:
        """End a lease and charge it: virtual start plus the slot-seconds it held over its weight.

        Virtual time moves with what was served, too. Were it moved by starts alone, chats that ask for the first time
        would all start at the same instant while a line of them stands: the oldest chat would come first, not who asked
        first, and who had asked before would starve. Half the pace of a fair share never outruns who is always there.
        """
        state = self._state
        lease = state.leases.pop(chat_id)
        held_s = max(0, until_ms - lease.taken_at_ms) / 1000
        served = held_s / lease.weight
        state.finish[chat_id] = lease.start + served
        state.virtual += served / (2 * (len(state.ready) + len(state.leases) + 1))
        state.finish = {chat: finish for chat, finish in state.finish.items() if finish > state.virtual}

    def _settle(self) -> None:
        """Step virtual time up to the largest finish when the busy period ends (Goyal, Vin, Cheng 1996, rule 2)."""
        state = self._state
        if state.ready or state.leases:
            return
        state.virtual = max([state.virtual, *state.finish.values()])
        state.finish.clear()

    def _is_mine(self, take: Take) -> bool:
        lease = self._state.leases.get(take.chat_id)
        return lease is not None and lease.token == take.token

    def _now_us(self) -> int:
        return (self._clock.now() - _UNIX_EPOCH) // timedelta(microseconds=1)

    def _now_ms(self) -> int:
        return self._now_us() // 1000
