"""What flooding chats do to the others: `python -m bench.fairness`.

Thirty chats flood eight slots, three hundred mentions each in the first seconds; ordinary chats ask now and then
beside them. Ten runs of ten minutes, each under three orders with the very same mentions: the project's scheduler
(start-time fair queueing, charged by slot-seconds), round robin over chats, and the oldest mention first. Time is
virtual. The promise: an ordinary chat waits at the 99th percentile no longer than (busy chats / slots + 1) mean turns.

`--long` adds runs on the scheduler in a real Valkey, in real time that is ten times as fast (four minutes).
"""

import argparse
import asyncio
import math
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from bench.fairness_world import MEAN_TURN_S, ORDERS, Crowd, Mention, Outcome, Waiting, arrivals, note, run
from bench.report import Aim, Report, conclude
from bot.servers.valkey import EmbeddedValkey
from bot.store.redis_client import open_redis
from bot.turns.scheduler.base import DoneOutcome, Scheduler
from bot.turns.scheduler.redis import RedisScheduler

_LEASE_MS = 60_000
#: How much faster than the virtual world a run on Valkey is.
_FASTER = 10.0
#: Runs at once, each in a database of its own.
_SIDE_BY_SIDE = 3


def percentile(figures: Sequence[float], share: float) -> float:
    """Return the smallest figure that so large a share of all does not exceed."""
    return sorted(figures)[max(0, math.ceil(share * len(figures)) - 1)]


def figures_of(outcomes: Sequence[Outcome], crowd: Crowd) -> dict[str, float]:
    """Sum up the runs of one order."""
    waits_s = [wait_s for outcome in outcomes for wait_s in outcome.waits_s]
    busy = [count for outcome in outcomes for count in outcome.busy]
    busy_chats = sum(busy) / len(busy)
    bound_s = (busy_chats / crowd.slots + 1) * MEAN_TURN_S
    wait_p99_s = percentile(waits_s, 0.99)
    return {
        "wait_over_bound": wait_p99_s / bound_s,
        "wait_p50_s": percentile(waits_s, 0.5),
        "wait_p99_s": wait_p99_s,
        "bound_s": bound_s,
        "busy_chats": busy_chats,
        "unserved": float(sum(outcome.unserved for outcome in outcomes)),
        "flooders_share": sum(each.flooded_s for each in outcomes) / sum(each.used_s for each in outcomes),
    }


async def compared(crowd: Crowd, seeds: Sequence[int]) -> dict[str, dict[str, float]]:
    """Run every order on the same mentions."""
    found: dict[str, dict[str, float]] = {}
    for name, order in ORDERS.items():
        outcomes = [await run(order(), arrivals(crowd, seed), crowd) for seed in seeds]
        found[name] = figures_of(outcomes, crowd)
    return found


class RealTime:
    """One run on a scheduler whose time cannot be moved."""

    def __init__(self, scheduler: Scheduler, asked: Sequence[Mention], crowd: Crowd) -> None:
        self._scheduler = scheduler
        self._asked = deque(asked)
        self._crowd = crowd
        self._outcome = Outcome()
        self._waiting = Waiting()
        self._begun_s = 0.0

    async def run(self) -> Outcome:
        """Ask and serve until the time is over."""
        self._begun_s = asyncio.get_running_loop().time()
        await self._scheduler.begin_epoch()
        try:
            async with asyncio.timeout(self._crowd.seconds / _FASTER), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ask())
                for _ in range(self._crowd.slots):
                    tasks.create_task(self._serve())
        except TimeoutError:
            pass
        left = [mention for mention in self._waiting.left() if mention.is_ordinary]
        self._outcome.waits_s += [self._crowd.seconds - mention.at_s for mention in left]
        self._outcome.unserved = len(left)
        return self._outcome

    async def _ask(self) -> None:
        while self._asked:
            await asyncio.sleep((self._asked[0].at_s - self._now_s()) / _FASTER)
            due: dict[str, float] = {}
            while self._asked and self._asked[0].at_s <= self._now_s():
                mention = self._asked.popleft()
                self._waiting.add(mention)
                due[mention.chat] = 1.0
                if mention.is_ordinary:
                    self._outcome.busy.append(self._waiting.busy)
            await self._scheduler.put_many(due)

    async def _serve(self) -> None:
        while True:
            take = await self._scheduler.take(_LEASE_MS)
            if take is None:
                await self._scheduler.wait(0.05)
                continue
            if not self._waiting.has(take.chat_id):
                await self._scheduler.done(take, DoneOutcome.IDLE)
                continue
            mention = self._waiting.begin(take.chat_id)
            note(self._outcome, mention, self._now_s())
            await asyncio.sleep(mention.turn_s / _FASTER)
            self._waiting.end(take.chat_id)
            more = self._waiting.has(take.chat_id)
            await self._scheduler.done(take, DoneOutcome.AGAIN if more else DoneOutcome.IDLE)

    def _now_s(self) -> float:
        return (asyncio.get_running_loop().time() - self._begun_s) * _FASTER


async def on_valkey(crowd: Crowd, seeds: Sequence[int]) -> dict[str, float]:
    """Run the project's order on a real Valkey, several runs side by side: most of a run is waiting."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedValkey(Path(folder) / "valkey") as valkey:
            outcomes: list[Outcome] = []
            for begin in range(0, len(seeds), _SIDE_BY_SIDE):
                together = seeds[begin : begin + _SIDE_BY_SIDE]
                outcomes += await asyncio.gather(
                    *(_run_on(f"{valkey.url}?db={at}", seed, crowd) for at, seed in enumerate(together))
                )
    return figures_of(outcomes, crowd)


async def _run_on(url: str, seed: int, crowd: Crowd) -> Outcome:
    client = open_redis(url)
    try:
        await client.flushdb()
        return await RealTime(RedisScheduler(client), arrivals(crowd, seed), crowd).run()
    finally:
        await client.aclose()


async def measure(runs: int, *, long: bool) -> Report:
    """Run everything."""
    crowd = Crowd()
    found = await compared(crowd, range(runs))
    figures = {"ordinary_wait_over_bound": found["fair"].pop("wait_over_bound")}
    figures |= {f"{order}_{name}": figure for order, each in found.items() for name, figure in each.items()}
    aims = {"ordinary_wait_over_bound": Aim(1.0, at_most=True)}
    if long:
        real = await on_valkey(crowd, range(runs))
        figures |= {f"valkey_{name}": figure for name, figure in real.items()}
        aims["valkey_wait_over_bound"] = Aim(1.0, at_most=True)
    notes = (
        f"{runs} runs of {crowd.seconds:g} s, {crowd.flooders} flooding chats, {crowd.slots} slots",
        f"{crowd.ordinary_per_s:g} ordinary mentions a second, turns of {MEAN_TURN_S:g} s on the average",
        "bound = (busy chats / slots + 1) x mean turn; what was never served has waited until the end",
    )
    return Report(name="fairness", figures=figures, aims=aims, notes=notes)


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="runs of ten virtual minutes")
    parser.add_argument("--long", action="store_true", help="also on Valkey, in real time")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    conclude(asyncio.run(measure(asked.runs, long=asked.long)), as_json=asked.json)


if __name__ == "__main__":
    main()
