"""A person's wish to stop, on its way to whoever works on the turn."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bot.turns.live import LiveBus
from bot.turns.tasks import end

T = TypeVar("T")


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


def _ended(following: "asyncio.Future[T]", *, stopping: bool) -> bool:
    """Tell whether nothing follows; an error that comes of cutting the events off is no error."""
    error = following.exception()
    return isinstance(error, StopAsyncIteration) or (error is not None and stopping)
