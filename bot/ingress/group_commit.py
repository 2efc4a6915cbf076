"""Letting concurrent callers share a transaction: what waits while one commits is committed together."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from bot.errors import StoreUnavailable

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Done = TypeVar("Done")


class GroupCommit(Generic[Item, Done]):
    """One committer for many callers; leaving the context commits what still waits.

    A batch that fails as a whole is tried again one by one, so that one bad item cannot refuse the rest. When
    the store is unavailable nothing is tried again: every caller gets the error and acknowledges nothing.
    """

    def __init__(
        self,
        commit: Callable[[Sequence[Item]], Awaitable[Sequence[Done]]],
        *,
        largest_batch: int,
        committed: Callable[[Sequence[tuple[Item, Done]]], None],
    ) -> None:
        """Keep how to commit a batch, and whom to tell what is committed before its callers learn it."""
        self._commit = commit
        self._largest_batch = largest_batch
        self._committed = committed
        self._waiting: deque[tuple[Item, asyncio.Future[Done]]] = deque()
        self._arrived = asyncio.Event()
        self._submitted = 0
        self._finished = 0
        self._progress = asyncio.Event()
        self._committer: asyncio.Task[None] | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        """Start committing."""
        self._committer = asyncio.create_task(self._run(), name="group-commit")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit what waits, then end."""
        self._closing = True
        self._arrived.set()
        if self._committer is not None:
            await self._committer

    async def submit(self, item: Item) -> Done:
        """Return once the item is committed. A caller that goes away does not take its item along.

        Raises `StoreUnavailable` when nothing was committed, or what the item itself made the store raise.
        """
        if self._closing or self._committer is None or self._committer.done():
            raise StoreUnavailable("this process is stopping and commits nothing more")
        future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._submitted += 1
        self._arrived.set()
        return await future

    async def settled(self) -> None:
        """Return when everything submitted so far is committed or failed."""
        submitted = self._submitted
        while self._finished < submitted:
            await self._progress.wait()

    async def _run(self) -> None:
        try:
            await self._commit_all()
        finally:
            # Only a cancelled committer leaves anything behind.
            _fail(self._waiting, StoreUnavailable("this process is stopping"))
            self._note_progress(self._submitted - self._finished)

    async def _commit_all(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                batch = self._next_batch()
                await self._commit_batch(batch)
                self._note_progress(len(batch))
            if self._closing:
                return

    def _note_progress(self, count: int) -> None:
        self._finished += count
        self._progress.set()
        self._progress = asyncio.Event()

    def _next_batch(self) -> list[tuple[Item, "asyncio.Future[Done]"]]:
        count = min(len(self._waiting), self._largest_batch)
        return [self._waiting.popleft() for _ in range(count)]

    async def _commit_batch(self, batch: list[tuple[Item, "asyncio.Future[Done]"]]) -> None:
        try:
            done = await self._commit([item for item, _ in batch])
        except StoreUnavailable as exc:
            _fail(batch, exc)
        except Exception as exc:  # noqa: BLE001 - the loop's top: whatever one batch raises, the next must go on
            await self._commit_singly(batch, exc)
        except BaseException:
            self._waiting.extendleft(reversed(batch))
            raise
        else:
            self._settle(batch, done)

    async def _commit_singly(self, batch: list[tuple[Item, "asyncio.Future[Done]"]], exc: Exception) -> None:
        if len(batch) == 1:
            logger.error("a message could not be committed (%s)", type(exc).__name__)
            _fail(batch, exc)
            return
        logger.warning(
            "a batch of %d failed (%s) and is committed one by one", len(batch), type(exc).__name__
        )
        for single in batch:
            await self._commit_batch([single])

    def _settle(self, batch: list[tuple[Item, "asyncio.Future[Done]"]], done: Sequence[Done]) -> None:
        pairs = [(item, result) for (item, _), result in zip(batch, done, strict=True)]
        for (_, future), (_, result) in zip(batch, pairs, strict=True):
            if not future.done():  # its caller may have gone away
                future.set_result(result)
        self._committed(pairs)


def _fail(batch: Iterable[tuple[object, "asyncio.Future[Done]"]], exc: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(exc)
