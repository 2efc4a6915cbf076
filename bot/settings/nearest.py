"""A hint for a misspelt name."""

from collections.abc import Iterable
from difflib import SequenceMatcher

#: How alike two names must be, from 0 to 1, to be taken for one another.
LIKENESS = 0.7


def did_you_mean(name: str, known: Iterable[str], *, prefix: str = "") -> str:
    """Answer ` Did you mean X?` where a known name is near, else an empty text.

    Case is ignored, and so is a `prefix` that all names share: it would make any two of them look alike.
    """
    own = name.removeprefix(prefix).lower()
    likeness = {
        candidate: SequenceMatcher(a=candidate.removeprefix(prefix).lower(), b=own).ratio()
        for candidate in known
        if candidate.startswith(prefix)
    }
    best = max(likeness, key=likeness.__getitem__, default=None)
    return f" Did you mean {best}?" if best is not None and likeness[best] >= LIKENESS else ""
