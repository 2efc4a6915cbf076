"""Shorter answers while a line stands: everybody gets one sooner, before anybody is refused. Pure."""

#: The part of the longest reply that is left, by the predicted wait, in seconds, from which on it applies.
_STEPS = ((120.0, 0.25), (45.0, 0.5), (20.0, 0.75))
#: Shorter than this a reply says nothing.
_FEWEST_TOKENS = 96


def shortened(most_tokens: int, wait_s: float | None) -> int:
    """Tell how many tokens a reply may have while a new turn would wait so long; None shortens nothing."""
    if wait_s is None:
        return most_tokens
    share = next((share for from_s, share in _STEPS if wait_s >= from_s), 1.0)
    return min(most_tokens, max(_FEWEST_TOKENS, round(most_tokens * share)))
