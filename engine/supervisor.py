"""Keeps one vLLM alive: starts it, waits until it truly answers, watches it, restarts it, and drains it.

starting -> warming -> ready -> draining -> dead
    ^          |         |                   |
    +----------+---------+----- backoff -----+
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from engine.base import Engine, EngineState, EngineStatus
from engine.canary import first_generation
from engine.child import Child, ChildFailed, Command
from engine.errors import EngineError, EngineNotReady, EngineSetupError
from engine.patience import Patience
from engine.probe import HealthProbe

logger = logging.getLogger(__name__)

#: What a start that takes longer than usual shows as done.
_ALMOST = 0.97


class EngineSupervisor:
    """Owns one engine process. Enter to start it, leave to drain it; its `status` is always there to be asked."""

    def __init__(
        self,
        *,
        prepare: Callable[[], Command],
        engine: Engine,
        probe: HealthProbe,
        usual_start_s: float,
        patience: Patience | None = None,
        on_change: Callable[[EngineStatus], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Keep the means: `prepare` is called before each start, `engine` generates the canary, `probe` asks health."""
        self._prepare = prepare
        self._engine = engine
        self._probe = probe
        self._usual_start_s = usual_start_s
        self._patience = patience or Patience()
        self._on_change = on_change
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._state = EngineState.DEAD
        self._why = "it has not been started"
        self._since_s = 0.0
        self._started_s = 0.0
        #: Between the last death and the next start; 0 when there is to be none.
        self._wait_s = 0.0
        self._served: EngineStatus | None = None
        self._failures = 0
        self._pid: int | None = None
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> EngineState:
        """What a caller may do now."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process that serves, while there is one."""
        return self._pid

    async def __aenter__(self) -> Self:
        """Start keeping the engine alive; returns at once."""
        self._become(EngineState.STARTING)
        self._task = asyncio.create_task(self.run(), name="engine supervisor")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Drain the engine. A cancellation meanwhile kills it at once."""
        assert self._task is not None
        self.drain()
        try:
            await asyncio.shield(self._task)
        except asyncio.CancelledError:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            raise

    def drain(self) -> None:
        """Accept nothing more, let the engine finish what it has within its grace, and end; `run` then returns."""
        self._stopping.set()
        if self._pid is not None:
            self._become(EngineState.DRAINING)

    async def until(self, *states: EngineState) -> EngineStatus:
        """Wait for one of these states; the caller bounds the wait."""
        while self._state not in states:
            await self._changed.wait()
        return self.status()

    def status(self) -> EngineStatus:
        """Tell the state, with a sentence for people that says how far it is."""
        served = self._served
        return EngineStatus(
            state=self._state,
            model=served.model if served else None,
            max_model_len=served.max_model_len if served else None,
            detail=self._detail(),
            share=self._share(),
        )

    async def run(self) -> None:
        """Start, watch and restart the engine until it is drained."""
        try:
            while not self._stopping.is_set():
                await self._live()
                if not self._stopping.is_set():
                    await self._back_off()
        finally:
            self._wait_s = 0.0
            self._become(EngineState.DEAD, "it was stopped")

    async def _live(self) -> None:
        """Run one engine process from start to end."""
        self._become(EngineState.STARTING)
        try:
            async with Child(self._prepare()) as child:
                self._pid = child.pid
                logger.info("engine process %d started", child.pid)
                try:
                    await self._tend(child)
                finally:
                    self._pid = None
        except (ChildFailed, EngineSetupError) as exc:
            self._died(str(exc))

    async def _tend(self, child: Child) -> None:
        """Stay with a running process until it ends, is unwell, or is to be drained."""
        unwell = await _first_of(self._watch(child), child.wait(), self._stopping.wait())
        if self._stopping.is_set():
            self._become(EngineState.DRAINING)
            await _ended(child)
        elif child.exit_status is not None:
            self._died(self._obituary(child))
        else:
            self._died(str(unwell))
            await child.kill()

    async def _watch(self, child: Child) -> str:
        """Bring the engine to ready and look after it; returns what is wrong with it."""
        try:
            async with asyncio.timeout(self._patience.start_s):
                self._served = await self._answering()
                self._become(EngineState.WARMING)
                await first_generation(self._engine, self._patience, self._sleep)
        except TimeoutError:
            return f"it was not ready within {self._patience.start_s:.0f} s, see {child.command.log}"
        except EngineError as exc:
            return f"its first generation failed: {exc}"
        took_s = self._clock() - self._started_s
        self._usual_start_s = took_s
        logger.info("engine ready after %.1f s", took_s)
        self._become(EngineState.READY)
        return await self._until_unwell()

    async def _answering(self) -> EngineStatus:
        """Wait until the process answers."""
        while True:
            with suppress(EngineNotReady):
                return await self._probe.check()
            await self._sleep(self._patience.poll_s)

    async def _until_unwell(self) -> str:
        """Ask a ready engine for its health, until it has not been well several times in a row."""
        failed, last = 0, ""
        while failed < self._patience.checks_failed:
            await self._sleep(self._patience.check_every_s)
            try:
                await self._probe.check()
                failed = 0
            except EngineNotReady as exc:
                failed, last = failed + 1, str(exc)
        return f"it failed {failed} health checks: {last}"

    def _share(self) -> float | None:
        """Tell how much of a usual start has passed; it approaches 1 and never claims to be there."""
        if self._state not in (EngineState.STARTING, EngineState.WARMING):
            return None
        passed_s = self._clock() - self._started_s
        return min(passed_s / max(self._usual_start_s, 1.0), _ALMOST)

    def _died(self, why: str) -> None:
        """Say no at once, and count the failure unless it came after a long healthy while."""
        lived_s = self._clock() - self._since_s if self._state is EngineState.READY else 0.0
        self._failures = 1 if lived_s >= self._patience.healthy_s else self._failures + 1
        longest_s = min(self._patience.backoff_cap_s, self._patience.backoff_s * 2 ** (self._failures - 1))
        self._wait_s = longest_s * (0.5 + self._chance() / 2)
        logger.warning(
            "engine is dead, failure %d, next start in %.1f s: %s", self._failures, self._wait_s, why
        )
        self._become(EngineState.DEAD, why)

    async def _back_off(self) -> None:
        """Wait before the next start, but not when there is to be none."""
        await _first_of(_done_after(self._sleep(self._wait_s)), self._stopping.wait())

    def _obituary(self, child: Child) -> str:
        status, log = child.exit_status, child.command.log
        if self._state in (EngineState.READY, EngineState.WARMING):
            return f"vLLM ended with status {status}, see {log}"
        # Nothing of any person can be in the log of an engine that never served.
        return f"vLLM ended with status {status} while loading, see {log}: {child.last_lines(1)}"

    def _become(self, state: EngineState, why: str = "") -> None:
        if state is self._state and state is not EngineState.DEAD:
            return
        self._state, self._why, self._since_s = state, why, self._clock()
        if state is EngineState.STARTING:
            self._started_s = self._since_s
            self._served = None
        self._changed.set()
        self._changed = asyncio.Event()
        self._on_change(self.status())

    def _detail(self) -> str:
        passed_s = self._clock() - self._since_s
        match self._state:
            case EngineState.STARTING:
                return (
                    f"loading the model, {passed_s:.0f} s so far, usually about {self._usual_start_s:.0f} s"
                )
            case EngineState.WARMING:
                return f"the model is loaded and generates its first words, {passed_s:.0f} s so far"
            case EngineState.READY:
                return "ready"
            case EngineState.DRAINING:
                return "finishing what it has begun, then stopping"
            case EngineState.DEAD if self._wait_s:
                return f"{self._why}; trying again in {max(0.0, self._wait_s - passed_s):.0f} s"
            case EngineState.DEAD:
                return self._why


async def _ended(child: Child) -> None:
    """Terminate in order; a cancellation meanwhile means at once."""
    try:
        status = await child.terminate()
    except asyncio.CancelledError:
        await child.kill()
        raise
    logger.info("engine drained, exit status %d", status)


async def _done_after(wait: Awaitable[None]) -> None:
    await wait


async def _first_of(*waits: Coroutine[Any, Any, Any]) -> Any:
    """Return what the first of these to finish returned; the others are cancelled and gone when this returns."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
