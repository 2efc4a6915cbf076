"""What a deployment knows of one fake platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from adapters.base import LiveOutput
from adapters.registry import PlatformClass


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """One fake platform, as a deployment knows it."""

    name: str
    url: str
    platform_class: PlatformClass
    live: LiveOutput = LiveOutput.EDIT
    secret: str = "secret"  # noqa: S105 - it guards nothing
    #: Code points the vendor takes.
    text_limit: int = 4000
    live_min_interval_s: float = 0.25
    #: Seconds for one call, and for making its connection.
    call_s: float = 5.0
    connect_s: float = 2.0

    @classmethod
    def from_wire(cls, name: str, wire: Mapping[str, Any]) -> Self:
        """Read one value of FAKE_PLATFORMS."""
        known = dict(wire)
        platform_class = PlatformClass(known.pop("class"))
        live = LiveOutput(known.pop("live", LiveOutput.EDIT))
        return cls(name=name, platform_class=platform_class, live=live, **known)

    def to_wire(self) -> dict[str, Any]:
        """Write one value of FAKE_PLATFORMS."""
        wire = {field: getattr(self, field) for field in self.__slots__}
        del wire["name"]
        return wire | {"class": wire.pop("platform_class")}
