"""Keeping connections where their people are members, and telling members what became of their rooms."""

import asyncio
import logging

from adapters.records import RecordsUnavailable
from adapters.webchat.frames import event, framed
from adapters.webchat.hub import Hub
from adapters.webchat.hub_room import HubRoom
from adapters.webchat.presence import Presence
from adapters.webchat.pump import Pump
from adapters.webchat.refusals import Refused
from adapters.webchat.rooms import RoomState
from adapters.webchat.views import Views

logger = logging.getLogger(__name__)

#: A room's new shape is told at most so often.
_TELL_EVERY_S = 1.0


class Seating:
    """Seats connections in rooms, and moves them when rooms change; `hello` seats them first."""

    def __init__(self, hub: Hub, presence: Presence, views: Views) -> None:
        self._hub = hub
        self._presence = presence
        self.views = views
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        hub.show_anew = self.show_anew

    async def changed(self, state: RoomState) -> None:
        """Seat who came, let go who left, and tell the others later. Raises `RecordsUnavailable`."""
        if room := self._hub.rooms.get(state.id):
            if state.version < room.state.version:
                return
            room.state = state
            self._unseat_who_left(room)
        for person in list(state.members):
            for pump in [pump for pump in self._hub.people.get(person, ()) if state.id not in pump.rooms]:
                await self._seat(pump, state.id)
        self._hub.stale(state.id)
        self._changed.add(state.id)
        self._news.set()

    def show_anew(self, ref: str) -> None:
        """Tell the members of a room soon what it looks like now."""
        self._changed.add(ref)
        self._news.set()

    async def run(self) -> None:
        """Tell members of changed rooms until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            changed, self._changed = self._changed, set()
            for ref in changed:
                try:
                    await self._tell(ref)
                except RecordsUnavailable:
                    logger.info("the members of room %s were not told how it changed: no store", ref)
            await asyncio.sleep(_TELL_EVERY_S)

    async def tell_person(self, person: str, ref: str) -> None:
        """Show somebody a room of theirs anew, on all of their connections. Raises `RecordsUnavailable`."""
        frame = await self._frame(person, ref)
        for pump in self._hub.people.get(person, ()) if frame else ():
            if ref in pump.cursors:
                pump.write(frame or b"")

    def gone(self, pump: Pump, ref: str) -> None:
        """Let a connection go whose person is no member any more."""
        self._hub.unseat(pump, ref)
        self._presence.left(pump.person, ref)
        pump.write(framed(event("gone", room=ref)))

    async def _seat(self, pump: Pump, ref: str) -> None:
        self._presence.came(pump.person, [ref])
        await self._hub.open(pump, ref)
        try:
            shown = await self.views.room_of(pump.person, ref)
        except Refused:
            self._hub.unseat(pump, ref)  # they left in this very moment
            return
        pump.write(framed(event("room", room=shown)))
        self._hub.seat(pump, ref, shown["last_pos"], shown["last_pos"])

    async def _frame(self, person: str, ref: str) -> bytes | None:
        try:
            return framed(event("room", room=await self.views.room_of(person, ref)))
        except Refused:
            return None

    def _unseat_who_left(self, room: HubRoom) -> None:
        ref = room.state.id
        for pump in [pump for pump in room.pumps if pump.person not in room.state.members]:
            self.gone(pump, ref)

    async def _tell(self, ref: str) -> None:
        room = self._hub.rooms.get(ref)
        for person in {pump.person for pump in room.pumps} if room else ():
            await self.tell_person(person, ref)
            await asyncio.sleep(0)  # in a large room the others get their turn in between
