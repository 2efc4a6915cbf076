"""Handing what people say to the core, each message until the core has decided on it, also across a restart.

Before anything is said in a quiet room, a mark is stored: up to which position everything there was decided on. The
first message of a quiet room costs one record more, and those that follow cost none. After a crash everything behind
the marks is handed over again; the core knows by the event keys what it had decided.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.base import Outcome, Receipt, Sink, StopRequested
from adapters.deciding import Decisions, NoDecision
from adapters.records import RecordStore, RecordsUnavailable
from adapters.webchat.entries import Entry, EntryKind
from adapters.webchat.keeping import Locks
from adapters.webchat.parse import edit_of, inbound_of, withdrawal_of
from adapters.webchat.room_reader import RoomReader
from adapters.webchat.rooms import RoomState
from adapters.webchat.settings import NAME

logger = logging.getLogger(__name__)

STREAM = "handover"
_VERSION = 1
_PAGE = 200
#: A room in which nothing was said for so long is marked as quiet.
QUIET_S = 60.0
_SWEEP_S = 20.0
_RETRY_S = (1.0, 30.0)
#: After so many in one go the core is taken to be out, and asked again later.
_MOST_FAILURES = 3

#: Told of every message that the core has decided on.
Decided = Callable[[RoomState, Entry, Receipt], None]


@dataclass(slots=True)
class _Busy:
    """A room whose mark is stored: what was decided there, and what was not."""

    #: Where each message on its way began, by its number.
    under_way: dict[int, int] = field(default_factory=dict)
    #: Messages that are there and that the core could not decide on, by ref.
    undecided: dict[str, tuple[RoomState, Entry, Entry | None]] = field(default_factory=dict)
    last_s: float = 0.0


class Handover:
    """A sink for the sessions that raises nothing but `NoDecision`."""

    def __init__(
        self,
        sink: Sink,
        records: RecordStore,
        rooms: RoomReader,
        decided: Decided,
        *,
        timeout_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._decisions = Decisions(sink, timeout_s, NAME)
        self._records = records
        self._rooms = rooms
        self._tell = decided
        self._monotonic = monotonic
        self._busy: dict[str, _Busy] = {}
        self._locks = Locks()
        self._numbers = 0
        #: Where marks of an earlier process still have to be looked at.
        self._unread = True

    @asynccontextmanager
    async def saying(self, room: str) -> AsyncIterator[None]:
        """Make sure that what is stored now will reach the core. Raises `RecordsUnavailable` with nothing stored."""
        busy = await self._marked(room)
        self._numbers += 1
        number = self._numbers
        busy.under_way[number] = 0
        try:
            busy.under_way[number] = await self._rooms.end(room)
            yield
        finally:
            del busy.under_way[number]
            busy.last_s = self._monotonic()

    async def accept(self, room: RoomState, entry: Entry, quoted: Entry | None, again: str = "") -> Receipt:
        """Hand over a message; a new one is handed over again until it is decided on. Raises `NoDecision`."""
        busy = self._busy.get(room.id)
        try:
            receipt = await self._decisions.accept(inbound_of(room, entry, quoted, again))
        except BaseException:
            if busy is not None and not again:
                busy.undecided[entry.ref] = (room, entry, quoted)
            raise
        if busy is not None:
            busy.undecided.pop(entry.ref, None)
        self._tell(room, entry, receipt)
        return receipt

    async def edited(self, room: RoomState, entry: Entry, quoted: Entry | None) -> Receipt:
        """Hand over a message that says something else now, as it stands. Raises `NoDecision`."""
        busy = self._busy.get(room.id)
        if busy is not None and entry.ref in busy.undecided:
            # The core does not know it yet: it will be handed over as it stands.
            return await self.accept(room, entry, quoted)
        receipt = await self._decisions.edited(edit_of(room, entry, quoted))
        if receipt.outcome is not Outcome.DUPLICATE:
            self._tell(room, entry, receipt)
        return receipt

    async def withdrawn(self, room: str, ref: str) -> Receipt:
        """Hand over that a message was taken back. Raises `NoDecision`."""
        if busy := self._busy.get(room):
            busy.undecided.pop(ref, None)
        return await self._decisions.withdrawn(withdrawal_of(room, ref))

    async def stop(self, event: StopRequested) -> Receipt:
        """Hand over a wish to stop. Raises `NoDecision`."""
        return await self._decisions.stop(event)

    async def run(self) -> None:
        """Hand over what an earlier process could not, and whatever could not be decided on, until cancelled."""
        least_s, most_s = _RETRY_S
        wait_s, sweep_s = least_s, self._monotonic() + _SWEEP_S
        while True:
            wait_s = least_s if await self._caught_up() else min(wait_s * 2, most_s)
            if self._monotonic() >= sweep_s:
                await self._swept()
                sweep_s = self._monotonic() + _SWEEP_S
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret

    async def _caught_up(self) -> bool:
        try:
            if self._unread:
                await self.recover()
                self._unread = False
        except (NoDecision, RecordsUnavailable):
            return False
        failures = 0
        for busy in list(self._busy.values()):
            for room, entry, quoted in list(busy.undecided.values()):
                try:
                    await self.accept(room, entry, quoted)
                except NoDecision:
                    failures += 1
                if failures == _MOST_FAILURES:
                    return False
        return failures == 0

    async def recover(self) -> None:
        """Hand over everything behind the marks of an earlier process. Raises `NoDecision` and `RecordsUnavailable`."""
        position = 0
        while page := await self._records.after(STREAM, position, _PAGE):
            for mark in page:
                after = json.loads(mark.body)["after"]
                async with self._locks.at(mark.key):
                    if after is not None and mark.key not in self._busy:
                        await self._recover_room(mark.key, after)
            position = page[-1].position

    async def _recover_room(self, ref: str, after: int) -> None:
        busy = self._busy.setdefault(ref, _Busy(last_s=self._monotonic()))
        room = await self._rooms.place(ref)
        number = 0
        while room is not None and (page := await self._rooms.since(ref, after, _PAGE)):
            for entry in page:
                if entry.kind is EntryKind.SAID and not entry.withdrawn:
                    quoted = entry.reply_to and await self._rooms.standing(ref, entry.reply_to)
                    busy.undecided[entry.ref] = (room, entry, quoted or None)
                    number += 1
            after = page[-1].pos
        if number:
            logger.info("%d messages of room %s are handed to the core again", number, ref)

    async def _marked(self, room: str) -> _Busy:
        if busy := self._busy.get(room):
            return busy
        async with self._locks.at(room):
            if room not in self._busy:
                standing = await self._records.by_key(STREAM, room) if self._unread else None
                after = json.loads(standing.body)["after"] if standing else None
                if after is None:
                    await self._mark(room, await self._rooms.end(room))
                else:
                    await self._recover_room(room, after)
                self._busy.setdefault(room, _Busy(last_s=self._monotonic()))
            return self._busy[room]

    async def _swept(self) -> None:
        try:
            await self.sweep()
        except RecordsUnavailable:
            logger.info("the marks of the handover stay as they are: the record store is not available")

    async def sweep(self) -> None:
        """Move every mark as far as everything is decided; a quiet room needs none. Raises `RecordsUnavailable`."""
        for room, busy in list(self._busy.items()):
            async with self._locks.at(room):
                is_quiet = self._monotonic() - busy.last_s >= QUIET_S
                if is_quiet and not busy.under_way and not busy.undecided:
                    # Whoever speaks from now on waits for the lock, and stores a mark of their own.
                    del self._busy[room]
                    await self._mark(room, None)
                else:
                    await self._mark(room, self._decided_up_to(busy, await self._rooms.end(room)))

    def _decided_up_to(self, busy: _Busy, end: int) -> int:
        open_positions = [entry.pos - 1 for _, entry, _ in busy.undecided.values()]
        return min([end, *busy.under_way.values(), *open_positions])

    async def _mark(self, room: str, after: int | None) -> None:
        await self._records.put(STREAM, room, json.dumps({"v": _VERSION, "after": after}))
