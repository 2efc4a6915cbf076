"""A reply while it grows, as the core passes it to a platform that can show it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class LivePhase(StrEnum):
    """How far a reply has come, by what to show."""

    #: The engine is not ready yet: say so, with `text` as the reason.
    WARMING = "warming"
    #: Taken; no text yet.
    THINKING = "thinking"
    #: `text` is the reply so far.
    STREAMING = "streaming"
    #: Nothing more will come live: the stored reply or notice follows.
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot:
    """The whole reply so far, to show in place of the snapshot before; loss is allowed."""

    turn_id: str
    account: str
    conversation: str
    #: The message that is being answered.
    reply_to: str
    phase: LivePhase
    text: str = ""
    #: Grows with every snapshot of one take; a smaller one is stale.
    number: int = 0


class LiveSurface(Protocol):
    """An adapter with `sends_from: owner` that can show a reply while it grows."""

    async def show(self, snapshot: LiveSnapshot) -> None:
        """Show a snapshot to whoever is connected; never blocks on a slow person, never raises."""
        ...
