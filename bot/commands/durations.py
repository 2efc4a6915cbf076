"""Spans of time as operators write and read them: `90s`, `30m`, `2h`, `7d`."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta

_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
#: Up to how many of a unit are told before the next larger one says enough.
_ENOUGH = 2


def duration(text: str) -> timedelta:
    """Read a span of time; for argparse, which tells its error to the person."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", text.strip().lower())
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no span of time: write it like 90s, 30m, 2h or 7d")
    return timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])


def spoken(span: timedelta) -> str:
    """Say a span in its largest fitting unit, rounded down."""
    seconds = max(0, int(span.total_seconds()))
    for unit, unit_s in reversed(_UNITS_S.items()):
        if seconds >= _ENOUGH * unit_s:
            return f"{seconds // unit_s}{unit}"
    return f"{seconds}s"
