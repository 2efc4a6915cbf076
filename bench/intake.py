"""What durability costs at the door: `python -m bench.intake`.

Mentions a second that come through a signed webhook and are committed to SQLite (WAL, `synchronous=FULL`) before
they are acknowledged, over the requests a second of a bare aiohttp handler. One server process answers both, a
separate process makes the same load for both, in alternating rounds; the ratio is the median over pairs of
rounds. The server's CPU time per request is told beside it: on a machine with other work it is the steadier of
the two, though it counts what the database's thread does in parallel as if it were not.

Between rounds the server ends the turns that wait, as workers would, so that no round meets an ever longer
queue.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from adapters.base import SendsFrom
from bench.load import Load, arguments
from bench.report import Aim, Report, conclude
from bench.webhook_adapter import ADAPTER, PATH, webhook
from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.clock import SystemClock
from bot.ingress.acceptances import IntakeSettings
from bot.ingress.announcing import Announcer
from bot.ingress.gateway import Gateway, GatewaySettings, make_app
from bot.ingress.health import Probes
from bot.ingress.intake import Intake
from bot.ingress.policy import Rules
from bot.long_lived import spare_the_collector
from bot.store.database import Database
from bot.store.tables import Base, TurnRow
from bot.telemetry.metrics import Metrics
from bot.turns.acceptance import Caps
from bot.turns.journal import Journal
from bot.turns.model import TurnState
from bot.turns.scheduler.memory import MemoryScheduler
from engine.base import EngineState, EngineStatus

_SECRET = "not a secret: signs the messages this bench makes up"  # noqa: S105 - the bench's own, both ends of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the server listens."""

    bare: int
    hook: int


class NoWorkers:
    """Stands where workers would listen: the bench has none."""

    async def signal_stop(self, turn_id: str) -> None:
        """Nobody works on it."""

    async def ring(self, adapter: str) -> None:
        """Nobody owns it."""


async def _bare(_: web.Request) -> web.Response:
    return web.Response()


@asynccontextmanager
async def _hook_gateway(directory: Path) -> AsyncIterator[tuple[Gateway, Database]]:
    clock, nobody, metrics = SystemClock(), NoWorkers(), Metrics()
    async with Database(f"sqlite:///{directory / 'aside.db'}") as database:
        async with database.write() as connection:
            await connection.run_sync(Base.metadata.create_all)
        vault = AesVault(KeyRing.fresh(), organisation="bench")
        # Nobody answers within a round: the caps would refuse what workers would have taken by then.
        journal = Journal(
            database, vault, clock, Caps(per_chat=1_000_000, per_person=1_000_000, total=1_000_000_000)
        )
        announcer = Announcer(MemoryScheduler(clock), nobody.ring, clock, (metrics,))
        settings = IntakeSettings(rules=Rules(names=("assistant",)), sends_from={ADAPTER: SendsFrom.ANY})
        async with Intake(journal, announcer, nobody, settings, (metrics,)) as intake:
            gateway_settings = GatewaySettings(port=0)
            app = make_app([webhook(_SECRET.encode())], intake, _probes(journal, metrics), gateway_settings)
            async with Gateway(app, gateway_settings) as gateway:
                yield gateway, database


def _probes(journal: Journal, metrics: Metrics) -> Probes:
    async def engine() -> EngineStatus:
        return EngineStatus(state=EngineState.READY)

    async def adapters() -> dict[str, str]:
        return {ADAPTER: "connected"}

    async def fine() -> None:
        return None

    registry: CollectorRegistry = metrics.registry
    return Probes(
        database=fine, redis=fine, engine=engine, turns=journal.counts, adapters=adapters, metrics=registry
    )


async def serve(directory: Path) -> None:
    """Serve both handlers; a line on stdin ends what waits, the end of stdin ends the server."""
    bare = web.Application()
    bare.router.add_post(PATH, _bare)
    settings = GatewaySettings(port=0)
    async with _hook_gateway(directory) as (gateway, database), Gateway(bare, settings) as bare_gateway:
        spare_the_collector()
        print(json.dumps({"bare": bare_gateway.port, "hook": gateway.port}), flush=True)
        while asked := await asyncio.to_thread(sys.stdin.readline):
            turns = await _end_turns(database) if asked == "end\n" else 0
            print(json.dumps({"turns": turns, "cpu_s": time.process_time()}), flush=True)


async def _end_turns(database: Database) -> int:
    async with database.write() as connection:
        return (await connection.execute(update(TurnRow).values(state=TurnState.SENT.value))).rowcount


class Server:
    """The server process, seen from the bench."""

    def __init__(self, directory: Path) -> None:
        """Start it and learn its ports."""
        command = [sys.executable, "-m", "bench.intake", "--serve", str(directory)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ports = self._answer()
        self.ports = Ports(bare=int(ports["bare"]), hook=int(ports["hook"]))

    def end_turns(self) -> int:
        """Have what waits ended; learn how many turns there are."""
        return int(self._ask("end")["turns"])

    def cpu_s(self) -> float:
        """Learn the CPU seconds it has used so far."""
        return self._ask("cpu")["cpu_s"]

    def _ask(self, what: str) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """Stop it."""
        self._process.communicate(timeout=30)

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the server ended early")
        return dict(json.loads(line))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One round: the rate, and the CPU time of both sides."""

    per_s: float
    server_cpu_us: float
    generator_busy: float


def _round(server: Server, load: Load) -> Figures:
    before_s = server.cpu_s()
    command = [sys.executable, *arguments(load)]
    made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120)
    told: dict[str, float] = json.loads(made.stdout)
    if told["failed"]:
        raise RuntimeError(f"{told['failed']} requests were not answered with 200")
    cpu_us = (server.cpu_s() - before_s) / load.requests * 1e6
    return Figures(per_s=told["per_s"], server_cpu_us=cpu_us, generator_busy=told["generator_busy"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two rounds, one after the other, under the same load."""

    bare: Figures
    durable: Figures

    @property
    def ratio(self) -> float:
        """What is left of the rate."""
        return self.durable.per_s / self.bare.per_s


def _pair(server: Server, number: int, requests: int, connections: int) -> Pair:
    first = number * requests

    def load(port: int) -> Load:
        return Load(
            port=port, path=PATH, secret=_SECRET, first=first, requests=requests, connections=connections
        )

    ports = (server.ports.bare, server.ports.hook)
    figures = {port: _round(server, load(port)) for port in (ports if number % 2 else reversed(ports))}
    turns = server.end_turns()
    if turns != first + requests:
        raise RuntimeError(f"{turns} turns are committed, of {first + requests} acknowledged")
    return Pair(bare=figures[server.ports.bare], durable=figures[server.ports.hook])


def measure(pairs: int, requests: int, connections: int) -> Report:
    """Run the rounds."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Path(directory))
        try:
            done = [_pair(server, number, requests, connections) for number in range(pairs)]
        finally:
            server.stop()
    ratios = [pair.ratio for pair in done]
    figures = {
        "ratio": statistics.median(ratios),
        "lowest_ratio": min(ratios),
        "highest_ratio": max(ratios),
        "durable_per_s": statistics.median(pair.durable.per_s for pair in done),
        "bare_per_s": statistics.median(pair.bare.per_s for pair in done),
        "durable_cpu_us": statistics.median(pair.durable.server_cpu_us for pair in done),
        "bare_cpu_us": statistics.median(pair.bare.server_cpu_us for pair in done),
        "generator_busy": max(max(pair.durable.generator_busy, pair.bare.generator_busy) for pair in done),
    }
    notes = (
        f"{pairs} pairs of rounds of {requests:,} mentions over {connections} connections",
        "every acknowledged mention was found committed",
    )
    return Report(name="intake", figures=figures, aims={"ratio": Aim(0.4)}, notes=notes)


def main() -> None:
    """Run the bench, or the server it starts."""
    parser = argparse.ArgumentParser(prog="python -m bench.intake", description=__doc__)
    parser.add_argument("--pairs", type=int, default=7, help="pairs of rounds")
    parser.add_argument("--requests", type=int, default=6_000, help="requests a round")
    parser.add_argument("--connections", type=int, default=128, help="requests in flight")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        asyncio.run(serve(asked.serve))
        return
    conclude(measure(asked.pairs, asked.requests, asked.connections), as_json=asked.json)


if __name__ == "__main__":
    main()
