"""What a run is to be: how many turns, from which seed, on what. Pure."""

import random
from dataclasses import dataclass
from enum import StrEnum

from adapters.base import LiveOutput
from adapters.registry import PlatformClass

#: Seconds of a worker's lease in a run: short, so that much happens in little time.
LEASE_S = 3.0


class Kind(StrEnum):
    """Which database holds the record, and with it how many processes there may be."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One platform of a run."""

    name: str
    platform_class: PlatformClass
    live: LiveOutput


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run, as its command line says it."""

    turns: int = 2000
    seed: int = 0
    database: Kind = Kind.POSTGRESQL
    #: Minutes after which nothing more is said, however many turns are left.
    minutes: float | None = None
    #: Every class with and without live edits; otherwise three platforms, which the seed chooses.
    all_platforms: bool = True
    #: Mentions that may be unanswered at a time.
    most_open: int = 240
    #: Conversations going on at a time.
    corners: int = 240
    #: Whether anything breaks at all.
    calm: bool = False

    @property
    def gateways(self) -> list[str]:
        """Name the gateways: SQLite is for one host and one gateway."""
        return ["gateway"] if self.database is Kind.SQLITE else ["gateway-1", "gateway-2"]

    @property
    def workers(self) -> list[str]:
        """Name the workers."""
        count = 2 if self.database is Kind.SQLITE else 3
        return [f"worker-{number}" for number in range(1, count + 1)]

    def stages(self) -> list[Stage]:
        """Name the platforms."""
        every = [
            Stage(name=f"cloud_{kind.value.lower()}_{live.value}", platform_class=kind, live=live)
            for kind in PlatformClass
            for live in (LiveOutput.EDIT, LiveOutput.NONE)
        ]
        if self.all_platforms:
            return every
        chance = random.Random(f"{self.seed}/platforms")
        return [
            chance.choice([stage for stage in every if stage.platform_class is kind])
            for kind in PlatformClass
        ]
