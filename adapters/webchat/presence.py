"""Who is here: told to the rooms at most once a second, and not for a page that is only loaded again."""

import asyncio
import time
from collections.abc import Callable, Iterable

from adapters.webchat.frames import event, framed
from adapters.webchat.hub import Hub
from adapters.webchat.rooms import RoomState

_TELL_EVERY_S = 1.0
#: Somebody whose last connection ended is still here for so many seconds.
GRACE_S = 5.0


class Presence:
    """Counts people in by their connections, and out when none came back."""

    def __init__(
        self, hub: Hub, monotonic: Callable[[], float] = time.monotonic, grace_s: float = GRACE_S
    ) -> None:
        self._hub = hub
        self._monotonic = monotonic
        self._grace_s = grace_s
        #: The rooms in which each person was told to be.
        self._rooms: dict[str, set[str]] = {}
        self._gone_s: dict[str, float] = {}
        #: What was not told yet: by room, who is there now and who is not.
        self._changes: dict[str, dict[str, bool]] = {}

    def came(self, person: str, rooms: Iterable[str]) -> None:
        """Note that somebody has a connection, and where they are."""
        self._gone_s.pop(person, None)
        known = self._rooms.setdefault(person, set())
        for room in set(rooms) - known:
            known.add(room)
            self._note(room, person, here=True)

    def went(self, person: str) -> None:
        """Note that a connection ended."""
        if person not in self._hub.people and person in self._rooms:
            self._gone_s[person] = self._monotonic() + self._grace_s

    def left(self, person: str, room: str) -> None:
        """Note that somebody is no member of a room any more."""
        self._rooms.get(person, set()).discard(room)

    def online(self, state: RoomState) -> list[str]:
        """List the members of a room who are here."""
        return [person for person in state.members if person in self._rooms]

    def tell(self) -> None:
        """Tell what changed since the last time."""
        now_s = self._monotonic()
        for person in [person for person, gone_s in self._gone_s.items() if gone_s <= now_s]:
            del self._gone_s[person]
            for gone_from in self._rooms.pop(person, ()):
                self._note(gone_from, person, here=False)
        changes, self._changes = self._changes, {}
        for ref, people in changes.items():
            if room := self._hub.rooms.get(ref):
                self._hub.tell_room(room, _frame(ref, people))

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            self.tell()

    def _note(self, room: str, person: str, *, here: bool) -> None:
        self._changes.setdefault(room, {})[person] = here


def _frame(room: str, people: dict[str, bool]) -> bytes:
    return framed(
        event(
            "presence",
            room=room,
            online=[person for person, here in people.items() if here],
            offline=[person for person, here in people.items() if not here],
        )
    )
