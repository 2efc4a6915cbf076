"""What somebody thinks of a reply."""

from enum import StrEnum


class Rating(StrEnum):
    """One person's verdict on one reply."""

    GOOD = "good"
    BAD = "bad"
