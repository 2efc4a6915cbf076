"""What an event is, and telling it to whoever listens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Anything a hook may be told."""


class Hook(Protocol):
    """Something that listens: a log, a set of metrics, a test's list."""

    def __call__(self, details: Details, /) -> None:
        """Take note of an event; called on the path itself, so it neither waits nor raises."""
        ...


#: What is passed to whoever emits.
Hooks = Sequence[Hook]


def emit(hooks: Hooks, details: Details) -> None:
    """Tell every hook about an event, in order."""
    for hook in hooks:
        hook(details)
