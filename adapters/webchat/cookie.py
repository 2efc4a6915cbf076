"""The guest's cookie: a person's id and the day it was made, signed by this server."""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

NAME = "aside_guest"
MAX_AGE_S = 365 * 24 * 3600

#: A longer value is not looked at.
_LONGEST = 200
_FORM = re.compile(r"1\.(?P<person>p[\w-]{22})\.(?P<made>\d{1,12})\.(?P<signature>[\w-]{43})", re.ASCII)


class GuestCookie:
    """Makes and reads cookies with one secret key (HMAC-SHA256, RFC 2104)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def value(self, person: str, now: datetime) -> str:
        """Make the cookie of a person."""
        said = f"1.{person}.{int(now.timestamp())}"
        return f"{said}.{self._signature(said)}"

    def person(self, value: str, now: datetime) -> str | None:
        """Return whose cookie it is; None where it is not ours, or older than a year."""
        found = _FORM.fullmatch(value) if len(value) <= _LONGEST else None
        if found is None:
            return None
        said, _, signature = value.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(said)):
            return None
        made = datetime.fromtimestamp(int(found["made"]), UTC)
        return found["person"] if now - made < timedelta(seconds=MAX_AGE_S) else None

    def person_of(self, subject: str) -> str:
        """Derive the id of somebody whom the single sign-on names; the name cannot be read from it."""
        digest = hmac.new(self._secret, b"sso:" + subject.encode(), hashlib.sha256).digest()
        return "p" + _text(digest)[:22]

    def _signature(self, said: str) -> str:
        return _text(hmac.new(self._secret, said.encode(), hashlib.sha256).digest())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
