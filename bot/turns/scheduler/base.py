"""The schedule: which chat may be served next, one in flight per chat, with a lease and a token that only grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A chat that was taken, and the right to work on it until the lease ends."""

    chat_id: str
    #: Grows with every take, over erased and restored Redis too; fences every write in SQL.
    token: int
    #: Names the life of the schedule's memory; a new one after Redis was erased.
    epoch: str


class DoneOutcome(StrEnum):
    """What a chat needs after a take, by what the schedule does with it."""

    #: SQL had no more turns: the chat leaves the schedule, unless it was put meanwhile.
    IDLE = "idle"
    #: SQL has, or may have, more turns: ready again.
    AGAIN = "again"
    #: Nothing could be done now: ready again after a delay.
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCounts:
    """How many chats are in each state of the schedule."""

    ready: int
    leased: int
    later: int
    held: int
    paused: bool


class Scheduler(Protocol):
    """Start-time fair queueing over chats (Goyal, Vin, Cheng 1996), charged by slot-seconds over weight.

    Every call raises `ScheduleUnavailable` when Redis cannot be reached within its timeout. Leases and delays are in
    milliseconds of the schedule's own clock.
    """

    async def put(self, chat_id: str, *, weight: float = 1.0) -> None:
        """Make a chat takeable; idempotent, never refuses. A leased, delayed or held chat is noted for later."""
        ...

    async def put_many(self, chats: dict[str, float]) -> None:
        """Put several chats (id to weight) in as few round trips as possible."""
        ...

    async def take(self, lease_ms: int) -> Take | None:
        """Take the ready chat with the smallest virtual start, or None when none is.

        Due delays and expired leases become ready first; an expired lease is charged like a finished one. Raises
        `ScheduleErased` when the schedule has no epoch.
        """
        ...

    async def keep(self, take: Take, lease_ms: int) -> bool:
        """Renew a lease; False means that it is lost and nothing more may be started."""
        ...

    async def done(self, take: Take, outcome: DoneOutcome, *, delay_ms: int = 0) -> bool:
        """End a lease and charge it; False when it was no longer ours (nothing changed then)."""
        ...

    async def lift(self, token: int) -> None:
        """Raise the token counter to at least `token`, so that the next take is above it."""
        ...

    async def begin_epoch(self) -> str:
        """Name a new life of the schedule, after everything unfinished was put; keeps a standing epoch."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when something may be takeable or after the timeout, whichever comes first."""
        ...

    async def pause(self) -> None:
        """Let nothing be taken until `resume`."""
        ...

    async def resume(self) -> None:
        """Let chats be taken again."""
        ...

    async def hold(self, chat_id: str) -> None:
        """Keep one chat from being taken until `release`; what is put meanwhile is remembered."""
        ...

    async def release(self, chat_id: str) -> None:
        """End a hold."""
        ...

    async def counts(self) -> ScheduleCounts:
        """Count the chats in each state."""
        ...

    async def ranks(self, chat_ids: Sequence[str]) -> list[int | None]:
        """Tell, for each chat, how many ready ones are served before it; None for one that is not ready."""
        ...
