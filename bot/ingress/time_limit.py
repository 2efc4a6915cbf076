"""One time limit for many waits at once: one timer in all, where `asyncio.timeout` makes one for each."""

import asyncio
from dataclasses import dataclass
from types import TracebackType


@dataclass(slots=True)
class _Wait:
    ends_at_s: float
    #: Cancellations that had been asked for before.
    cancelling: int
    expired: bool = False


class TimeLimit:
    """`with limit:` raises `TimeoutError` in the task inside once it has waited for too long there.

    Means what `asyncio.timeout` means, with one limit for all: so those who wait end in the order in which they
    began, and one timer, for the first of them, is enough. A task is in it at most once at a time.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        #: In the order of their ends.
        self._waits: dict[asyncio.Task[object], _Wait] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> None:
        loop, task = asyncio.get_running_loop(), _this_task()
        ends_at_s = loop.time() + self._limit_s
        self._waits[task] = _Wait(ends_at_s, task.cancelling())
        if self._timer is None:
            self._timer = loop.call_at(ends_at_s, self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = _this_task()
        wait = self._waits.pop(task)
        # As in asyncio.Timeout: when somebody else cancelled it too, that cancellation goes on.
        if wait.expired and task.uncancel() <= wait.cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from exc

    def _expire(self) -> None:
        loop, self._timer = asyncio.get_running_loop(), None
        now_s = loop.time()
        for task, wait in self._waits.items():
            if wait.ends_at_s > now_s:
                self._timer = loop.call_at(wait.ends_at_s, self._expire)
                return
            if not wait.expired:
                wait.expired = True
                task.cancel()


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None, "a time limit is for tasks"
    return task
