"""One run: the schedule's events carried out on a deployment in virtual time, and what came of them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from adapters.base import (
    Addressed,
    Conversation,
    ConversationKind,
    Inbound,
    LiveOutput,
    Outcome,
    Person,
    StopRequested,
)
from bot.errors import StoreUnavailable
from bot.ingress.intake import Intake
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.scheduler.memory import MemoryScheduler
from tests.simulation.around import errors_into, seeded
from tests.simulation.cloud import CloudAdapter
from tests.simulation.deployment import LEASE_S, Ground, Parts, Running
from tests.simulation.evidence import Evidence, gather
from tests.simulation.model import MarkedEngine
from tests.simulation.schedule import (
    AskToStop,
    Erase,
    Freeze,
    Kill,
    Outage,
    Roll,
    Say,
    Schedule,
    Seam,
)
from tests.simulation.shared import WiredScheduler
from tests.simulation.store import MemoryDatabase
from tests.simulation.virtual_loop import OUTSIDE, Process, VirtualClock, VirtualLoop
from tests.simulation.watching import Mention, Watch
from tests.simulation.wire import Wire

#: Virtual seconds within which all must be quiet after the last event.
QUIET_WITHIN_S = 150.0
_LOOK_EVERY_S = 0.5
#: All must stay quiet for so long: a late effect may still undo it.
_STAYS_QUIET_S = LEASE_S
_WEBHOOK_TIMEOUT_S, _REDELIVERY_S = 3.0, 1.5
_RESTART_S = 0.8


class World:
    """A deployment and the people around it."""

    def __init__(self, schedule: Schedule, parts: Parts, *, tracing: bool = False) -> None:
        self.schedule = schedule
        self.loop = VirtualLoop()
        self.watch = Watch(self.loop.time)
        self.watch.tracing = tracing
        self.wire = Wire(self.loop, schedule, self.watch.tell)
        self.wire.kill = self._killed_at_a_call
        self.database = MemoryDatabase(self.wire)
        self.database.named = tracing
        clock = VirtualClock(self.loop)
        self.schedule_memory = MemoryScheduler(clock)
        self.wire.erase = self.schedule_memory.erase
        self.adapter = CloudAdapter(self.loop, self.wire, self.watch, schedule.idempotency, schedule.live)
        self.engine = MarkedEngine(self.loop, schedule, self.wire, self.watch)
        self.ground = Ground(
            loop=self.loop,
            wire=self.wire,
            watch=self.watch,
            database=self.database,
            scheduler=WiredScheduler(self.schedule_memory, self.wire, self.watch),
            adapter=self.adapter,
            engine=self.engine,
            bus=MemoryLiveBus(clock),
            parts=parts,
            is_live=schedule.live is not LiveOutput.NONE,
        )
        self.running: dict[str, Running] = {}
        self._delivering = 0
        self._starting = 0

    def run(self) -> Evidence:
        """Carry the schedule out and wait until all is quiet."""
        with seeded(self.schedule.seed), errors_into(self.watch.errors):
            self.loop.set_exception_handler(self._caught)
            try:
                is_quiet = self.loop.run_until_complete(
                    self.loop.create_task(self._play(), context=OUTSIDE.copy())
                )
                self._look_for_unheard_errors()
                return gather(self.database.driver, self.watch, self.schedule, is_quiet=is_quiet)
            finally:
                self.wire.closed = True
                self.loop.end()

    def _caught(self, _loop: object, context: dict[str, Any]) -> None:
        self.watch.errors.append(f"{context['message']}: {context.get('exception')!r}")

    def _look_for_unheard_errors(self) -> None:
        for task in self.loop.tasks:
            owner = task.owner
            if (owner is None or not owner.dead) and (error := task.unheard_error):
                where = f"in {owner.name}" if owner else "in the world"
                self.watch.errors.append(f"nobody heard of {type(error).__name__} {where}: {error}")

    async def _play(self) -> bool:
        names = [f"gateway {n + 1}" for n in range(self.schedule.gateways)]
        names += [f"worker {n + 1}" for n in range(self.schedule.workers)]
        for name in names:
            self._start(name)
        for event in self.schedule.events:
            at_s = getattr(event, "at_s", None)
            if at_s is not None:
                self.loop.call_at(at_s + 0.1, self._happens, event)
        return await self._until_quiet()

    async def _until_quiet(self) -> bool:
        last_s, quiet_since_s = self.schedule.last_s + 0.2, None
        while self.loop.time() < last_s + QUIET_WITHIN_S:
            await asyncio.sleep(_LOOK_EVERY_S)
            if self.loop.time() < last_s or not self._is_quiet():
                quiet_since_s = None
            elif quiet_since_s is None:
                quiet_since_s = self.loop.time()
            elif self.loop.time() - quiet_since_s >= _STAYS_QUIET_S:
                return True
        return False

    def _is_quiet(self) -> bool:
        if self._delivering or self._starting or self.adapter.travelling:
            return False
        if any(process.frozen and not process.dead for process in self.loop.processes):
            return False
        return not (self.database.has_open() or self.database.has_owed_notices)

    def _happens(self, event: Any) -> None:
        self.watch.tell(f"EVENT {event}")
        match event:
            case Say():
                self._say(event)
            case AskToStop():
                self._deliver(lambda intake: _stop(intake, event), number=None)
            case Kill():
                self._kill(self.running[event.process].process, event.back_s)
            case Freeze():
                self._freeze(self.running[event.process].process, event.for_s)
            case Roll():
                self._roll(self.running[event.process])
            case Erase():
                self.schedule_memory.erase()
            case Outage():
                self._away(event.seam, by=1)
                self.loop.call_later(event.for_s, lambda: self._away(event.seam, by=-1))

    # Processes.

    def _start(self, name: str) -> None:
        self.watch.tell(f"{name} starts")
        self.running[name] = Running(self.ground, name)

    def _start_later(self, name: str, after_s: float) -> None:
        self._starting += 1

        def start() -> None:
            self._starting -= 1
            self._start(name)

        self.loop.call_later(after_s, start, context=OUTSIDE.copy())

    def _kill(self, process: Process, back_s: float) -> None:
        if not process.dead:
            process.kill()
            self._start_later(process.name, back_s)

    def _killed_at_a_call(self, process: Process) -> None:
        self._kill(process, _RESTART_S)

    def _freeze(self, process: Process, for_s: float) -> None:
        if not process.stopped:
            process.freeze()
            self.loop.call_later(for_s, process.thaw)

    def _roll(self, running: Running) -> None:
        process = running.process
        if process.dead:
            return
        running.main.cancel()
        running.main.add_done_callback(
            lambda _: None if process.dead else self._ended(process), context=OUTSIDE.copy()
        )

    def _ended(self, process: Process) -> None:
        process.dead = True
        self._start_later(process.name, 0.2)

    def _away(self, seam: Seam, *, by: int) -> None:
        self.wire.away[seam] += by
        if seam is Seam.ENGINE:
            self.engine.away(is_away=self.wire.away[seam] > 0)

    # People, and the platform that carries their messages here.

    def _say(self, say: Say) -> None:
        mention = Mention(
            number=say.number,
            conversation=say.conversation,
            event=f"event-{say.number}",
            said_at_s=self.loop.time(),
        )
        self.watch.mentions[say.number] = mention
        inbound = _inbound(say, mention.event)
        for _ in range(1 + say.copies):
            self._deliver(lambda intake: intake.accept(inbound), number=say.number)

    def _deliver(self, work: Any, *, number: int | None) -> None:
        self._delivering += 1
        self.loop.create_task(self._redelivered(work, number), context=OUTSIDE.copy())

    async def _redelivered(self, work: Any, number: int | None) -> None:
        chance = self.wire.chance("webhooks")
        while True:
            await asyncio.sleep(chance.uniform(0.01, 0.2))
            gateway = self.running[f"gateway {chance.randint(1, self.schedule.gateways)}"]
            outcome = await self._answered(gateway, work)
            if outcome is not None:
                break
            await asyncio.sleep(_REDELIVERY_S)
        if number is not None:
            mention = self.watch.mentions[number]
            mention.outcomes.append(outcome.value)
            mention.acked_at_s = mention.acked_at_s or self.loop.time()
            self.watch.tell(f"#m{number} is acknowledged: {outcome.value}")
        self._delivering -= 1

    async def _answered(self, gateway: Running, work: Any) -> Outcome | None:
        """Wait for a gateway's answer, but no longer than a platform does; None where there is no 2xx."""
        task = gateway.serve(work)
        if task is None:
            return None
        task.add_done_callback(self._webhook_ended, context=OUTSIDE.copy())
        await asyncio.wait({task}, timeout=_WEBHOOK_TIMEOUT_S)
        if not task.done() or gateway.process.dead or task.cancelled() or task.exception():
            return None
        return task.result().outcome

    def _webhook_ended(self, task: asyncio.Task[Any]) -> None:
        """Hear of an error, also where the platform has given up waiting."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, StoreUnavailable):
            self.watch.errors.append(f"{type(error).__name__} in intake: {error}")


async def _stop(intake: Intake, event: AskToStop) -> Any:
    sender = Person(id="ann", name="Ann")
    return await intake.stop(
        StopRequested(adapter="loopback", account="main", conversation=event.conversation, sender=sender)
    )


def _inbound(say: Say, event: str) -> Inbound:
    return Inbound(
        adapter="loopback",
        account="main",
        event_key=event,
        conversation=Conversation(ref=say.conversation, kind=ConversationKind.GROUP),
        message=f"message-{event}",
        sender=Person(id=say.sender, name=say.sender.title()),
        text=f"#m{say.number}",
        addressed=Addressed.MENTION,
        mentions_known=True,
        sent_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


def simulate(schedule: Schedule, parts: Parts | None = None, *, tracing: bool = False) -> Evidence:
    """Run a schedule and return what is to be judged."""
    return World(schedule, parts or Parts(), tracing=tracing).run()
