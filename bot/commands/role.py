"""Runs a role in the foreground: its log, its signals, and a way out that leaves no process behind."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any

import psutil

from bot.errors import AsideError, StartupError
from bot.settings import Settings
from bot.telemetry.logs import logging_to

#: What a shell reports for a process ended by Ctrl-C.
INTERRUPTED = 130
SIGNALS = (signal.SIGINT, signal.SIGTERM)

Role = Callable[[Settings], Awaitable[int]]


def run_role(name: str, role: Role, settings: Settings) -> int:
    """Run a role until it ends or is told to stop, and return its exit status.

    The first SIGINT or SIGTERM cancels the role, which drains and leaves its contexts; a second one kills the
    children and ends at once.
    """
    settings.data.create()
    stderr_level = "warning" if name == "up" else None
    with ExitStack() as stack:
        try:
            stack.enter_context(
                logging_to(settings.data.logs, name, level=settings.log.level, stderr_level=stderr_level)
            )
        except OSError as exc:
            raise StartupError(f"The log {exc.filename} cannot be written: {exc.strerror}.") from exc
        try:
            return asyncio.run(_until_stopped(role, settings))
        except ExceptionGroup as group:
            expected = _expected(group)
            if expected is None:
                raise
            raise expected from group


def _expected(group: ExceptionGroup[Exception]) -> Exception | None:
    """Pick the error that a person must know of out of what several tasks raised; None if there is a surprise."""
    expected, surprising = group.split(AsideError)
    if expected is None or surprising is not None:
        return None
    first: Exception = expected.exceptions[0]
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first


async def _until_stopped(role: Role, settings: Settings) -> int:
    task = asyncio.ensure_future(role(settings))
    stopping = _Stopping(task, settings.worker.drain_s)
    with _handling(stopping.on_signal):
        try:
            return await task
        except asyncio.CancelledError:
            if not stopping.asked:
                raise
            return 0


class _Stopping:
    """Answers the first signal with a drain, the second with an end."""

    def __init__(self, task: "asyncio.Future[int]", drain_s: float) -> None:
        self._task = task
        self._drain_s = drain_s
        self._loop = asyncio.get_running_loop()
        self.asked = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Drain, or end at once when asked again. Runs between two bytecodes, also while the loop is busy."""
        if self.asked:
            _end_at_once()
        self.asked = True
        _say(
            f"Stopping: running turns may take {self._drain_s:g} s to end. Press Ctrl-C again to stop at once."
        )
        self._loop.call_soon_threadsafe(self._task.cancel)


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before: dict[signal.Signals, Any] = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def _end_at_once() -> None:
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    os._exit(INTERRUPTED)


def _say(sentence: str) -> None:
    # os.write is safe inside a signal handler; print may be interrupted in the middle of itself.
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"\n{sentence}\n".encode())
