"""What breaks when: drawn from the seed, four times a second. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

#: Seconds between two draws.
TICK_S = 0.25


class Blow(StrEnum):
    """What can happen to a deployment, by what is done to it."""

    #: SIGKILL to a worker or gateway, which is started again.
    KILL = "kill"
    #: SIGSTOP to a worker or gateway past the lease, then SIGCONT.
    FREEZE = "freeze"
    #: FLUSHALL.
    ERASE_REDIS = "erase_redis"
    #: SIGTERM to Redis, and a start with what it wrote.
    RESTART_REDIS = "restart_redis"
    #: SIGKILL to Redis, and a start with what it had written.
    KILL_REDIS = "kill_redis"
    #: SIGKILL to the engine, and a start.
    KILL_ENGINE = "kill_engine"
    #: PostgreSQL stops, in order or at once, and starts.
    RESTART_DATABASE = "restart_database"
    #: Every connection through one proxy is reset.
    CUT = "cut"
    #: One proxy refuses connections for a while.
    REFUSE = "refuse"
    #: Nothing passes one proxy for a while.
    STALL = "stall"
    #: One proxy holds every piece of data back for a while.
    DELAY = "delay"
    #: SIGTERM to one process after another, each started again.
    ROLL = "roll"
    #: The next calls of a platform run into a fault of its own.
    PLATFORM = "platform"


#: How likely each is at every draw.
ODDS: dict[Blow, float] = {
    Blow.KILL: 0.08,
    Blow.FREEZE: 0.03,
    Blow.ERASE_REDIS: 0.01,
    Blow.RESTART_REDIS: 0.005,
    Blow.KILL_REDIS: 0.005,
    Blow.KILL_ENGINE: 0.02,
    Blow.RESTART_DATABASE: 0.01,
    Blow.CUT: 0.02,
    Blow.REFUSE: 0.01,
    Blow.STALL: 0.01,
    Blow.DELAY: 0.01,
    Blow.ROLL: 0.004,
    Blow.PLATFORM: 0.12,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One blow, before it is known what stands there to be hit."""

    blow: Blow
    #: Shares of 1 that choose: the target, a variant, and how long it lasts.
    target: float
    variant: float
    length: float

    def choose(self, among: list[str]) -> str:
        """Choose a target by its share."""
        return among[int(self.target * len(among))]

    def lasting(self, least_s: float, most_s: float) -> float:
        """Choose a length in seconds by its share."""
        return least_s + (most_s - least_s) * self.length


def strikes(seed: int) -> Iterator[list[Strike]]:
    """Draw for ever, one list a tick; the same seed draws the same."""
    chance = random.Random(f"{seed}/blows")
    while True:
        drawn = [blow for blow, odds in ODDS.items() if chance.random() < odds]
        yield [
            Strike(blow=blow, target=chance.random(), variant=chance.random(), length=chance.random())
            for blow in drawn
        ]
