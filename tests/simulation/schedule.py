"""What is done to the system in one run: who says what, and what breaks when. Drawn from a seed; may be shortened."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from adapters.base import Idempotency, LiveOutput


class Moment(StrEnum):
    """Where a call to the outside stands when its process is struck."""

    #: The process has decided, nothing has left it.
    BEFORE = "before"
    #: It is done out there, the process has not heard of it.
    AFTER = "after"


class Seam(StrEnum):
    """What lies between a process and the rest of the world."""

    STORE = "store"
    SCHEDULE = "schedule"
    PLATFORM = "platform"
    ENGINE = "engine"


class Harm(StrEnum):
    """What happens to one call."""

    #: Known not to have happened.
    REFUSED = "refused"
    #: It asks to come again later; on the platform only.
    RATE_LIMITED = "rate_limited"
    #: The request never arrived, and nobody is told.
    REQUEST_LOST = "request_lost"
    #: It is done, and nobody is told.
    ANSWER_LOST = "answer_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Somebody writes to the assistant."""

    at_s: float
    number: int
    conversation: str
    sender: str
    #: Further deliveries of the same webhook, at about the same time.
    copies: int = 0
    parts: int = 1
    poison: bool = False

    def __str__(self) -> str:
        traits = [f"{self.parts} parts"] * (self.parts > 1) + ["poison"] * self.poison
        traits += [f"delivered {self.copies + 1} times"] * (self.copies > 0)
        return f"{self.sender} says #m{self.number} in {self.conversation}" + "".join(
            f", {trait}" for trait in traits
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AskToStop:
    """Somebody asks the assistant to stop."""

    at_s: float
    conversation: str

    def __str__(self) -> str:
        return f"somebody asks to stop in {self.conversation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A process is killed, and started again."""

    at_s: float
    process: str
    back_s: float

    def __str__(self) -> str:
        return f"{self.process} is killed, back after {self.back_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A process stands still for a while."""

    at_s: float
    process: str
    for_s: float

    def __str__(self) -> str:
        return f"{self.process} is frozen for {self.for_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """A process is asked to end, and started again."""

    at_s: float
    process: str

    def __str__(self) -> str:
        return f"{self.process} is asked to end, and started again"


class Blow(StrEnum):
    """What strikes at a call."""

    #: Its process is killed, and started again.
    KILL = "killed"
    #: Its process stands still for a while.
    FREEZE = "frozen"
    #: The schedule forgets everything.
    ERASE = "the schedule erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """Something happens at the very moment of a process's call to a seam."""

    process: str
    seam: Seam
    #: Counts the calls of this process to this seam, over all its lives.
    call: int
    moment: Moment
    blow: Blow
    for_s: float = 0.0

    def __str__(self) -> str:
        where = f"{self.moment} call {self.call} to the {self.seam}"
        if self.blow is Blow.ERASE:
            return f"the schedule is erased {where} of {self.process}"
        lasts = f" for {self.for_s:g} s" if self.blow is Blow.FREEZE else ""
        return f"{self.process} is {self.blow}{lasts} {where}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoil:
    """One call to a seam meets a fault."""

    seam: Seam
    call: int
    harm: Harm

    def __str__(self) -> str:
        return f"call {self.call} to the {self.seam}: {self.harm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Nobody reaches something for a while."""

    at_s: float
    seam: Seam
    for_s: float

    def __str__(self) -> str:
        return f"the {self.seam} is away for {self.for_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """The schedule forgets everything."""

    at_s: float

    def __str__(self) -> str:
        return "the schedule is erased"


Event = Say | AskToStop | Kill | Freeze | Roll | Strike | Spoil | Outage | Erase


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One run: the deployment, and all that happens to it. The seed also draws every latency."""

    seed: int
    idempotency: Idempotency
    live: LiveOutput
    gateways: int
    workers: int
    events: tuple[Event, ...]

    @property
    def last_s(self) -> float:
        """When the last thing with a time of its own is over."""
        ends = [0.0]
        for event in self.events:
            at_s = getattr(event, "at_s", 0.0)
            ends.append(at_s + (getattr(event, "for_s", None) or 0.0) + getattr(event, "back_s", 0.0))
        return max(ends)

    def __str__(self) -> str:
        where = (
            f"platform {self.idempotency.value}, live {self.live.value}, "
            f"{self.gateways} gateways, {self.workers} workers"
        )
        timed = sorted((e for e in self.events if hasattr(e, "at_s")), key=lambda e: e.at_s)
        struck = [f"          {event}" for event in self.events if not hasattr(event, "at_s")]
        return "\n".join([where, *(f"{event.at_s:8.2f}  {event}" for event in timed), *struck])


def draw(seed: int, *, idempotency: Idempotency | None = None) -> Schedule:
    """Draw a run. Same seed, same run."""
    chance = random.Random(f"schedule {seed}")
    gateways, workers = chance.choice([1, 1, 2]), chance.choice([2, 2, 3])
    drawn = chance.choice(list(Idempotency))
    live = chance.choice(list(LiveOutput))
    events: list[Event] = [*_said(chance), *_broken(chance, gateways, workers)]
    return Schedule(
        seed=seed,
        idempotency=idempotency or drawn,
        live=live,
        gateways=gateways,
        workers=workers,
        events=tuple(events),
    )


#: Within so many seconds people write and things break.
_SAID_WITHIN_S, _BROKEN_WITHIN_S = 8.0, 14.0


def _said(chance: random.Random) -> list[Event]:
    rooms = chance.choice([["lobby"], ["lobby", "attic"]])
    said: list[Event] = [
        Say(
            at_s=round(chance.uniform(0, _SAID_WITHIN_S), 2),
            number=number,
            conversation=chance.choice(rooms),
            sender=chance.choice(["ann", "ann", "bob"]),
            copies=chance.choice([0, 0, 0, 1, 4]),
            parts=chance.choice([1, 1, 2]),
            poison=chance.random() < 0.06,
        )
        for number in range(1, chance.randint(2, 6))
    ]
    if chance.random() < 0.1:
        said.append(
            AskToStop(at_s=round(chance.uniform(1, _BROKEN_WITHIN_S), 2), conversation=chance.choice(rooms))
        )
    return said


def _broken(chance: random.Random, gateways: int, workers: int) -> list[Event]:
    processes = [f"worker {number}" for number in range(1, workers + 1)] * 3
    processes += [f"gateway {number}" for number in range(1, gateways + 1)]
    return [_fault(chance, chance.choice(processes)) for _ in range(chance.choice([0, 1, 2, 3, 3, 4, 6]))]


def _fault(chance: random.Random, process: str) -> Event:
    at_s = round(chance.uniform(0, _BROKEN_WITHIN_S), 2)
    kinds: dict[Callable[[], Event], int] = {
        lambda: _strike(chance, process): 35,
        lambda: _spoil(chance): 22,
        lambda: Kill(at_s=at_s, process=process, back_s=_some_s(chance, 0.2, 4)): 8,
        lambda: Freeze(at_s=at_s, process=process, for_s=_some_s(chance, 0.5, 9)): 10,
        lambda: Erase(at_s=at_s): 14,
        lambda: Outage(at_s=at_s, seam=chance.choice(list(Seam)), for_s=_some_s(chance, 0.2, 6)): 9,
        lambda: Roll(at_s=at_s, process=process): 6,
    }
    (make,) = chance.choices(list(kinds), list(kinds.values()))
    return make()


def _some_s(chance: random.Random, least: float, most: float) -> float:
    return round(chance.uniform(least, most), 1)


def _strike(chance: random.Random, process: str) -> Strike:
    seam = chance.choices([Seam.STORE, Seam.SCHEDULE, Seam.PLATFORM], [4, 2, 4])[0]
    blow = chance.choices(list(Blow), [5, 4, 5])[0]
    return Strike(
        process=process,
        seam=seam,
        call=_early(chance, 10 if seam is Seam.PLATFORM else 60),
        moment=chance.choice(list(Moment)),
        blow=blow,
        for_s=_some_s(chance, 0.5, 8) if blow is Blow.FREEZE else 0.0,
    )


def _spoil(chance: random.Random) -> Spoil:
    seam = chance.choices(list(Seam), [25, 20, 45, 10])[0]
    harms = list(Harm) if seam is Seam.PLATFORM else [Harm.REFUSED, Harm.ANSWER_LOST]
    most = {Seam.STORE: 120, Seam.SCHEDULE: 120, Seam.PLATFORM: 20, Seam.ENGINE: 6}[seam]
    return Spoil(seam=seam, call=_early(chance, most), harm=chance.choice(harms))


def _early(chance: random.Random, most: int) -> int:
    """Draw a call's number, sooner ones more often: a short run makes no others."""
    return 1 + int(most * chance.random() ** 1.5)
