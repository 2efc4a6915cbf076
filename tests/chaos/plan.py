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


class Vendor(StrEnum):
    """Whose platform it is."""

    #: Nobody's: made for these runs, of any class.
    NOBODY = "nobody"
    #: The shipped adapter on a local Telegram, which it asks for updates.
    TELEGRAM = "telegram"
    #: The shipped adapter on a local Twilio, which calls the gateways: WhatsApp.
    TWILIO = "twilio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One platform of a run."""

    name: str
    platform_class: PlatformClass
    live: LiveOutput
    vendor: Vendor = Vendor.NOBODY


#: Names of every platform, and of one of each class, which the seed draws, with those of vendors.
ALL, FEW = "all", "few"
#: What people use, with the numbers of an adapter of their own each.
_VENDORS = (
    Stage(
        name=Vendor.TELEGRAM.value,
        platform_class=PlatformClass.C,
        live=LiveOutput.EDIT,
        vendor=Vendor.TELEGRAM,
    ),
    Stage(
        name=Vendor.TWILIO.value,
        platform_class=PlatformClass.C,
        live=LiveOutput.NONE,
        vendor=Vendor.TWILIO,
    ),
)
_EVERY = (
    *(
        Stage(name=f"cloud_{kind.value.lower()}_{live.value}", platform_class=kind, live=live)
        for kind in PlatformClass
        for live in (LiveOutput.EDIT, LiveOutput.NONE)
    ),
    *_VENDORS,
)
NAMES = tuple(stage.name for stage in _EVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run, as its command line says it."""

    turns: int = 2000
    seed: int = 0
    database: Kind = Kind.POSTGRESQL
    #: Minutes after which nothing more is said, however many turns are left.
    minutes: float | None = None
    #: `ALL`, `FEW`, or the names of platforms.
    platforms: tuple[str, ...] = (ALL,)
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
        """List the platforms."""
        if self.platforms == (FEW,):
            chance = random.Random(f"{self.seed}/platforms")
            drawn = [
                chance.choice([stage for stage in _EVERY if stage.platform_class is kind and _is_own(stage)])
                for kind in PlatformClass
            ]
            return [*drawn, *_VENDORS]
        return [stage for stage in _EVERY if self.platforms == (ALL,) or stage.name in self.platforms]


def _is_own(stage: Stage) -> bool:
    return stage.vendor is Vendor.NOBODY
