"""When each person last wrote on WhatsApp: for 24 hours from then on we may write freely, and no longer.

https://www.twilio.com/docs/whatsapp/key-concepts. Kept in the adapter's own store, for a worker knows nothing of what
came in at a gateway: a time and a message's SID for each person, no text and no number.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapters.records import RecordStore
from adapters.twilio.people import stream_of

KIND: Final = "window"
_STOPPED: Final = "stopped"
_KEY: Final = "last"
#: How long a person's message lets us write.
OPEN_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """What is known of a person's last message."""

    message: str
    at: datetime
    #: WhatsApp said that the window is closed, whatever we think.
    is_over: bool = False

    def is_open(self, now: datetime) -> bool:
        """Tell whether we may write freely."""
        return not self.is_over and now - self.at <= OPEN_FOR

    def to_wire(self) -> str:
        """Write it as JSON."""
        return json.dumps(
            {"v": 1, "message": self.message, "at": self.at.isoformat(), "is_over": self.is_over}
        )

    @classmethod
    def from_wire(cls, wire: str) -> "LastWord":
        """Read what `to_wire` wrote."""
        kept = json.loads(wire)
        at = datetime.fromisoformat(kept["at"])
        return cls(message=kept["message"], at=at, is_over=kept["is_over"])


class Windows:
    """The windows of all people. Every call raises `RecordsUnavailable`."""

    def __init__(self, records: RecordStore, now: Callable[[], datetime]) -> None:
        self._records = records
        self._now = now

    async def wrote(self, account: str, person: str, message: str) -> None:
        """Note that a person wrote now. A message that is told once more opens nothing."""
        word = LastWord(message=message, at=self._now())
        known = await self.last(account, person)
        if known is None or known.message != message:
            await self._records.put(stream_of(KIND, account, person), _KEY, word.to_wire())

    async def last(self, account: str, person: str) -> LastWord | None:
        """Read a person's last message; None where nothing is known of one."""
        record = await self._records.by_key(stream_of(KIND, account, person), _KEY)
        return LastWord.from_wire(record.body) if record else None

    async def is_closed(self, account: str, person: str) -> bool:
        """Tell whether we know that we may not write freely; who is unknown may have written before we came."""
        known = await self.last(account, person)
        return known is not None and not known.is_open(self._now())

    async def close(self, account: str, person: str) -> None:
        """Note that WhatsApp refused a message because the window was closed."""
        known = await self.last(account, person)
        word = LastWord(message=known.message if known else "", at=self._now(), is_over=True)
        await self._records.put(stream_of(KIND, account, person), _KEY, word.to_wire())

    async def stop(self, account: str, person: str) -> None:
        """Note that a person wants nothing more from one of our numbers."""
        await self._records.append(stream_of(_STOPPED, account, person), _KEY, self._now().isoformat())

    async def start(self, account: str, person: str) -> bool:
        """Note that a person wants messages again; tell whether it had been otherwise."""
        stream = stream_of(_STOPPED, account, person)
        if await self._records.by_key(stream, _KEY) is None:
            return False
        await self._records.forget(stream)
        return True
