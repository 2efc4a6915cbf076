"""The world of `bench.fairness`: who asks when, in which order they are served, and how long everybody waits.

Time is virtual: a run of ten minutes takes as long as its few thousand steps do. The order "fair" is the project's own
scheduler in memory, on a clock that the run moves.
"""

import heapq
import random
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.turns.scheduler.base import DoneOutcome, Take
from bot.turns.scheduler.memory import MemoryScheduler

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_LEASE_MS = 86_400_000
#: Seconds a turn takes, evenly spread.
SHORTEST_S, LONGEST_S = 1.0, 8.0
MEAN_TURN_S = (SHORTEST_S + LONGEST_S) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Who asks: flooding chats that always have something waiting, and ordinary ones beside them."""

    flooders: int = 30
    #: Mentions each of them sends in the first seconds.
    flood: int = 300
    ordinary: int = 500
    #: Mentions of all ordinary chats together, a second.
    ordinary_per_s: float = 0.5
    slots: int = 8
    seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One mention, and how long its turn will take."""

    at_s: float
    chat: str
    turn_s: float

    @property
    def is_ordinary(self) -> bool:
        """Whether an ordinary chat asked."""
        return self.chat.startswith("ordinary")


def arrivals(crowd: Crowd, seed: int) -> list[Mention]:
    """Draw everything that is asked, in the order of time."""
    draw = random.Random(seed)
    drawn = [
        (draw.uniform(0.0, 5.0), f"flooding {chat}")
        for chat in range(crowd.flooders)
        for _ in range(crowd.flood)
    ]
    at_s = draw.expovariate(crowd.ordinary_per_s)
    while at_s < crowd.seconds:
        drawn.append((at_s, f"ordinary {draw.randrange(crowd.ordinary)}"))
        at_s += draw.expovariate(crowd.ordinary_per_s)
    return [
        Mention(at_s=at_s, chat=chat, turn_s=draw.uniform(SHORTEST_S, LONGEST_S))
        for at_s, chat in sorted(drawn)
    ]


class Order(Protocol):
    """In which order chats are served, one turn of a chat at a time."""

    async def put(self, chat: str, now_s: float) -> None:
        """Tell that a chat has something waiting."""
        ...

    async def take(self, now_s: float) -> str | None:
        """Choose the chat to serve next."""
        ...

    async def done(self, chat: str, now_s: float, *, more: bool) -> None:
        """Tell that a chat's turn ended, and whether it has more."""
        ...


class _VirtualClock:
    """Stands where the run puts it."""

    now_s = 0.0

    def now(self) -> datetime:
        return _BEGIN + timedelta(seconds=self.now_s)

    def monotonic(self) -> float:
        return self.now_s


class Fair:
    """The project's scheduler, in memory."""

    def __init__(self) -> None:
        """Begin with an empty schedule."""
        self._clock = _VirtualClock()
        self._scheduler = MemoryScheduler(self._clock)
        self._takes: dict[str, Take] = {}

    async def put(self, chat: str, now_s: float) -> None:
        """Put it."""
        self._clock.now_s = now_s
        await self._scheduler.begin_epoch()
        await self._scheduler.put(chat)

    async def take(self, now_s: float) -> str | None:
        """Take the chat with the smallest virtual start."""
        self._clock.now_s = now_s
        take = await self._scheduler.take(_LEASE_MS)
        if take is None:
            return None
        self._takes[take.chat_id] = take
        return take.chat_id

    async def done(self, chat: str, now_s: float, *, more: bool) -> None:
        """End the lease."""
        self._clock.now_s = now_s
        outcome = DoneOutcome.AGAIN if more else DoneOutcome.IDLE
        await self._scheduler.done(self._takes.pop(chat), outcome)


class RoundRobin:
    """Every chat that has something in turn, whatever it cost before."""

    def __init__(self) -> None:
        """Begin with nobody in line."""
        self._line: OrderedDict[str, None] = OrderedDict()
        self._served: set[str] = set()

    async def put(self, chat: str, now_s: float) -> None:
        """Stand in line behind the others, once."""
        if chat not in self._served:
            self._line.setdefault(chat)

    async def take(self, now_s: float) -> str | None:
        """Choose who stands first."""
        if not self._line:
            return None
        chat, _ = self._line.popitem(last=False)
        self._served.add(chat)
        return chat

    async def done(self, chat: str, now_s: float, *, more: bool) -> None:
        """Stand in line again, if there is more."""
        self._served.discard(chat)
        if more:
            self._line.setdefault(chat)


class Fifo:
    """The oldest mention first, as one queue for all would do; still one turn of a chat at a time."""

    def __init__(self) -> None:
        """Begin with nothing waiting."""
        self._waiting: dict[str, deque[float]] = {}
        self._served: set[str] = set()
        self._heads: list[tuple[float, str]] = []

    async def put(self, chat: str, now_s: float) -> None:
        """Remember when it was asked."""
        queue = self._waiting.setdefault(chat, deque())
        queue.append(now_s)
        if len(queue) == 1 and chat not in self._served:
            heapq.heappush(self._heads, (now_s, chat))

    async def take(self, now_s: float) -> str | None:
        """Choose the chat whose oldest mention is the oldest of all."""
        if not self._heads:
            return None
        _, chat = heapq.heappop(self._heads)
        self._waiting[chat].popleft()
        self._served.add(chat)
        return chat

    async def done(self, chat: str, now_s: float, *, more: bool) -> None:
        """Let its next mention stand where its age puts it."""
        self._served.discard(chat)
        if self._waiting[chat]:
            heapq.heappush(self._heads, (self._waiting[chat][0], chat))


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How long ordinary chats waited, and how many chats were busy whenever one of them asked."""

    waits_s: list[float] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    unserved: int = 0
    #: Slot-seconds of the flooding chats and of all.
    flooded_s: float = 0.0
    used_s: float = 0.0


async def run(order: Order, asked: Sequence[Mention], crowd: Crowd) -> Outcome:
    """Serve what is asked in an order; what is not served at the end has waited until then."""
    outcome, waiting, running = Outcome(), Waiting(), list[tuple[float, str]]()
    coming = deque(asked)
    while coming or running:
        now_s = min([*(mention.at_s for mention in list(coming)[:1]), *(end_s for end_s, _ in running[:1])])
        if now_s > crowd.seconds:
            break
        while running and running[0][0] <= now_s:
            _, chat = heapq.heappop(running)
            waiting.end(chat)
            await order.done(chat, now_s, more=waiting.has(chat))
        while coming and coming[0].at_s <= now_s:
            mention = coming.popleft()
            waiting.add(mention)
            if mention.is_ordinary:
                outcome.busy.append(waiting.busy)
            await order.put(mention.chat, now_s)
        while len(running) < crowd.slots and (chosen := await order.take(now_s)) is not None:
            mention = waiting.begin(chosen)
            heapq.heappush(running, (now_s + mention.turn_s, chosen))
            note(outcome, mention, now_s)
    left = [mention for mention in waiting.left() if mention.is_ordinary]
    outcome.waits_s += [crowd.seconds - mention.at_s for mention in left]
    outcome.unserved = len(left)
    return outcome


class Waiting:
    """What waits in each chat, and which chats are busy."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._queues: dict[str, deque[Mention]] = {}
        self._running: set[str] = set()

    @property
    def busy(self) -> int:
        """Count the chats with a turn that waits or runs."""
        return len(self._queues.keys() | self._running)

    def add(self, mention: Mention) -> None:
        """Have a mention wait."""
        self._queues.setdefault(mention.chat, deque()).append(mention)

    def begin(self, chat: str) -> Mention:
        """Begin a chat's oldest turn."""
        queue = self._queues[chat]
        mention = queue.popleft()
        if not queue:
            del self._queues[chat]
        self._running.add(chat)
        return mention

    def end(self, chat: str) -> None:
        """End a chat's turn."""
        self._running.discard(chat)

    def has(self, chat: str) -> bool:
        """Tell whether a chat has something waiting."""
        return chat in self._queues

    def left(self) -> list[Mention]:
        """Return everything that still waits."""
        return [mention for queue in self._queues.values() for mention in queue]


def note(outcome: Outcome, mention: Mention, now_s: float) -> None:
    """Count a turn that begins."""
    outcome.used_s += mention.turn_s
    if mention.is_ordinary:
        outcome.waits_s.append(now_s - mention.at_s)
    else:
        outcome.flooded_s += mention.turn_s


#: The orders that are compared, by name.
ORDERS: Mapping[str, type[Fair] | type[RoundRobin] | type[Fifo]] = {
    "fair": Fair,
    "round_robin": RoundRobin,
    "fifo": Fifo,
}
