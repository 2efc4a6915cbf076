"""What the schedule costs, however many chats there are: `python -m bench.scheduler [--long] [--json]`.

PUT and TAKE + DONE per second through the scheduler that workers use, at a thousand and a hundred thousand ready
chats (`--long`: and a million), against a real Valkey as `aside up` starts it. All sizes stand in one server, each
under keys of its own, and are measured in turn: a slowdown is the median over rounds, so that what else the machine
does meets all sizes alike. Beside the rates stands the server's own time for them, which no client can hide.

Then the memory of a ready chat (half of them are direct chats, whose weight of 2 is kept beside), and how fast an
erased schedule is put again from the record by the reconciler.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from bench.report import Aim, Report, conclude
from bench.waiting import make_waiting
from bot.chat.memory_vault import EphemeralVault
from bot.clock import SystemClock
from bot.servers.valkey import EmbeddedValkey
from bot.store.database import Database
from bot.store.ids import Ids
from bot.store.redis_client import open_redis
from bot.store.schema import migrate
from bot.turns.acceptance import Caps
from bot.turns.journal import Journal
from bot.turns.reconciler import Reconciler
from bot.turns.scheduler.base import DoneOutcome
from bot.turns.scheduler.redis import RedisScheduler

_NAMES = {1_000: "1k", 100_000: "100k", 1_000_000: "1m"}
_SMALLEST = min(_NAMES)
#: Calls on their way at once, as a busy worker has them.
_AT_ONCE = 8
_LEASE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often a second, and the server's microseconds for each."""

    per_s: float
    server_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round at one size."""

    put: Rate
    take_done: Rate


class Schedule:
    """So many ready chats in a schedule of their own."""

    def __init__(self, client: Redis, chats: int, spare: int) -> None:
        """Draw the chats, and `spare` more for every round, in an order that has nothing to do with their names."""
        self._client = client
        self._scheduler = RedisScheduler(client, shard=f"bench-{chats}", call_timeout_s=30.0)
        drawn = Ids(SystemClock()).several(chats + spare)
        random.Random(chats).shuffle(drawn)
        self._chats, self._spare = drawn[:chats], drawn[chats:]

    async def fill(self) -> float:
        """Put every chat; return how many bytes of the server's memory each takes."""
        before = await self._memory()
        await self._scheduler.put_many({chat: 1.0 + number % 2 for number, chat in enumerate(self._chats)})
        await self._scheduler.begin_epoch()
        return (await self._memory() - before) / len(self._chats)

    async def measure(self) -> Round:
        """Put the spare chats one by one, then take and end as many."""
        chats, self._spare = self._spare, []
        put = await self._timed(self._put, chats)
        return Round(put=put, take_done=await self._timed(self._take_and_end, chats))

    async def _put(self, chat: str) -> None:
        await self._scheduler.put(chat)

    async def _take_and_end(self, _: str) -> None:
        take = await self._scheduler.take(_LEASE_MS)
        if take is None or not await self._scheduler.done(take, DoneOutcome.IDLE):
            raise RuntimeError("the schedule lost a chat")
        # Whoever was taken is put in the next round.
        self._spare.append(take.chat_id)

    async def _timed(self, step: Callable[[str], Awaitable[None]], chats: list[str]) -> Rate:
        rest = iter(chats)

        async def some() -> None:
            for chat in rest:
                await step(chat)

        await self._client.config_resetstat()
        began_s = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
        took_s = time.perf_counter() - began_s
        used_us = (await self._client.info("commandstats"))["cmdstat_evalsha"]["usec"]
        return Rate(per_s=len(chats) / took_s, server_us=used_us / len(chats))

    async def _memory(self) -> int:
        return int((await self._client.info("memory"))["used_memory"])


async def rates(client: Redis, sizes: list[int], rounds: int, calls: int) -> dict[str, float]:
    """Measure every size in turn, several times."""
    schedules = {size: Schedule(client, size, calls) for size in sizes}
    per_chat = {size: await schedule.fill() for size, schedule in schedules.items()}
    done: dict[int, list[Round]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, schedule in schedules.items():
            done[size].append(await schedule.measure())
    figures: dict[str, float] = {}
    for size in sizes:
        figures |= _figures(_NAMES[size], done[size])
    for size in sizes[1:]:
        figures[f"slowdown_{_NAMES[size]}"] = _slowdown(done[_SMALLEST], done[size])
    return figures | {"bytes_per_chat": per_chat[sizes[-1]]}


def _figures(name: str, rounds: list[Round]) -> dict[str, float]:
    return {
        f"put_per_s_{name}": statistics.median(each.put.per_s for each in rounds),
        f"take_done_per_s_{name}": statistics.median(each.take_done.per_s for each in rounds),
        f"put_server_us_{name}": statistics.median(each.put.server_us for each in rounds),
        f"take_done_server_us_{name}": statistics.median(each.take_done.server_us for each in rounds),
    }


def _slowdown(small: list[Round], large: list[Round]) -> float:
    """Tell how many times slower the worse of the two kinds of step became."""
    pairs = list(zip(small, large, strict=True))
    put = statistics.median(few.put.per_s / many.put.per_s for few, many in pairs)
    take_done = statistics.median(few.take_done.per_s / many.take_done.per_s for few, many in pairs)
    return max(put, take_done)


async def rebuild_per_s(client: Redis, folder: Path, chats: int) -> float:
    """Erase Redis and have the reconciler put every chat that waits; return how many a second."""
    url, clock = f"sqlite:///{folder / 'record.db'}", SystemClock()
    await migrate(url)
    async with Database(url) as database:
        caps = Caps(total=10 * chats)
        journal = Journal(database, EphemeralVault(), clock, caps)
        await make_waiting(journal, 0, chats)
        scheduler = RedisScheduler(client)
        reconciler = Reconciler(journal, scheduler, clock)
        await client.flushall()
        began_s = time.perf_counter()
        put = await reconciler.put_all()
        took_s = time.perf_counter() - began_s
        if put != chats or (await scheduler.counts()).ready != chats:
            raise RuntimeError(f"{put} of {chats} chats were put again")
    return put / took_s


async def measure(sizes: list[int], rounds: int, calls: int, rebuilt: int) -> Report:
    """Run both halves on one server."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        async with EmbeddedValkey(Path(folder) / "valkey") as valkey, open_redis(valkey.url) as client:
            figures = await rates(client, sizes, rounds, calls)
            figures["rebuild_per_s"] = await rebuild_per_s(client, Path(folder), rebuilt)
    slowdowns = {f"slowdown_{_NAMES[size]}": Aim(1.5, at_most=True) for size in sizes[1:]}
    aims = {**slowdowns, "bytes_per_chat": Aim(200, at_most=True), "rebuild_per_s": Aim(2000)}
    notes = (
        f"{rounds} rounds of {calls:,} puts and as many takes at each size, {_AT_ONCE} calls at once",
        f"{rebuilt:,} waiting chats were put again from SQLite after FLUSHALL",
    )
    return Report(name="scheduler", figures=figures, aims=aims, notes=notes)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.scheduler", description=__doc__)
    parser.add_argument("--long", action="store_true", help="measure a million chats too")
    parser.add_argument("--rounds", type=int, default=7, help="rounds at each size")
    parser.add_argument("--calls", type=int, default=1_000, help="puts, and takes, a round")
    parser.add_argument("--rebuilt", type=int, default=30_000, help="chats to put again after an erasure")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    asked = parser.parse_args()
    sizes = [size for size in _NAMES if asked.long or size < max(_NAMES)]
    conclude(asyncio.run(measure(sizes, asked.rounds, asked.calls, asked.rebuilt)), as_json=asked.json)


if __name__ == "__main__":
    main()
