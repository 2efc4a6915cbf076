"""Lengths of time as a person would say them: few sizes, never more exact than what is known. Pure."""

_MINUTE_S = 60
_HOUR_S = 3600
#: Minutes that are said; what lies between is rounded up to the next.
_MINUTES = (2, 3, 4, 5, 10, 15, 20, 30, 45)


def about(seconds: float) -> str:
    """Say a length of time: `about a minute`, `about 5 minutes`, `about 3 hours`; rounded up."""
    if seconds <= 1.25 * _MINUTE_S:
        return "about a minute"
    for minutes in _MINUTES:
        if seconds <= minutes * _MINUTE_S:
            return f"about {minutes} minutes"
    if seconds <= 1.25 * _HOUR_S:
        return "about an hour"
    return f"about {-(-int(seconds) // _HOUR_S)} hours"


def again(seconds: float | None) -> str:
    """Say when to ask again; None is `in a few minutes`: nobody knows better."""
    return "in a few minutes" if seconds is None else f"in {about(seconds)}"
