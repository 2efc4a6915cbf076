"""What a platform that has a face of its own may show of the engine."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNow:
    """How the engine fares, in words for people."""

    ready: bool
    #: A clause that says what it is doing while it is not ready.
    text: str = ""
    #: How much of a usual start has passed, from 0 to 1; None where nobody knows.
    share: float | None = None


class EngineWatch(Protocol):
    """What a platform that has a face of its own may ask about the engine."""

    async def now(self) -> EngineNow:
        """Tell how the engine fares; never raises, and answers within two seconds."""
        ...
