"""What the server reads on its own account, to tell a whole room its news: no membership is asked for here.

Whoever calls makes sure that only members hear it.
"""

from adapters.webchat.entries import Entry
from adapters.webchat.log import Log
from adapters.webchat.room_book import RoomBook
from adapters.webchat.rooms import RoomState


class Overseer:
    """Reads every room. Every method raises `RecordsUnavailable`."""

    def __init__(self, rooms: RoomBook, log: Log) -> None:
        self._rooms = rooms
        self._log = log

    async def room(self, room: str) -> RoomState | None:
        """Return a room as it is; None where there is none."""
        return await self._rooms.state(room)

    async def after(self, room: str, position: int, limit: int) -> list[Entry]:
        """Return at most `limit` entries behind a position, oldest first, news of earlier messages among them."""
        return await self._log.after(room, position, limit)

    async def end(self, room: str) -> int:
        """Return the position of a room's newest entry; 0 where there is none."""
        return await self._log.end(room)

    async def standing(self, room: str, ref: str) -> Entry | None:
        """Return a message as it stands, with its edits and reactions; None where there is none."""
        entry = await self._log.standing(room, ref)
        return entry if entry is not None and entry.is_message else None
