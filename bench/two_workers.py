"""Whether a second worker doubles what is answered: `python -m bench.two_workers [--long] [--json]`.

Real worker processes as `aside worker` runs them, one Valkey, one SQLite file, and a scripted engine in a process of
its own that only sleeps, so that nothing but the workers' slots is the limit. So many turns wait as make whole rounds
of all slots, behind a paused schedule; the clock runs from the end of the pause to the last stored reply.
`two_workers_ratio` is what two workers answer a second over what one does; rounds with one and with two alternate.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from adapters.base import Platform, SendsFrom
from bench.report import Aim, Report, conclude
from bench.waiting import make_waiting
from bench.whole_path import Stopwatch
from bot.additions import Additions, Ground
from bot.bootstrap import Core, open_core
from bot.commands.role import run_role
from bot.roles import run_worker
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.settings.sections import (
    DatabaseSection,
    EngineSection,
    RedisSection,
    TerminalSection,
    TurnsSection,
    VaultSection,
    WebchatSection,
    WorkerSection,
)
from bot.store.schema import migrate

_POLL_S = 0.02
_PATIENCE_S = 120.0


def _platforms(_: Ground) -> list[Platform]:
    stopwatch = Stopwatch()
    return [Platform(adapter=stopwatch, live=stopwatch)]


_ADDITIONS = Additions(platforms=_platforms)


def settings_of(folder: Path, who: str, *, redis_url: str, engine_url: str, slots: int) -> Settings:
    """Make the settings of one process; each has a data directory of its own, all share the record and the key."""
    settings = Settings(
        data_dir=folder / who,
        database=DatabaseSection(url=SecretStr(f"sqlite:///{folder / 'record.db'}")),
        redis=RedisSection(url=SecretStr(redis_url)),
        engine=EngineSection(url=engine_url),
        worker=WorkerSection(slots=slots),
        turns=TurnsSection(total_waiting=100_000),
        vault=VaultSection(key_file=folder / "vault.key"),
        terminal=TerminalSection(enabled=False),
        webchat=WebchatSection(enabled=False),
    )
    settings.data.create()
    return settings


class Bench:
    """A deployment without a gateway: what waits is committed and put by hand."""

    def __init__(self, core: Core, folder: Path, *, redis_url: str, engine_url: str, slots: int) -> None:
        """Keep what the worker processes are told."""
        self._core = core
        self._folder = folder
        self._urls = ["--redis", redis_url, "--engine", engine_url]
        self._slots = slots
        self._names = count()
        self._next = 0

    async def per_s(self, workers: int, turns_each: int) -> float:
        """Let so many workers answer, and return how many turns they did a second."""
        turns = workers * turns_each
        await self._core.shared.scheduler.pause()
        await make_waiting(self._core.journal, self._next, self._next + turns, sends_from=SendsFrom.OWNER)
        self._next += turns
        await self._core.reconciler.put_all()
        with self._running(workers) as pulses:
            await _until(lambda: all(pulse.exists() for pulse in pulses))
            began_s = time.perf_counter()
            await self._core.shared.scheduler.resume()
            await self._until_replied(self._next)
            return turns / (time.perf_counter() - began_s)

    @contextmanager
    def _running(self, workers: int) -> Iterator[list[Path]]:
        """Run worker processes; yield the files that appear once they work."""
        names = [f"worker-{next(self._names)}" for _ in range(workers)]
        command = [sys.executable, "-m", "bench.two_workers", *self._urls, "--slots", str(self._slots)]
        processes = [
            subprocess.Popen(
                [*command, "--worker", str(self._folder), "--name", name], stderr=subprocess.DEVNULL
            )
            for name in names
        ]
        try:
            yield [self._folder / name / "run" / "worker.pulse" for name in names]
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=30)

    async def _until_replied(self, turns: int) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while (await self._core.journal.counts()).unsent < turns:  # noqa: ASYNC110 - other processes do it
                await asyncio.sleep(_POLL_S)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - other processes do it
            await asyncio.sleep(_POLL_S)


@contextmanager
def scripted_engine(delay_s: float) -> Iterator[str]:
    """Run an engine that sleeps twice for every reply; yield its URL."""
    command = [sys.executable, "-m", "engine.scripted_server", "--port", "0", "--tokens", "1"]
    process = subprocess.Popen(
        [*command, "--delay-ms", str(delay_s * 1000)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=30)


async def measure(*, slots: int, rounds: int, pairs: int, delay_s: float) -> Report:
    """Measure one worker and two in turns."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aside-")))
        engine_url = stack.enter_context(scripted_engine(delay_s))
        valkey = await stack.enter_async_context(EmbeddedValkey(folder / "valkey"))
        settings = settings_of(folder, "bench", redis_url=valkey.url, engine_url=engine_url, slots=slots)
        await migrate(settings.database_url)
        core = await stack.enter_async_context(open_core(settings, valkey.url, _ADDITIONS))
        bench = Bench(core, folder, redis_url=valkey.url, engine_url=engine_url, slots=slots)
        done = []
        for _ in range(pairs):
            one = await bench.per_s(1, slots * rounds)
            done.append((one, await bench.per_s(2, slots * rounds)))
    return Report(
        name="two_workers",
        figures={
            "two_workers_ratio": statistics.median(two / one for one, two in done),
            "one_worker_per_s": statistics.median(one for one, _ in done),
            "two_workers_per_s": statistics.median(two for _, two in done),
            "slots_per_s": slots / (2 * delay_s),
        },
        aims={"two_workers_ratio": Aim(1.9)},
        notes=(
            f"{pairs} pairs of runs of {slots * rounds} turns a worker, {slots} slots each",
            f"the engine sleeps {2 * delay_s:g} s for every turn: slots_per_s is what one worker's slots allow",
        ),
    )


def _work(asked: argparse.Namespace) -> int:
    settings = settings_of(
        asked.worker, asked.name, redis_url=asked.redis, engine_url=asked.engine, slots=asked.slots
    )
    return run_role("worker", partial(run_worker, additions=_ADDITIONS), settings)


def main() -> None:
    """Run the bench, or one of the workers it starts."""
    parser = argparse.ArgumentParser(prog="python -m bench.two_workers", description=__doc__)
    parser.add_argument("--slots", type=int, default=8, help="turns a worker answers at a time")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each slot")
    parser.add_argument("--pairs", type=int, default=3, help="runs with one worker and with two")
    parser.add_argument("--delay-s", type=float, default=1.0, help="what the engine sleeps, twice a turn")
    parser.add_argument("--long", action="store_true", help="five times as many turns")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    for name in ("--worker", "--name", "--redis", "--engine"):
        parser.add_argument(name, type=Path if name == "--worker" else str, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker is not None:
        sys.exit(_work(asked))
    rounds = asked.rounds * 5 if asked.long else asked.rounds
    report = measure(slots=asked.slots, rounds=rounds, pairs=asked.pairs, delay_s=asked.delay_s)
    conclude(asyncio.run(report), as_json=asked.json)


if __name__ == "__main__":
    main()
