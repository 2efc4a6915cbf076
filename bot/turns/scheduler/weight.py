"""A chat's share of the slots."""

import math


def checked_weight(weight: float) -> float:
    """Return a weight that slot-seconds can be divided by; raises ValueError for any other."""
    if not (math.isfinite(weight) and weight > 0):
        raise ValueError(f"a chat's weight must be a finite number above 0, not {weight!r}")
    return weight
