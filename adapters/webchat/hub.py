"""Who hears of what: rooms with somebody in them, their newest entries, and the round in which all are told."""

import asyncio
import logging
import time
from collections.abc import Callable

from adapters.records import RecordsUnavailable
from adapters.webchat.catch_up import MOST_BEHIND, CatchUp
from adapters.webchat.close_codes import CloseCode
from adapters.webchat.entries import Blocks, Entry
from adapters.webchat.frames import dump, event, framed
from adapters.webchat.hub_room import HubRoom
from adapters.webchat.live import Growing
from adapters.webchat.pump import Pump
from adapters.webchat.room_reader import RoomReader

logger = logging.getLogger(__name__)

#: Seconds between two rounds at least; what happens in between is told together.
ROUND_S = 0.02
#: A round that takes long is followed by a pause as many times as long, so that reading is never starved.
_BREATH = 3.0
_LONGEST_ROUND_S = 0.1
_PAGE = 100
#: Connections that are told before others get their turn.
_AT_A_TIME = 50
_SLOW_LOOK_S = 0.25
_PING_S = 20.0
_STORE_RETRY_S = 1.0


class Hub:
    """Tells everybody in a room what is new there, all in rounds, each from where they are."""

    def __init__(
        self,
        reader: RoomReader,
        render: Blocks,
        growing: Growing,
        *,
        write_timeout_s: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        #: Turns the assistant's Markdown into the page's blocks.
        self.render = render
        self._growing = growing
        self._write_timeout_s = write_timeout_s
        self._monotonic = monotonic
        self.rooms: dict[str, HubRoom] = {}
        #: Has the members of a room be shown anew what the room is, and what was said last in it.
        self.show_anew: Callable[[str], None] = _shown_by_nobody
        #: Everybody's open connections, by person.
        self.people: dict[str, set[Pump]] = {}
        self._news = asyncio.Event()
        self._dirty: set[str] = set()
        self._stale = asyncio.Event()
        self._slow: set[Pump] = set()
        self._catch_up = CatchUp(reader, self.line, self.wake, write_timeout_s)
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Hold rounds until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._hold_rounds())
            tasks.create_task(self._feed())
            tasks.create_task(self._watch_slow())
            tasks.create_task(self._ping())

    async def open(self, pump: Pump, ref: str) -> HubRoom | None:
        """Keep a room open for a connection, which is told nothing before it is `seated`; None where there is none.

        Raises `RecordsUnavailable`.
        """
        if ref not in self.rooms:
            last = await self._reader.end(ref)
            # Last of all the room itself: from here on whoever changes it finds it open.
            state = await self._reader.place(ref)
            if state is None:
                return None
            if ref not in self.rooms:
                self.rooms[ref] = opening = HubRoom(state, last, self._growing)
                # Something may have been stored since the end was read.
                self._make_stale(opening)
        self.rooms[ref].pumps.add(pump)
        pump.rooms.add(ref)
        return self.rooms[ref]

    def add(self, pump: Pump) -> None:
        """Count a connection among those of its person."""
        self.people.setdefault(pump.person, set()).add(pump)

    def drop(self, pump: Pump) -> None:
        """Let a connection go."""
        pumps = self.people.get(pump.person, set())
        pumps.discard(pump)
        if not pumps:
            self.people.pop(pump.person, None)
        for ref in list(pump.rooms):
            self.unseat(pump, ref)
        self._slow.discard(pump)

    def seat(self, pump: Pump, ref: str, cursor: int, end: int) -> None:
        """Have a connection told what is behind a position in a room that is open for it; `end` is the newest."""
        if end - cursor > MOST_BEHIND:
            pump.write(framed(event("reset", room=ref)))
            cursor = end
        pump.cursors[ref] = min(cursor, end)
        self.wake(ref)

    def unseat(self, pump: Pump, ref: str) -> None:
        """Tell a connection nothing more of a room."""
        pump.cursors.pop(ref, None)
        pump.shown.pop(ref, None)
        pump.rooms.discard(ref)
        room = self.rooms.get(ref)
        if room is None:
            return
        room.pumps.discard(pump)
        if not room.pumps and room.live.is_idle:
            del self.rooms[ref]

    def publish(self, ref: str, entry: Entry) -> None:
        """Pass on an entry that was just stored; a gap before it is read from the store."""
        room = self.rooms.get(ref)
        if room is None or entry.pos <= room.relay.last:
            return
        if entry.pos > room.relay.last + 1 or room.is_stale:
            self._make_stale(room)
            return
        room.relay.add(entry.pos, self.line(entry))
        self.wake(ref)

    def stale(self, ref: str) -> None:
        """Say that the store holds something new in a room."""
        if room := self.rooms.get(ref):
            self._make_stale(room)

    def begin_anew(self, ref: str) -> None:
        """Have everybody in a room drop what they have of it and read what is left: something was forgotten."""
        room = self.rooms.get(ref)
        if room is None:
            return
        room.begin_anew(self._growing)
        for pump in room.pumps:
            if room.may_hear(pump):
                pump.write(framed(event("reset", room=ref)))
                pump.cursors[ref] = max(pump.cursors[ref], room.relay.last)
        self.show_anew(ref)
        self.wake(ref)

    def wake(self, ref: str) -> None:
        """Say that there is something to tell in a room."""
        self._dirty.add(ref)
        self._news.set()

    def line(self, entry: Entry) -> str:
        """Write an entry as the page reads it."""
        return dump(entry.to_wire(self.render))

    def tell_room(self, room: HubRoom, frame: bytes, *, but: str = "") -> None:
        """Tell everybody in a room at once; whoever does not read misses it."""
        for pump in room.pumps:
            if pump.person != but and room.may_hear(pump) and not pump.is_congested:
                pump.write(frame)

    def tell_person(self, person: str, frame: bytes, *, but: Pump | None = None) -> None:
        """Tell all connections of somebody but one."""
        for pump in self.people.get(person, ()):
            if pump is not but:
                pump.write(frame)

    def tell_all(self, frame: bytes) -> None:
        """Tell everybody; whoever does not read misses it."""
        for pumps in self.people.values():
            for pump in pumps:
                if not pump.is_congested:
                    pump.write(frame)

    async def _hold_rounds(self) -> None:
        due_s = 0.0
        while True:
            await self._news.wait()
            await asyncio.sleep(max(0.0, due_s - self._monotonic()))
            self._news.clear()
            began_s = self._monotonic()
            computed_s = await self.hold_round()
            due_s = began_s + min(max(ROUND_S, computed_s * (1 + _BREATH)), _LONGEST_ROUND_S)

    async def hold_round(self) -> float:
        """Tell everybody what they do not have yet of the rooms with news; return the seconds it computed.

        What it computed and not what passed: on a busy machine waiting longer would help nobody.
        """
        dirty, self._dirty = self._dirty, set()
        computed_s = 0.0
        for ref in dirty:
            if room := self.rooms.get(ref):
                try:
                    computed_s += await self._tell_news(room)
                except Exception:
                    # The round's loop top: whatever is wrong with one room, the others are told.
                    logger.exception("room %s could not be told its news", ref)
        return computed_s

    async def _tell_news(self, room: HubRoom) -> float:
        began_s = time.thread_time()
        if room.live.render_due():
            self.wake(room.state.id)
        computed_s, pumps = 0.0, list(room.pumps)
        for start in range(0, len(pumps), _AT_A_TIME):
            if start:
                computed_s += time.thread_time() - began_s
                await asyncio.sleep(0)  # what people say must get in between
                began_s = time.thread_time()
            for pump in pumps[start : start + _AT_A_TIME]:
                self._tell(pump, room)
        room.relay.forget_frames()
        room.live.forget_frames()
        return computed_s + time.thread_time() - began_s

    def _tell(self, pump: Pump, room: HubRoom) -> None:
        ref = room.state.id
        if not room.may_hear(pump) or pump.is_closing or ref in pump.catching_up:
            return
        if pump.is_congested:
            self._note_slow(pump)
            return
        cursor = pump.cursors[ref]
        if cursor < room.relay.last:
            frame = room.relay.behind(cursor)
            if frame is None:
                assert self._tasks is not None, "the hub runs"
                pump.catching_up.add(ref)
                self._tasks.create_task(self._catch_up.bring_up_to_date(pump, room))
                return
            pump.write(frame)
            pump.cursors[ref] = room.relay.last
        self._tell_live(pump, room)

    def _tell_live(self, pump: Pump, room: HubRoom) -> None:
        live, shown = room.live.shown, pump.shown.get(room.state.id, {})
        if not live and not shown:
            return
        for turn in [turn for turn in shown if turn not in live]:
            pump.write(room.live.ended(shown.pop(turn)))
        for turn, state in live.items():
            old = shown.get(turn)
            if old is not state:
                pump.write(room.live.frame(old, state))
                shown[turn] = state
        pump.shown[room.state.id] = shown

    def _make_stale(self, room: HubRoom) -> None:
        room.is_stale = True
        self._stale.set()

    async def _feed(self) -> None:
        """Read what is new from the store into the relays that lack it."""
        while True:
            await self._stale.wait()
            self._stale.clear()
            for room in [room for room in self.rooms.values() if room.is_stale]:
                try:
                    await self._refresh(room)
                except RecordsUnavailable:
                    await asyncio.sleep(_STORE_RETRY_S)
                    self._stale.set()

    async def _refresh(self, room: HubRoom) -> None:
        ref = room.state.id
        room.is_stale = False
        while page := await self._reader.since(ref, room.relay.last, _PAGE):
            for entry in page:
                room.relay.add(entry.pos, self.line(entry))
            self.wake(ref)

    async def _ping(self) -> None:
        """Let pages hear something: the pings of WebSockets are hidden from them."""
        while True:
            await asyncio.sleep(_PING_S)
            self.tell_all(framed(event("ping")))

    def _note_slow(self, pump: Pump) -> None:
        if pump.slow_since_s is None:
            pump.slow_since_s = self._monotonic()
        self._slow.add(pump)

    async def _watch_slow(self) -> None:
        """Go on with people who read again, and let those go who do not."""
        while True:
            await asyncio.sleep(_SLOW_LOOK_S)
            self.look_at_slow()

    def look_at_slow(self) -> None:
        """Look once at everybody who had fallen behind."""
        for pump in list(self._slow):
            if not pump.is_congested:
                self._slow.discard(pump)
                pump.slow_since_s = None
                for ref in pump.cursors:
                    self.wake(ref)
            elif self._monotonic() - (pump.slow_since_s or 0.0) > self._write_timeout_s:
                self._slow.discard(pump)
                pump.close(CloseCode.TOO_SLOW, "the connection does not read")


def _shown_by_nobody(_ref: str) -> None:
    """Nobody shows rooms yet."""
