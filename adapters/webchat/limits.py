"""How much one guest, and one address, may ask for: token buckets."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

#: Buckets kept; whoever was quiet for longest starts with a full one again.
_KEPT = 20_000


class Kind(StrEnum):
    """What is counted apart."""

    #: Something said, edited, or asked again.
    MESSAGE = "message"
    TYPING = "typing"
    #: All of the people typing in one room.
    ROOM_TYPING = "room_typing"
    #: Everything else a guest asks on a connection.
    OTHER = "other"
    #: Coming in, by address.
    ENTER = "enter"
    #: Pages and invitations looked at, by address.
    LOOK = "look"
    #: Connections opened, by guest.
    CONNECT = "connect"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a minute in the long run."""

    burst: int
    per_minute: float


RATES: Mapping[Kind, Rate] = {
    Kind.MESSAGE: Rate(10, 30),
    Kind.TYPING: Rate(3, 60),
    Kind.ROOM_TYPING: Rate(5, 300),
    Kind.OTHER: Rate(60, 120),
    Kind.ENTER: Rate(20, 20),
    Kind.LOOK: Rate(120, 300),
    Kind.CONNECT: Rate(30, 60),
}


class SlowDown(Exception):
    """Too much at once; the same is welcome after `retry_s` seconds."""

    def __init__(self, retry_s: float) -> None:
        super().__init__(f"again in {retry_s:.1f} s")
        self.retry_s = retry_s


class Limits:
    """All buckets, by kind and by whom."""

    def __init__(self, monotonic: Callable[[], float], rates: Mapping[Kind, Rate] = RATES) -> None:
        self._monotonic = monotonic
        self._rates = rates
        #: What is left, and when that was true.
        self._buckets: OrderedDict[tuple[Kind, str], tuple[float, float]] = OrderedDict()

    def take(self, kind: Kind, who: str) -> None:
        """Take one. Raises `SlowDown` where nothing is left."""
        rate, now_s = self._rates[kind], self._monotonic()
        left, then_s = self._buckets.pop((kind, who), (float(rate.burst), now_s))
        left = min(rate.burst, left + (now_s - then_s) * rate.per_minute / 60)
        is_enough = left >= 1
        self._buckets[kind, who] = (left - 1 if is_enough else left, now_s)
        while len(self._buckets) > _KEPT:
            self._buckets.popitem(last=False)
        if not is_enough:
            raise SlowDown((1 - left) * 60 / rate.per_minute)
