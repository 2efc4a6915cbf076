"""Invitations: how many people they admit and until when. Pure."""

from dataclasses import dataclass
from datetime import datetime

from adapters.webchat.refusals import RefusalCode, Refused

#: The longest an invitation can last.
MAX_HOURS = 24.0 * 365
#: The most people one invitation can admit by number.
MAX_USES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A link that admits people to a room."""

    id: str
    by: str
    made_at: datetime
    #: How many people it admits; None for any number.
    uses: int | None
    expires_at: datetime | None
    used: int = 0
    revoked: bool = False
    #: The secret part of its link: only in the answer to who made it, stored nowhere.
    code: str = ""

    def why_not(self, now: datetime) -> Refused | None:
        """Say why it admits nobody any more; None while it does."""
        if self.revoked:
            return Refused(RefusalCode.GONE, "This invitation was taken back. Please ask for a new one.")
        if self.expires_at is not None and now >= self.expires_at:
            return Refused(RefusalCode.EXPIRED, "This invitation has run out. Please ask for a new one.")
        if self.uses is not None and self.used >= self.uses:
            return Refused(RefusalCode.USED_UP, "This invitation was used already. Please ask for a new one.")
        return None
