"""The line: what is predicted, what is let in, what is said; and whether what is said comes true."""

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import ConversationKind
from bot.turns.line import LONG_S, STANDING_S, STANDS_AFTER_S, Line, Pace, Place
from bot.turns.line_words import how_to_stop, in_line, rounded
from bot.turns.scheduler.base import DoneOutcome, Take
from bot.turns.scheduler.memory import MemoryScheduler
from tests.fixtures.clocks import ManualClock

FAST = Pace(slots=4, turn_s=8.0)


def learnt(ready: int, pace: Pace = FAST, *, stands_s: float = 0.0) -> Line:
    line = Line()
    line.learn(ready, pace, 100.0)
    line.learn(ready, pace, 100.0 + stands_s)
    return line


def test_who_knows_nothing_predicts_nothing() -> None:
    line = Line()
    assert (line.predicted_wait_s(), line.ask_again_s(), line.longest_wait_s()) == (None, None, None)
    assert line.wait_s(Place(rank=3)) is None


def test_what_was_learnt_is_forgotten_when_nobody_can_be_asked() -> None:
    line = learnt(100, stands_s=60.0)
    line.forget()
    assert (line.predicted_wait_s(), line.longest_wait_s()) == (None, None)


@pytest.mark.parametrize(
    ("ready", "pace", "wait_s"),
    [
        pytest.param(0, Pace(slots=4, turn_s=None), 0.0, id="no line"),
        pytest.param(9, FAST, 9.7 * 2, id="rank times the mean over the slots"),
        pytest.param(9, Pace(slots=4, turn_s=None), None, id="nothing was answered yet"),
        pytest.param(9, Pace(slots=0, turn_s=8.0), None, id="nobody is at work"),
    ],
)
def test_a_new_turn_waits_behind_every_ready_chat(ready: int, pace: Pace, wait_s: float | None) -> None:
    assert learnt(ready, pace).predicted_wait_s() == pytest.approx(wait_s)


@pytest.mark.parametrize(
    ("place", "wait_s"),
    [
        pytest.param(Place(rank=0), 1.4, id="next"),
        pytest.param(Place(rank=9), 9.7 * 2, id="in the middle"),
        pytest.param(Place(rank=9, before=1), 9.7 * 2 + 19.7 * 2, id="a round behind its chat's first"),
        pytest.param(Place(rank=None), 19.7 * 2, id="its chat is served now, and is then behind all others"),
    ],
)
def test_a_turn_waits_for_its_chats_place(place: Place, wait_s: float) -> None:
    assert learnt(19).wait_s(place) == pytest.approx(wait_s)


def test_a_chat_alone_waits_for_its_own_turns() -> None:
    assert learnt(0).wait_s(Place(rank=None, before=2)) == 4.0 + 2 * 8.0


def test_a_burst_is_let_in_and_a_line_that_stands_is_kept_short() -> None:
    assert learnt(200).longest_wait_s() is None
    assert learnt(200, stands_s=STANDS_AFTER_S).longest_wait_s() == STANDING_S


def test_a_line_that_dissolved_in_between_does_not_stand() -> None:
    line = learnt(200, stands_s=STANDS_AFTER_S - 1)
    line.learn(0, FAST, 200.0)
    line.learn(200, FAST, 201.0)
    assert line.longest_wait_s() is None


def test_where_one_answer_takes_a_minute_a_line_of_three_is_let_in() -> None:
    line = learnt(2, Pace(slots=1, turn_s=60.0), stands_s=60.0)
    assert line.predicted_wait_s() == pytest.approx(2.7 * 60)
    assert line.longest_wait_s() == 240.0


@given(st.floats(LONG_S, 2400.0))
def test_rounding_keeps_most_of_the_factor_of_two(wait_s: float) -> None:
    ratio = SAID_S[rounded(wait_s)] / wait_s
    assert 1 / 1.55 <= ratio <= 1.55


def test_what_is_said_tells_how_to_stop() -> None:
    assert in_line(60, "stop") == "In line, about a minute: say stop to cancel"
    assert how_to_stop(ConversationKind.DIRECT, "aside") == "stop"
    assert how_to_stop(ConversationKind.GROUP, "aside") == "@aside stop"


SAID_S = {
    "about half a minute": 30,
    "about a minute": 60,
    "about two minutes": 120,
    "about three minutes": 180,
    "about four minutes": 240,
    "about five minutes": 300,
    "about ten minutes": 600,
    "about twenty minutes": 1200,
    "about half an hour": 1800,
    "about an hour": 3600,
}


@dataclass
class Asked:
    """A turn of the simulation."""

    chat: str
    at_s: float
    told_s: float | None = None
    told_at_s: float = 0.0
    begun_s: float | None = None


@dataclass
class Town:
    """Chats that ask, slots that answer, signs that tell: the real schedule and line in virtual time."""

    seed: int
    slots: int
    mean_s: float
    load: float
    chats: int
    seconds: float = 300.0
    clock: ManualClock = field(default_factory=ManualClock)
    line: Line = field(default_factory=Line)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.scheduler = MemoryScheduler(self.clock)
        self.queues: dict[str, deque[Asked]] = {}
        self.asked: list[Asked] = []
        self.busy = 0
        self.turn_s: float | None = None
        self._events: list[tuple[float, int, str, object]] = []
        self._order = count()

    async def run(self) -> list[Asked]:
        """Let a few minutes pass; return the turns whose wait was told."""
        await self.scheduler.begin_epoch()
        for at_s in self._arrivals():
            self._at(at_s, "ask", None)
        for at_s in range(int(self.seconds * 3)):
            self._at(float(at_s), "look", None)
        start_s = self.clock.monotonic()
        while self._events:
            at_s, _, what, who = heapq.heappop(self._events)
            self.clock.advance(max(0.0, start_s + at_s - self.clock.monotonic()))
            self.now_s = at_s
            await getattr(self, f"_{what}")(who)
            await self._fill()
        return [asked for asked in self.asked if asked.told_s is not None and asked.begun_s is not None]

    def _at(self, at_s: float, what: str, who: object) -> None:
        heapq.heappush(self._events, (at_s, next(self._order), what, who))

    def _arrivals(self) -> Iterator[float]:
        at_s, per_s = 0.0, self.load * self.slots / self.mean_s
        # A little while below capacity first: that is when the pace is learnt.
        while (
            at_s := at_s + self.chance.expovariate(per_s if at_s > 60 else per_s / self.load / 2)
        ) < self.seconds:
            yield at_s

    async def _ask(self, _who: object) -> None:
        wait_s, longest_s = self.line.predicted_wait_s(), self.line.longest_wait_s()
        chat = f"chat {self.chance.randrange(self.chats)}"
        queue = self.queues.setdefault(chat, deque())
        if len(queue) >= 5 or (wait_s is not None and wait_s > (longest_s or 600)):
            return
        asked = Asked(chat, self.now_s)
        queue.append(asked)
        self.asked.append(asked)
        await self.scheduler.put(chat)
        self._at(self.now_s + 2.5, "sign", asked)

    async def _sign(self, asked: Asked) -> None:
        queue = self.queues[asked.chat]
        if asked not in queue or any(each.told_s for each in queue):
            return
        [rank] = await self.scheduler.ranks([asked.chat])
        wait_s = self.line.wait_s(Place(rank=rank, before=queue.index(asked)))
        if wait_s is not None and wait_s > LONG_S:
            asked.told_s, asked.told_at_s = SAID_S[rounded(wait_s)], self.now_s

    async def _look(self, _who: object) -> None:
        pace = Pace(slots=self.slots, turn_s=self.turn_s)
        self.line.learn((await self.scheduler.counts()).ready, pace, self.now_s)

    async def _fill(self) -> None:
        while self.busy < self.slots and (take := await self.scheduler.take(10_000_000)):
            self.busy += 1
            asked = self.queues[take.chat_id].popleft()
            asked.begun_s = self.now_s
            took_s = self.chance.lognormvariate(0.0, 0.5) * self.mean_s / 1.13
            self._at(self.now_s + took_s, "end", (take, took_s))

    async def _end(self, ended: tuple[Take, float]) -> None:
        take, took_s = ended
        self.busy -= 1
        self.turn_s = took_s if self.turn_s is None else self.turn_s + 0.1 * (took_s - self.turn_s)
        more = bool(self.queues[take.chat_id])
        await self.scheduler.done(take, DoneOutcome.AGAIN if more else DoneOutcome.IDLE)


@pytest.mark.parametrize(
    ("slots", "mean_s", "load", "chats", "share"),
    [
        pytest.param(8, 4.0, 3.0, 100_000, 0.98, id="everybody asks once"),
        pytest.param(8, 4.0, 3.0, 40, 0.85, id="the same chats ask again and again"),
        pytest.param(2, 15.0, 2.0, 1_000, 0.8, id="slow answers, few slots"),
        pytest.param(64, 10.0, 1.5, 5_000, 0.9, id="a large engine"),
    ],
)
async def test_what_people_are_told_comes_true_within_a_factor_of_two(
    slots: int, mean_s: float, load: float, chats: int, share: float
) -> None:
    told = [
        asked
        for seed in range(4)
        for asked in await Town(seed=seed, slots=slots, mean_s=mean_s, load=load, chats=chats).run()
    ]
    true = [asked for asked in told if 0.5 <= (asked.begun_s - asked.told_at_s) / asked.told_s <= 2.0]
    assert len(told) >= 50
    assert len(true) / len(told) >= share
