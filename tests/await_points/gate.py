"""The steps of a turn, announced one by one by whoever passes them; at a chosen one the process stops itself.

Nothing in the product knows of this: its collaborators are wrapped, and `before X` and `after X` are passed around
every call of theirs that is awaited. `inside X` is passed at the end of a call's write, before it is committed.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from enum import StrEnum
from typing import Any

from bot.bootstrap import Core
from bot.turns.companions import COMPANION
from engine.base import ChatRequest, Delta, Engine, EngineStatus, Finish


class How(StrEnum):
    """How a process is stopped."""

    #: SIGKILL: it never comes back.
    KILL = "kill"
    #: SIGSTOP, and SIGCONT when somebody else has done its work.
    STOP = "stop"


_SIGNALS = {How.KILL: signal.SIGKILL, How.STOP: signal.SIGSTOP}
_call: ContextVar[str] = ContextVar("call", default="")


class Gate:
    """What every step passes; knows the step to stop at, if any."""

    def __init__(self, step: str, how: How, announce: Callable[[str], None]) -> None:
        self._step = step
        self._how = how
        self._announce = announce
        self._counts: Counter[str] = Counter()
        #: Every step so far, in order; a step's n-th passage ends in ` #n`.
        self.trace: list[str] = []
        self.has_stopped = False
        self._last_s = time.monotonic()

    def at(self, step: str) -> None:
        """Pass a step, or stop this very process there."""
        self._counts[step] += 1
        count = self._counts[step]
        passed = step if count == 1 else f"{step} #{count}"
        self.trace.append(passed)
        if "platform" in step:
            self._last_s = time.monotonic()
        if passed == self._step:
            self.has_stopped = True
            self._announce(passed)
            os.kill(os.getpid(), _SIGNALS[self._how])
            self._last_s = time.monotonic()  # it was woken

    async def until(self, step: str) -> None:
        """Wait until somebody has passed a step."""
        while step not in self.trace:
            await asyncio.sleep(0.002)

    def quiet_s(self) -> float:
        """Tell for how long no call of the platform began or ended; 0 while one is under way."""
        calls = [step for step in self._counts if step.startswith("before platform.")]
        returned = sum(self._counts["after " + step.removeprefix("before ")] for step in calls)
        returned += self._counts["platform raised"]
        is_under_way = returned < sum(self._counts[step] for step in calls)
        return 0.0 if is_under_way else time.monotonic() - self._last_s

    def core(self, core: Core) -> Core:
        """Make the same deployment as a process sees it that passes this gate."""
        core.journal._database = GatedDatabase(core.journal._database, self)
        shared = core.shared
        return replace(
            core,
            journal=Gated(core.journal, self, "journal"),
            shared=replace(
                shared,
                scheduler=Gated(shared.scheduler, self, "scheduler"),
                contexts=Gated(shared.contexts, self, "contexts"),
                bus=Gated(shared.bus, self, "bus"),
            ),
            platforms={
                name: replace(platform, adapter=Gated(platform.adapter, self, "platform"))
                for name, platform in core.platforms.items()
            },
        )


class Gated:
    """Passes calls on, announcing each that is awaited before and after."""

    def __init__(self, inner: Any, gate: Gate, room: str) -> None:
        self._inner, self._gate, self._room = inner, gate, room

    def __getattr__(self, name: str) -> Any:
        standing = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(standing):
            return standing
        return self._announced(f"{self._room}.{name}", standing)

    def _announced(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def passed(*args: Any, **options: Any) -> Any:
            self._gate.at(f"before {name}")
            token = _call.set(name)
            try:
                returned = await call(*args, **options)
            except BaseException:
                self._gate.at(f"{self._room} raised")
                raise
            finally:
                _call.reset(token)
            self._gate.at(f"after {name}")
            return returned

        return passed


class GatedDatabase:
    """Announces the end of every write of an announced call, before it is committed."""

    def __init__(self, inner: Any, gate: Gate) -> None:
        self._inner, self._gate = inner, gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[Any]:
        """Open a transaction."""
        async with self._inner.write(durable=durable) as transaction:
            yield transaction
            if name := _call.get():
                self._gate.at(f"inside {name}")


class GatedEngine:
    """Announces the life of a generation: opened, its first, middle and last piece, closed."""

    def __init__(self, inner: Engine, gate: Gate) -> None:
        self._inner, self._gate = inner, gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def status(self) -> EngineStatus:
        """Ask for the engine's state. What companions ask beside the turns is no step of a turn."""
        if _is_companion():
            return await self._inner.status()
        self._gate.at("before engine.status")
        status = await self._inner.status()
        self._gate.at("after engine.status")
        return status

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Delta | Finish]]:
        """Generate."""
        self._gate.at("before engine.stream")
        async with self._inner.stream(request) as events:
            self._gate.at("after engine.stream")
            yield self._announced(events)
        self._gate.at("engine closed")

    async def _announced(self, events: AsyncIterator[Delta | Finish]) -> AsyncIterator[Delta | Finish]:
        async for number, event in _numbered(events):
            if isinstance(event, Finish):
                self._gate.at("engine last")
            elif number < len(_PIECES):
                self._gate.at(_PIECES[number])
            yield event


_PIECES = ("engine first", "engine middle")


def _is_companion() -> bool:
    task = asyncio.current_task()
    return task is not None and task.get_name() == COMPANION


async def _numbered(events: AsyncIterator[Any]) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for event in events:
        yield number, event
        number += 1
