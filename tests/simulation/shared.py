"""What processes share through Redis, within one: the real schedule in memory, reached by wire; and a plain vault."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

from bot.chat.vault import Place
from bot.errors import ScheduleUnavailable, SealBroken
from bot.turns.scheduler.base import DoneOutcome, ScheduleCounts, Scheduler, Take
from tests.simulation.schedule import Harm, Seam
from tests.simulation.watching import Watch
from tests.simulation.wire import Wire


class WiredScheduler:
    """A `Scheduler` as processes reach it: late, sometimes not, sometimes without an answer."""

    def __init__(self, scheduler: Scheduler, wire: Wire, watch: Watch) -> None:
        self._scheduler = scheduler
        self._wire = wire
        self._watch = watch

    async def put(self, chat_id: str, *, weight: float = 1.0) -> None:
        await self._call("put", lambda: self._scheduler.put(chat_id, weight=weight))

    async def put_many(self, chats: dict[str, float]) -> None:
        await self._call("put_many", lambda: self._scheduler.put_many(chats))

    async def take(self, lease_ms: int) -> Take | None:
        asked_s = self._watch.now_s
        take = await self._call("take", lambda: self._scheduler.take(lease_ms))
        if take is not None:
            self._watch.taken(take, asked_s + lease_ms / 1000)
        return take

    async def keep(self, take: Take, lease_ms: int) -> bool:
        asked_s = self._watch.now_s
        kept = await self._call("keep", lambda: self._scheduler.keep(take, lease_ms))
        self._watch.kept(take, asked_s + lease_ms / 1000 if kept else 0.0)
        return kept

    async def done(self, take: Take, outcome: DoneOutcome, *, delay_ms: int = 0) -> bool:
        return await self._call("done", lambda: self._scheduler.done(take, outcome, delay_ms=delay_ms))

    async def lift(self, token: int) -> None:
        await self._call("lift", lambda: self._scheduler.lift(token))

    async def begin_epoch(self) -> str:
        return await self._call("begin_epoch", self._scheduler.begin_epoch)

    async def wait(self, timeout_s: float) -> None:
        if self._wire.away[Seam.SCHEDULE]:
            raise ScheduleUnavailable("the schedule is away")
        await self._scheduler.wait(timeout_s)
        await asyncio.sleep(0.001)  # a bell that keeps ringing must not stop the clock

    async def pause(self) -> None:
        await self._call("pause", self._scheduler.pause)

    async def resume(self) -> None:
        await self._call("resume", self._scheduler.resume)

    async def hold(self, chat_id: str) -> None:
        await self._call("hold", lambda: self._scheduler.hold(chat_id))

    async def release(self, chat_id: str) -> None:
        await self._call("release", lambda: self._scheduler.release(chat_id))

    async def counts(self) -> ScheduleCounts:
        return await self._call("counts", self._scheduler.counts)

    async def _call(self, what: str, call: Callable[[], Awaitable[Any]]) -> Any:
        named = f"schedule.{what}"
        number = await self._wire.leave(Seam.SCHEDULE, named)
        harm = self._wire.harm(Seam.SCHEDULE)
        if harm is Harm.REFUSED:
            raise ScheduleUnavailable("the schedule is away")
        answer = await call()
        await self._wire.come_back(Seam.SCHEDULE, named, number)
        if harm is not None:
            raise ScheduleUnavailable("the schedule did not answer")
        return answer


class PlainVault:
    """A `Vault` that binds every text to its place and hides nothing: sealing is not what a run is about."""

    def new_key(self) -> bytes:
        return b"key"

    def seal(self, key: bytes, text: str, place: Place) -> bytes:
        return f"{_name(place)}\n{text}".encode("utf-8", "surrogatepass")

    def open(self, key: bytes, blob: bytes, place: Place) -> str:
        name, _, text = bytes(blob).decode("utf-8", "surrogatepass").partition("\n")
        if name != _name(place):
            raise SealBroken(f"the seal of {name} was found at {_name(place)}")
        return text

    def digest(self, *words: str) -> str:
        return sha256("/".join(words).encode()).hexdigest()


def _name(place: Place) -> str:
    return f"{place.chat}/{place.item}/{place.field}"
