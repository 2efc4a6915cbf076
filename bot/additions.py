"""What a deployment brings along beside the platforms of its settings: adapters of its own, and listeners."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.base import Platform
from adapters.polling_lease import PollingLease, SharedLeases
from adapters.records import RecordStore
from bot.clock import Clock
from bot.telemetry.events import Hooks


def sole_lease(name: str) -> PollingLease:
    """Make a lease that nobody else asks for."""
    return SharedLeases(time.monotonic, lasts_s=1.0).of(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an adapter may build on."""

    clock: Clock
    #: Opens the sealed store of an adapter, by the adapter's name.
    records: Callable[[str], RecordStore]
    #: Names what one of all processes may hold, by the adapter's name; within one process there is nobody else.
    lease: Callable[[str], PollingLease] = sole_lease


def _no_platforms(_ground: Ground) -> Sequence[Platform]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """Adapters and listeners that a role is started with; every process of a deployment must bring the same adapters.

    An adapter's name must not be one of a platform that the settings enable.
    """

    platforms: Callable[[Ground], Sequence[Platform]] = _no_platforms
    hooks: Hooks = ()


#: What the `aside` command brings: nothing.
NONE = Additions()
