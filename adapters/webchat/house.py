"""Everything that is true of the web chat's rooms and people, without a word of HTTP.

The server asks the house and shows what it answers; the house asks nobody but its store.
"""

import secrets
from datetime import datetime

from adapters.webchat.assisting import Assisting
from adapters.webchat.entries import Entry, EntryKind, Happening
from adapters.webchat.forgetting import Forgetting
from adapters.webchat.housekeeping import Housekeeping
from adapters.webchat.ids import FEEDBACK, LOGS, SECRETS, feedback_stream, log_stream
from adapters.webchat.invitations import Invitation
from adapters.webchat.inviting import Inviting
from adapters.webchat.people import Membership, Profile
from adapters.webchat.reading import UNREAD_LIMIT, Glance, Reading
from adapters.webchat.reception import Reception
from adapters.webchat.refusals import RefusalCode, Refused
from adapters.webchat.rooms import Member, RoomKind, RoomPreview, RoomState
from adapters.webchat.rules import HouseRules
from adapters.webchat.search import Hit
from adapters.webchat.talking import Talking

__all__ = [
    "UNREAD_LIMIT",
    "Entry",
    "EntryKind",
    "Glance",
    "Happening",
    "Hit",
    "House",
    "HouseRules",
    "Invitation",
    "Member",
    "Membership",
    "Profile",
    "RefusalCode",
    "Refused",
    "RoomKind",
    "RoomPreview",
    "RoomState",
]

_COOKIE = "cookie"


class House(Reception, Housekeeping, Inviting, Talking, Reading, Assisting, Forgetting):
    """The rooms, the people and what was said, over a `RecordStore` that no other process writes to.

    Every method may raise `RecordsUnavailable`; what it was to store can then be tried again. Those that somebody
    asks for raise `Refused`, whose text is for that person.
    """

    async def cookie_secret(self) -> bytes:
        """Return the 32 bytes that sign the guests' cookies; made once, kept in the store."""
        record = await self._records.append(SECRETS, _COOKIE, secrets.token_hex(32))
        return bytes.fromhex(record.body)

    async def sweep(self, older_than: datetime) -> int:
        """Drop everything that was said before an instant, and what people thought of it; how much that was."""
        dropped = await self._records.forget_before(LOGS, older_than)
        dropped += await self._records.forget_before(FEEDBACK, older_than)
        # Somebody else may have dropped them before.
        self._log.forget_tails()
        return dropped

    async def sweep_room(self, room: str, older_than: datetime) -> int:
        """Drop what was said in one room before an instant, and what people thought of it; how much that was."""
        dropped = await self._records.forget_older(log_stream(room), older_than)
        dropped += await self._records.forget_older(feedback_stream(room), older_than)
        if dropped:
            self._log.forget_tails()
        return dropped
