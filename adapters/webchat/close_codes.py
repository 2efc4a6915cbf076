"""Why a connection is closed, as the page reads it."""

from enum import IntEnum


class CloseCode(IntEnum):
    """RFC 6455's own codes and those of this platform (from 4000)."""

    #: The server stops: come back.
    GOING = 1001
    #: The server failed: come back.
    FAILED = 1011
    #: The page sends what makes no sense: load it again.
    NONSENSE = 4400
    #: Nobody is known by that cookie: come in first.
    NOT_IN = 4401
    #: The page did not read what was sent to it: come back, from where it was.
    TOO_SLOW = 4408
    #: The person has too many pages open: close one.
    TOO_MANY = 4429
