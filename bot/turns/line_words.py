"""What a first sign says while a turn waits: rounded words that stay true within a factor of two. Pure."""

from adapters.base import ConversationKind

_MINUTE_S = 60
_HOUR_S = 3600
#: What is said, by the most seconds it is said of. Each lies near the middle of its range as people feel time,
#: by ratios, so that the rounding takes little of the factor of two away.
_WORDS: tuple[tuple[float, str], ...] = (
    (42, "about half a minute"),
    (85, "about a minute"),
    (2.5 * _MINUTE_S, "about two minutes"),
    (3.5 * _MINUTE_S, "about three minutes"),
    (4.5 * _MINUTE_S, "about four minutes"),
    (7 * _MINUTE_S, "about five minutes"),
    (14 * _MINUTE_S, "about ten minutes"),
    (25 * _MINUTE_S, "about twenty minutes"),
    (45 * _MINUTE_S, "about half an hour"),
    (1.5 * _HOUR_S, "about an hour"),
)
_LONGER = "more than an hour"


def in_line(wait_s: float, stop: str) -> str:
    """Say how long it takes, and how to cancel."""
    return f"In line, {rounded(wait_s)}: say {stop} to cancel"


def rounded(wait_s: float) -> str:
    """Say a wait in few words."""
    return next((words for most_s, words in _WORDS if wait_s <= most_s), _LONGER)


def how_to_stop(kind: ConversationKind, name: str) -> str:
    """Say what stops the assistant: in a group it only hears what addresses it."""
    return "stop" if kind is ConversationKind.DIRECT else f"@{name} stop"
