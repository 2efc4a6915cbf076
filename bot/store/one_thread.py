"""A thread for calls that wait for the disk, reached with as few system calls as can be."""

import asyncio
import contextlib
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

Done = TypeVar("Done")
_Call = tuple["asyncio.Future[Any]", Callable[[], Any]]


class OneThread:
    """Makes one call after another. asyncio's executor does too, at twice the price, which every commit would pay."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    async def call(self, work: Callable[[], Done]) -> Done:
        """Call it there. A cancellation is raised when the call is over, never during it."""
        if self._thread.ident is None:
            self._thread.start()
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._calls.put((future, work))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            while not future.done():
                with contextlib.suppress(asyncio.CancelledError):  # it is raised below
                    await asyncio.wait({future})
            future.exception()
            raise

    def stop(self) -> None:
        """End the thread behind the calls that wait."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            future, work = call
            try:
                tell, told = future.set_result, work()
            except BaseException as exc:  # noqa: BLE001 - the thread's top: it is raised where the call was made
                tell, told = future.set_exception, exc
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
                future.get_loop().call_soon_threadsafe(tell, told)
            del call, future, work, tell, told  # or they would live until the next call
