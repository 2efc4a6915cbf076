"""What a deployment brings along beside the platforms of its settings: adapters of its own, and listeners."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.base import Platform
from adapters.records import RecordStore
from bot.clock import Clock
from bot.telemetry.events import Hooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an adapter may build on."""

    clock: Clock
    #: Opens the sealed store of an adapter, by the adapter's name.
    records: Callable[[str], RecordStore]


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
