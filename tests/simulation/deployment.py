"""Gateways and workers of a run, composed as the composition root composes them, from parts that may be faulty."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from adapters.base import Platform
from bot.bootstrap import Core, Shared, make_intake, make_notices, make_worker
from bot.chat.key_ring import KeyRing
from bot.chat.memory_context import MemoryContext
from bot.clock import Clock
from bot.engine_view import EngineView
from bot.ingress.intake import Intake
from bot.settings import Settings
from bot.settings.sections import TurnsSection, WorkerSection
from bot.telemetry.metrics import Metrics
from bot.turns.acceptance import Caps
from bot.turns.delays import Delays
from bot.turns.journal import Journal, OwedNotice, UnfinishedChat, UnsignedTurn
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.model import Turn
from bot.turns.outage import ScheduleOutage
from bot.turns.reconciler import Reconciler
from bot.turns.scheduler.base import Scheduler
from tests.simulation.cloud import CloudAdapter
from tests.simulation.model import MarkedEngine
from tests.simulation.shared import PlainVault
from tests.simulation.store import MemoryDatabase, SeededIds
from tests.simulation.virtual_loop import Process, VirtualClock, VirtualLoop
from tests.simulation.watching import Watch
from tests.simulation.wire import Wire

LEASE_S = 3.0
#: As in production, but for looks that would only cost a run its time.
DELAYS = Delays(notices_s=2.0, sign_look_s=1.5, operator_s=20.0)
_LOOK_EVERY_S, _WHOLE_EVERY_S = 6.0, 15.0


class WatchedJournal(Journal):
    """The journal as it is; an onlooker learns which token claimed what.

    Most looks of a run find nothing to do: those do not trouble SQLAlchemy.
    """

    watch: Watch
    sim_database: MemoryDatabase

    async def claim(self, chat_id: str, token: int, epoch: str) -> Turn | None:
        turn = await super().claim(chat_id, token, epoch)
        if turn is not None:
            self.watch.claimed(turn.id, turn.token)
        return turn

    async def unfinished(self, **how: Any) -> list[UnfinishedChat]:
        only = "fence IS NULL" if how.get("only_unclaimed") else "TRUE"
        return await super().unfinished(**how) if self.sim_database.has_open(only) else await self._nothing()

    async def unsigned(self, *asked: Any, **of: Any) -> list[UnsignedTurn]:
        is_any = self.sim_database.has_open("NOT held AND placeholder IS NULL")
        return await super().unsigned(*asked, **of) if is_any else await self._nothing()

    async def claim_notice(self, now: datetime, claim_s: float) -> OwedNotice | None:
        if self.sim_database.has_owed_notices:
            return await super().claim_notice(now, claim_s)
        await self._nothing()
        return None

    async def held_chats(self) -> list[str]:
        return await self._nothing()  # nobody holds any

    async def _nothing(self) -> list[Any]:
        async with self._database.read():
            return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The collaborators of which a test may inject a faulty one."""

    journal: Callable[..., WatchedJournal] = WatchedJournal
    #: Wraps the schedule as processes reach it.
    scheduler: Callable[[Scheduler], Scheduler] = lambda scheduler: scheduler


@dataclass(slots=True, kw_only=True)
class Ground:
    """What every process of a run stands on."""

    loop: VirtualLoop
    wire: Wire
    watch: Watch
    database: MemoryDatabase
    scheduler: Scheduler
    adapter: CloudAdapter
    engine: MarkedEngine
    bus: MemoryLiveBus
    parts: Parts
    is_live: bool


@cache
def _settings() -> Settings:
    return Settings(
        data_dir=Path("/nowhere"),
        worker=WorkerSection(lease_s=LEASE_S, drain_s=2.0, slots=2),
        turns=TurnsSection(deadline_s=600.0),
    )


@cache
def _metrics() -> Metrics:
    return Metrics()


def _core(ground: Ground, clock: Clock, name: str) -> Core:
    vault, keys = PlainVault(), KeyRing.fresh()
    journal = ground.parts.journal(ground.database, vault, clock, Caps(per_chat=8))
    journal.watch, journal.sim_database = ground.watch, ground.database
    journal._ids = SeededIds(clock, ground.wire.chance(f"ids of {name}"))
    scheduler = ground.parts.scheduler(ground.scheduler)
    shared = Shared(scheduler=scheduler, bus=ground.bus, contexts=MemoryContext(), redis=None)
    return Core(
        settings=_settings(),
        clock=clock,
        metrics=_metrics(),
        hooks=(),
        keys=keys,
        vault=vault,
        database=ground.database,
        journal=journal,
        shared=shared,
        reconciler=Reconciler(journal, scheduler, clock, every_s=_WHOLE_EVERY_S, look_every_s=_LOOK_EVERY_S),
        platforms={ground.adapter.name: Platform(adapter=ground.adapter)},
        outage=ScheduleOutage(clock),
        engine_view=EngineView(),
        introduces=False,
        # Where nothing can be shown live there are no signs to look for.
        delays=DELAYS if ground.is_live else replace(DELAYS, sign_look_s=60.0),
    )


class Running:
    """A gateway or a worker, from one start to its end."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.process = Process(ground.loop, name)
        self._ground = ground
        #: There while a gateway takes messages in.
        self.intake: Intake | None = None
        self.main = self.process.spawn(self._worker() if name.startswith("worker") else self._gateway())

    async def _gateway(self) -> None:
        core = self._made_core()
        async with AsyncExitStack() as stack:
            intake = await stack.enter_async_context(make_intake(core))
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            background = [
                tasks.create_task(core.reconciler.run()),
                tasks.create_task(make_notices(core).run()),
            ]
            self.intake = intake
            try:
                await asyncio.Event().wait()
            finally:
                self.intake = None
                for task in background:
                    task.cancel()

    async def _worker(self) -> None:
        core = self._made_core()
        worker, stops = make_worker(core, self._ground.engine, embedded=False)
        worker._companions = ()  # the pace and the slots are no part of the protocol, and look around all the time
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(core.reconciler.run()),
                tasks.create_task(stops.listen(core.shared.bus)),
            ]
            try:
                await worker.run()
            finally:
                for task in background:
                    task.cancel()

    def _made_core(self) -> Core:
        chance = self._ground.wire.chance(f"clock of {self.process.name}")
        clock = VirtualClock(self._ground.loop, ahead_s=chance.uniform(-0.05, 0.05))
        return _core(self._ground, clock, self.process.name)

    def serve(self, work: Callable[[Intake], Any]) -> asyncio.Task[Any] | None:
        """Have intake do something; None where there is none, as of a process that refuses connections."""
        if self.intake is None or self.process.dead:
            return None
        return self.process.spawn(work(self.intake))
