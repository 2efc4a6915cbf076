"""An event loop whose time jumps, for processes that freeze and die at any await.

Everything runs in one thread in an order that only the program and the seed decide. Between two instants nothing
waits: when nobody can go on, the clock jumps to whoever is due next.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any

#: The simulated process that a callback belongs to; None for the world around the processes.
OWNER: ContextVar["Process | None"] = ContextVar("OWNER", default=None)
#: The context of the world around the processes.
OUTSIDE = Context()
#: A task may be let end something first; it is asked again until it is over.
_MOST_CANCELS = 40
_BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Deadlock(Exception):
    """Everybody waits, and nothing is due."""


class SimTask(asyncio.Task):
    """A task whose place in a set does not depend on where it lies in memory."""

    def __init__(
        self, work: Coroutine[Any, Any, Any], *, number: int, owner: "Process | None", **how: Any
    ) -> None:
        self._number = number
        self.owner = owner
        super().__init__(work, **how)

    @property
    def unheard_error(self) -> BaseException | None:
        """What it ended with, if that is an error that nobody asked for."""
        heard = not self.done() or self.cancelled() or not self._log_traceback
        return None if heard else self.exception()

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class Process:
    """One simulated operating system process: its tasks go on, stand still, or are gone."""

    def __init__(self, loop: "VirtualLoop", name: str) -> None:
        self.name = name
        self.frozen = False
        self.dead = False
        #: Told before every call to the outside; counts them.
        self.calls = 0
        #: How often it was stopped, so that others can tell whether it was meanwhile.
        self.stops = 0
        self.parked: list[asyncio.Handle] = []
        self._loop = loop
        self._context: Context = copy_context()
        self._context.run(OWNER.set, self)
        loop.processes.append(self)

    @property
    def stopped(self) -> bool:
        return self.frozen or self.dead

    def freeze(self) -> None:
        """Stop it where it is, as SIGSTOP does: what becomes due for it waits."""
        self.frozen = True
        self.stops += 1

    def thaw(self) -> None:
        """Let it go on."""
        self.frozen = False
        if not self.dead:
            self.release()

    def kill(self) -> None:
        """End it as SIGKILL does: no task of it takes another step, no `finally` runs."""
        self.dead = True

    def release(self) -> None:
        """Let what became due meanwhile happen now, in its order."""
        parked, self.parked = self.parked, []
        self._loop.take_up(parked)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start a task of this process."""
        return self._loop.create_task(work, context=self._context.copy())


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs ready callbacks in order, and jumps to the next timer when there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._timers = 0
        self.processes: list[Process] = []
        #: Every task there was: one that nobody refers to any more must not be collected in mid-run.
        self.tasks: list[SimTask] = []
        self.set_task_factory(_make_task)

    def time(self) -> float:
        """Return the seconds since the run began."""
        return self._now_s

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Have something called at a time; what is due at the same time is called in the order of these calls."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers += 1
        heapq.heappush(self._scheduled, (when, self._timers, timer))
        timer._scheduled = True
        return timer

    def take_up(self, handles: list[asyncio.Handle]) -> None:
        """Have callbacks called that were kept back."""
        self._ready.extend(handles)

    def _run_once(self) -> None:
        if not self._ready:
            self._jump()
            self._collect_due()
        for _ in range(len(self._ready)):
            handle = self._ready.popleft()
            if handle._cancelled:
                continue
            owner = handle._context.get(OWNER)
            if owner is not None and owner.stopped:
                owner.parked.append(handle)
            else:
                handle._run()

    def _jump(self) -> None:
        timers = self._scheduled
        while timers and timers[0][2]._cancelled:
            heapq.heappop(timers)
        if timers:
            self._now_s = max(self._now_s, timers[0][0])
        elif not self._stopping:
            raise Deadlock

    def _collect_due(self) -> None:
        timers = self._scheduled
        while timers and timers[0][0] <= self._now_s:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False
            self._ready.append(timer)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Count nothing: cancelled timers leave when their time comes."""

    def _process_events(self, event_list: object) -> None:
        """There is nothing outside."""

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""

    def end(self) -> None:
        """Let every task end, those of frozen and dead processes too; then close."""
        for _ in range(_MOST_CANCELS):
            left = [task for task in self.tasks if not task.done()]
            if not left:
                break
            self.run_until_complete(self._cancel(left))
        self.run_until_complete(self.shutdown_asyncgens())
        for task in self.tasks:
            task._log_destroy_pending = False
            if task.done():
                task._log_traceback = False
        self.tasks.clear()
        self.processes.clear()
        self.close()

    async def _cancel(self, tasks: list[asyncio.Task[Any]]) -> None:
        for process in self.processes:
            process.frozen = process.dead = False
            process.release()
        for task in tasks:
            task.cancel()
        await asyncio.sleep(1.0)


def _make_task(loop: VirtualLoop, work: Coroutine[Any, Any, Any], context: Context | None = None) -> SimTask:
    owner = OWNER.get() if context is None else context.get(OWNER)
    task = SimTask(work, number=len(loop.tasks), owner=owner, loop=loop, context=context)
    loop.tasks.append(task)
    return task


class VirtualClock:
    """Both kinds of time, as the loop tells them; `ahead_s` is how wrong a machine's wall clock is."""

    def __init__(self, loop: VirtualLoop, ahead_s: float = 0.0) -> None:
        self._loop = loop
        self._begin = _BEGIN + timedelta(seconds=ahead_s)

    def now(self) -> datetime:
        return self._begin + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return 1000.0 + self._loop.time()
