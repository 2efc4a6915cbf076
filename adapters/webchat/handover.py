"""Handing what people say, change and take back to the core, until it has decided on it, also across a restart.

Before anything is said or changed in a quiet room, a mark is stored: up to which position everything there was
decided on. The first of it in a quiet room costs one record more, and what follows costs none. After a crash
everything behind the marks is handed over again, as it stands; the core knows by the event keys what it had decided.
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

_CHANGES = frozenset({EntryKind.EDIT, EntryKind.WITHDRAW})

#: Told of every message that the core has decided on.
Decided = Callable[[RoomState, Entry, Receipt], None]


@dataclass(slots=True)
class _Busy:
    """A room whose mark is stored: what was decided there, and what was not."""

    #: Where each message on its way began, by its number.
    under_way: dict[int, int] = field(default_factory=dict)
    #: Messages that the core could not decide on as they stand now, by ref, and behind which position that is.
    undecided: dict[str, int] = field(default_factory=dict)
    last_s: float = 0.0

    def left_open(self, ref: str, after: int) -> None:
        """Keep what could not be decided; the mark stays before the oldest of it."""
        self.undecided[ref] = min(after, self.undecided.get(ref, after))


class Handover:
    """A sink for the sessions that raises nothing but `NoDecision` and `RecordsUnavailable`."""

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
        #: What is told of one message is told in order.
        self._messages = Locks()
        self._numbers = 0
        #: Where marks of an earlier process still have to be looked at.
        self._unread = True

    @asynccontextmanager
    async def saying(self, room: str) -> AsyncIterator[int]:
        """Make sure that what is stored now will reach the core; it gets a position behind the one given.

        Raises `RecordsUnavailable` with nothing stored.
        """
        busy = await self._marked(room)
        self._numbers += 1
        number = self._numbers
        busy.under_way[number] = 0
        try:
            after = busy.under_way[number] = await self._rooms.end(room)
            yield after
        finally:
            del busy.under_way[number]
            busy.last_s = self._monotonic()

    async def accept(self, room: RoomState, entry: Entry, quoted: Entry | None, again: str = "") -> Receipt:
        """Hand over a message; a new one is handed over again until it is decided on.

        Raises `NoDecision` and `RecordsUnavailable`.
        """
        if again:
            return await self._asked_again(room, entry, quoted, again)
        async with self._telling(room.id, entry.ref, entry.pos - 1):
            standing = await self._rooms.standing(room.id, entry.ref)
            if standing is not None and standing.withdrawn:
                return await self._decisions.withdrawn(withdrawal_of(room.id, entry.ref))
            return await self._accept(room, entry, quoted)

    async def _asked_again(self, room: RoomState, entry: Entry, quoted: Entry | None, again: str) -> Receipt:
        async with self._messages.at(f"{room.id}/{entry.ref}"):
            receipt = await self._accept(room, entry, quoted, again)
            if busy := self._busy.get(room.id):
                busy.undecided.pop(entry.ref, None)  # or it would be answered twice
            return receipt

    async def _accept(self, room: RoomState, entry: Entry, quoted: Entry | None, again: str = "") -> Receipt:
        receipt = await self._decisions.accept(inbound_of(room, entry, quoted, again))
        self._tell(room, entry, receipt)
        return receipt

    async def changed(self, room: str, ref: str, after: int) -> None:
        """Hand over a message, changed or taken back behind a position, as it stands; again until that is decided.

        Raises `NoDecision` and `RecordsUnavailable`.
        """
        async with self._telling(room, ref, after):
            await self._as_it_stands(room, ref)

    @asynccontextmanager
    async def _telling(self, room: str, ref: str, after: int) -> AsyncIterator[bool]:
        """Tell one thing of a message at a time, and keep it until it is told; yield whether something was kept."""
        async with self._messages.at(f"{room}/{ref}"):
            busy = self._busy.get(room)
            try:
                yield busy is not None and ref in busy.undecided
            except BaseException:
                if busy is not None:
                    busy.left_open(ref, after)
                raise
            if busy is not None:
                busy.undecided.pop(ref, None)

    async def _as_it_stands(self, room_id: str, ref: str) -> None:
        room, entry = await self._rooms.place(room_id), await self._rooms.standing(room_id, ref)
        if room is None or entry is None or entry.kind is not EntryKind.SAID:
            return
        if entry.withdrawn:
            self._tell(room, entry, await self._decisions.withdrawn(withdrawal_of(room_id, ref)))
            return
        quoted = await self._rooms.standing(room_id, entry.reply_to) if entry.reply_to else None
        if not entry.edited:
            await self._accept(room, entry, quoted)
            return
        # The core takes an edit of what it does not know as a new message.
        receipt = await self._decisions.edited(edit_of(room, entry, quoted))
        if receipt.outcome is not Outcome.DUPLICATE:
            self._tell(room, entry, receipt)

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
        for room, busy in list(self._busy.items()):
            for ref, after in list(busy.undecided.items()):
                try:
                    await self._again(room, ref, after)
                except (NoDecision, RecordsUnavailable):
                    failures += 1
                if failures == _MOST_FAILURES:
                    return False
        return failures == 0

    async def _again(self, room: str, ref: str, after: int) -> None:
        async with self._telling(room, ref, after) as is_open:
            if is_open:  # somebody else may have told it meanwhile
                await self._as_it_stands(room, ref)

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
        while page := await self._rooms.since(ref, after, _PAGE):
            for entry in page:
                if entry.kind is EntryKind.SAID and not entry.withdrawn:
                    busy.left_open(entry.ref, entry.pos - 1)
                elif entry.kind in _CHANGES and entry.target is not None:
                    busy.left_open(entry.target, entry.pos - 1)
            after = page[-1].pos
        if busy.undecided:
            logger.info("%d messages of room %s are handed to the core again", len(busy.undecided), ref)

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
        return min([end, *busy.under_way.values(), *busy.undecided.values()])

    async def _mark(self, room: str, after: int | None) -> None:
        await self._records.put(STREAM, room, json.dumps({"v": _VERSION, "after": after}))
