"""A person's wish to stop, on its way to whoever works on the turn."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Protocol, TypeVar

from bot.errors import StoreUnavailable
from bot.turns.live import LiveBus
from bot.turns.tasks import end

T = TypeVar("T")

logger = logging.getLogger(__name__)


class CancelRecord(Protocol):
    """Where a stop stands whose signal was lost."""

    async def cancels_requested(self, turn_ids: Sequence[str]) -> Sequence[str]:
        """Tell which of some turns somebody asked to cancel. Raises `StoreUnavailable`."""
        ...


class Stop:
    """One turn's stop flag."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def ask(self) -> None:
        """Ask to stop; harmless to repeat."""
        self._event.set()

    @asynccontextmanager
    async def entered(
        self, context: AbstractAsyncContextManager[AsyncIterator[T]]
    ) -> AsyncIterator[AsyncIterator[T]]:
        """Enter a context; if somebody asks to stop before that is done, leave it and pass on no events."""
        async with AsyncExitStack() as stack:
            entering = asyncio.ensure_future(stack.enter_async_context(context))
            asked = asyncio.ensure_future(self._event.wait())
            try:
                await asyncio.wait({entering, asked}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end({asked} | ({entering} if not entering.done() else set()))
            if self.asked and (entering.cancelled() or entering.exception()):
                yield _nothing()
            else:
                yield entering.result()

    async def interrupt(self, events: AsyncIterator[T]) -> AsyncGenerator[T]:
        """Pass events on until they end or somebody asks to stop; what they raise after that is of no interest."""
        asked = asyncio.ensure_future(self._event.wait())
        try:
            while not self.asked:
                following = asyncio.ensure_future(anext(events))
                try:
                    await asyncio.wait({following, asked}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not following.done():
                        await end({following})
                if following.cancelled() or _ended(following, stopping=self.asked):
                    return
                yield following.result()
        finally:
            await end({asked})


class StopBoard:
    """The turns this worker has in hand, and the stop flag of each."""

    def __init__(self) -> None:
        self._stops: dict[str, list[Stop]] = {}

    @contextmanager
    def watch(self, turn_id: str) -> Iterator[Stop]:
        """Listen for stops of a turn while it is worked on.

        A turn can be here twice: its lease was lost, and it was taken again while the first work still ends.
        """
        stop = Stop()
        self._stops.setdefault(turn_id, []).append(stop)
        try:
            yield stop
        finally:
            self._stops[turn_id].remove(stop)
            if not self._stops[turn_id]:
                del self._stops[turn_id]

    def ask(self, turn_id: str) -> None:
        """Stop a turn if it is here."""
        for stop in self._stops.get(turn_id, ()):
            stop.ask()

    async def listen(self, bus: LiveBus) -> None:
        """Pass on stop signals until cancelled."""
        async with bus.stops() as signals:
            async for signal in signals:
                self.ask(signal.turn_id)

    async def look(self, record: CancelRecord, *, every_s: float) -> None:
        """Look into the record until cancelled: a signal may be lost."""
        while True:
            await asyncio.sleep(every_s)
            turn_ids = [turn_id for turn_id, stops in self._stops.items() if not all(s.asked for s in stops)]
            if not turn_ids:
                continue
            try:
                for turn_id in await record.cancels_requested(turn_ids):
                    self.ask(turn_id)
            except StoreUnavailable:
                logger.debug("the record could not be asked for stops")


async def _nothing() -> AsyncGenerator[Any]:
    return
    yield


def _ended(following: "asyncio.Future[T]", *, stopping: bool) -> bool:
    """Tell whether nothing follows; an error that comes of cutting the events off is no error."""
    error = following.exception()
    return isinstance(error, StopAsyncIteration) or (error is not None and stopping)
