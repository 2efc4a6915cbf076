"""What the server reads of the rooms on its own account, without any person asking."""

from collections.abc import Sequence
from typing import Protocol

from adapters.webchat.entries import Entry
from adapters.webchat.rooms import RoomState


class RoomReader(Protocol):
    """What is read of the rooms; every method raises `RecordsUnavailable`."""

    async def place(self, room: str) -> RoomState | None:
        """Return a room as it is now."""
        ...

    async def since(self, room: str, position: int, limit: int) -> Sequence[Entry]:
        """Read at most `limit` entries behind a position, oldest first."""
        ...

    async def end(self, room: str) -> int:
        """Tell the newest position."""
        ...

    async def standing(self, room: str, ref: str) -> Entry | None:
        """Return a message as it stands."""
        ...
