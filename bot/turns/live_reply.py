"""Showing a reply while it grows: to an owner over the live bus, or by editing a placeholder."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Protocol

from adapters.base import LivePhase, LiveSnapshot
from bot.turns.live import LiveBus
from bot.turns.model import Turn
from bot.turns.tasks import end
from engine.errors import EngineError


class LiveReply(Protocol):
    """Takes the whole text so far, as often as it grows; shows it no faster than the platform allows.

    Neither method waits for the platform or raises for it: a live reply is a courtesy, the
    stored text is the answer.
    """

    def show(self, text: str) -> None:
        """Show the reply so far in place of what was shown before."""
        ...

    def warming(self, reason: str) -> None:
        """Say that the engine is not ready yet, and why."""
        ...


class Newest:
    """The newest thing to show; whoever shows it skips what was overtaken."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._phase = LivePhase.THINKING
        self._text = ""

    def thinking(self) -> None:
        """Have it shown that the turn was taken."""
        self._set(LivePhase.THINKING, "")

    def show(self, text: str) -> None:
        """Replace what is to be shown."""
        self._set(LivePhase.STREAMING, text)

    def warming(self, reason: str) -> None:
        """Replace it by the reason for waiting."""
        self._set(LivePhase.WARMING, reason)

    @property
    def pending(self) -> bool:
        """Whether there is something that `next` has not returned yet."""
        return self._changed.is_set()

    async def next(self) -> tuple[LivePhase, str]:
        """Wait until there is something newer than what was last returned."""
        await self._changed.wait()
        self._changed.clear()
        return self._phase, self._text

    def _set(self, phase: LivePhase, text: str) -> None:
        self._phase, self._text = phase, text
        self._changed.set()


#: Seconds between two snapshots of one reply: smooth to the eye, light on Redis.
SNAPSHOT_INTERVAL_S = 0.05


class BusLive:
    """Live replies for platforms whose owner shows them: snapshots over the bus."""

    def __init__(self, bus: LiveBus) -> None:
        self._bus = bus

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[LiveReply]:
        """Show "thinking" at once, then what comes; on leaving say that nothing more comes live."""
        newest = Newest()
        numbers = count(turn.token)
        newest.thinking()
        pump = asyncio.create_task(self._pump(turn, newest, numbers))
        try:
            yield newest
        except EngineError:
            await self._flush(turn, newest, numbers)  # the reason for waiting is worth the last word
            raise
        finally:
            await end({pump})

    async def ended(self, turn: Turn) -> None:
        """Tell the owner that what stands in SQL is next."""
        await self._bus.publish(turn.chat, snapshot(turn, LivePhase.ENDED, "", turn.token + MOST_SNAPSHOTS))

    async def _pump(self, turn: Turn, newest: Newest, numbers: Iterator[int]) -> None:
        while True:
            phase, text = await newest.next()
            await self._bus.publish(turn.chat, snapshot(turn, phase, text, next(numbers)))
            await asyncio.sleep(SNAPSHOT_INTERVAL_S)

    async def _flush(self, turn: Turn, newest: Newest, numbers: Iterator[int]) -> None:
        if newest.pending:
            phase, text = await newest.next()
            await self._bus.publish(turn.chat, snapshot(turn, phase, text, next(numbers)))


#: More snapshots than one take can show; a token counts microseconds, so a later take still numbers higher.
MOST_SNAPSHOTS = 1_000_000


def snapshot(turn: Turn, phase: LivePhase, text: str, number: int) -> LiveSnapshot:
    """Name what is shown: numbers grow within a take and from take to take, because tokens do."""
    return LiveSnapshot(
        turn_id=turn.id,
        account=turn.chat.account,
        conversation=turn.chat.conversation,
        reply_to=turn.said[-1].message,
        phase=phase,
        text=text,
        number=number,
    )
