"""Bringing somebody up to date from the store, who is too far behind for what is kept at hand."""

import asyncio
import logging
from collections.abc import Callable

from adapters.records import RecordsUnavailable
from adapters.webchat.close_codes import CloseCode
from adapters.webchat.entries import Entry
from adapters.webchat.frames import entries, event, framed
from adapters.webchat.hub_room import HubRoom
from adapters.webchat.pump import Pump, TooSlow
from adapters.webchat.room_reader import RoomReader

logger = logging.getLogger(__name__)

#: Whoever is farther behind is told to read the newest page instead.
MOST_BEHIND = 500
_PAGE = 100
#: People who are brought up to date at the same time.
_AT_ONCE = 4
_STORE_RETRY_S = 1.0


class CatchUp:
    """Reads for one connection at a time, a few at once, each as fast as its person reads."""

    def __init__(
        self,
        reader: RoomReader,
        line: Callable[[Entry], str],
        wake: Callable[[str], None],
        write_timeout_s: float,
    ) -> None:
        self._reader = reader
        self._line = line
        self._wake = wake
        self._write_timeout_s = write_timeout_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def bring_up_to_date(self, pump: Pump, room: HubRoom) -> None:
        """Send what is missing up to what is kept at hand; the rounds take it from there."""
        ref = room.state.id
        try:
            async with self._turns:
                await self._read_behind(pump, room)
        except TooSlow:
            pump.close(CloseCode.TOO_SLOW, "the connection does not read")
        except RecordsUnavailable:
            await asyncio.sleep(_STORE_RETRY_S)
        except Exception:
            logger.exception("a connection could not be brought up to date")
            pump.close(CloseCode.FAILED, "the store could not be read")
        finally:
            pump.catching_up.discard(ref)
            self._wake(ref)

    async def _read_behind(self, pump: Pump, room: HubRoom) -> None:
        ref = room.state.id
        while (cursor := pump.cursors.get(ref)) is not None and cursor < room.relay.since:
            if room.relay.last - cursor > MOST_BEHIND:
                pump.write(framed(event("reset", room=ref)))
                pump.cursors[ref] = room.relay.last
                return
            page = await self._reader.since(ref, cursor, _PAGE)
            # Reading took its time: the person may have left the room, or the connection ended.
            if not page or not room.may_hear(pump):
                return
            pump.write(framed(entries(ref, [self._line(entry) for entry in page])))
            pump.cursors[ref] = page[-1].pos
            await pump.drained(self._write_timeout_s)
