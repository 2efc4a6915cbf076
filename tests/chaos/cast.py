"""Who says what: conversations that begin and end, bursts, long questions, second thoughts and poison. Pure."""

import random
from dataclasses import dataclass, field

from tests.chaos.words import Asked

#: The share of mentions that no engine can answer.
POISON = 0.05
_LONG = 0.06
_BURST = 0.15
_DIRECT = 0.4
_DELIVERED_OFTEN = 0.1
_LATE = 0.05
_REGRETTED = 0.02
#: Mentions in one life of a conversation; then another one takes its place.
_LEAST_SAID, _MOST_SAID = 8, 30
_MOST_SECTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One mention, and how the platform delivers it."""

    conversation: str
    kind: str
    sender: str
    asked: Asked
    copies: int = 1
    spread: bool = False
    delay_s: float = 0.0
    #: Seconds after which its sender takes it back; None for those who stand by it.
    regretted_s: float | None = None


@dataclass(slots=True)
class Corner:
    """A place on a platform where one conversation follows another; drawn from the seed, whatever the timing."""

    platform: str
    index: int
    seed: int
    life: int = 0
    conversation: str = ""
    #: Seconds of the loop's clock before which nobody speaks here.
    silent_until_s: float = 0.0
    _kind: str = ""
    _people: int = 1
    _left: int = 0
    _burst: int = 0
    _speaker: str = ""
    _chance: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        """Seed it and begin."""
        self._chance = random.Random(f"{self.seed}/{self.platform}/{self.index}")
        self._begin()

    @property
    def is_over(self) -> bool:
        """Whether this conversation has said what it had to say."""
        return self._left == 0

    @property
    def in_burst(self) -> bool:
        """Whether the same person goes on at once."""
        return self._burst > 0

    def move_on(self) -> None:
        """Let the next conversation take its place."""
        self.life += 1
        self._begin()

    def next(self, number: int) -> Line:
        """Say the next thing, under a number of its own."""
        chance = self._chance
        if self._burst:
            self._burst -= 1
        else:
            self._speaker = f"{chance.choice('abc'[: self._people])}-{self.conversation}"
            self._burst = chance.choice((1, 2)) if chance.random() < _BURST else 0
        self._left -= 1
        if not self._left:
            self._burst = 0
        copies = chance.choice((2, 5)) if chance.random() < _DELIVERED_OFTEN else 1
        return Line(
            conversation=self.conversation,
            kind=self._kind,
            sender=self._speaker,
            asked=self._asked(number),
            copies=copies,
            spread=copies > 1 and chance.random() < 0.5,
            delay_s=chance.uniform(0.05, 0.5) if chance.random() < _LATE else 0.0,
            regretted_s=chance.uniform(0.1, 3.0) if chance.random() < _REGRETTED else None,
        )

    def pause_s(self) -> float:
        """Draw how long it is silent now."""
        return 0.0 if self.in_burst else self._chance.expovariate(2.0)

    def _asked(self, number: int) -> Asked:
        chance = self._chance
        sections = chance.randint(2, _MOST_SECTIONS) if chance.random() < _LONG else 1
        return Asked(number=number, sections=sections, poison=chance.random() < POISON)

    def _begin(self) -> None:
        self.conversation = f"{self.platform}-{self.index}-{self.life}"
        self._kind = "direct" if self._chance.random() < _DIRECT else "group"
        self._people = 1 if self._kind == "direct" else self._chance.randint(2, 3)
        self._left = self._chance.randint(_LEAST_SAID, _MOST_SAID)
        self._burst = 0
