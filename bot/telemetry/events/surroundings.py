"""What is told of everything that the path needs: engine, schedule, database."""

from dataclasses import dataclass
from enum import StrEnum

from bot.telemetry.events.base import Details
from engine.base import EngineState


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStateChanged(Details):
    """The engine is in another state than before."""

    state: EngineState
    #: A sentence for people: what it waits for, or why it is dead.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRebuilt(Details):
    """Redis had lost its schedule and holds it again."""

    chats: int
    took_s: float


class Dependency(StrEnum):
    """Something outside this process that the path needs."""

    #: The record.
    DATABASE = "database"
    #: The schedule and the contexts.
    REDIS = "redis"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageBegan(Details):
    """A dependency stopped answering; told once an outage."""

    dependency: Dependency
    #: The error's class, never its text.
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEnded(Details):
    """A dependency answers again."""

    dependency: Dependency
    lasted_s: float
