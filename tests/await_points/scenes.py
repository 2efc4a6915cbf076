"""What happens in each case: which kind of turn, on which kind of platform, who works on it."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from adapters.base import LiveOutput
from adapters.registry import PlatformClass
from tests.await_points.gate import How

#: What each process's engine answers: whose text stands tells who generated it.
FIRST_SAYS = "The first worker says one two three."
SECOND_SAYS = "The second worker says four five six."
_FILLER = " And so on and on, until a message of this small platform is full and another has to follow."


class Scene(StrEnum):
    """A kind of turn."""

    #: One message, sent when it is complete.
    PLAIN = "plain"
    #: Two messages.
    PARTS = "parts"
    #: A placeholder, edited while the reply grows.
    LIVE = "live"
    #: The engine fails.
    FAILING = "failing"
    #: The engine is still starting.
    STARTING = "starting"
    #: It is too late to answer.
    EXPIRED = "expired"
    #: Somebody pressed stop before anybody took it.
    CANCELLED = "cancelled"
    #: Refused at intake; only the notice task works.
    NOTICE = "notice"
    #: No worker is free; the notice task gives the first sign.
    SIGN = "sign"
    #: In the terminal, whose owner sends.
    TERMINAL = "terminal"
    #: In the web chat, whose owner sends.
    WEBCHAT = "webchat"

    @property
    def owned(self) -> bool:
        """Whether only the process that holds the platform's connections sends."""
        return self in (Scene.TERMINAL, Scene.WEBCHAT)

    @property
    def live(self) -> LiveOutput:
        """What its platform shows while a reply grows."""
        return LiveOutput.EDIT if self in (Scene.LIVE, Scene.SIGN) else LiveOutput.NONE

    @property
    def worked_on(self) -> bool:
        """Whether the first process has a worker."""
        return not self.told_of

    @property
    def told_of(self) -> bool:
        """Whether the first process sends notices and signs."""
        return self in (Scene.NOTICE, Scene.SIGN)

    def answer(self, says: str) -> str:
        """Return what an engine answers."""
        return f"{says}{_FILLER}\n\nPart two: {says}{_FILLER}" if self is Scene.PARTS else says

    @property
    def text_limit(self) -> int:
        """How long the adapter lets a message be."""
        return 170 if self is Scene.PARTS else 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One process stopped at one step."""

    scene: Scene
    platform_class: PlatformClass
    how: How
    step: str

    @property
    def on_postgres(self) -> bool:
        """Whether it needs a database that a frozen process does not hold: one frozen inside a write."""
        return self.how is How.STOP and self.step.startswith("inside ")

    @property
    def id(self) -> str:
        """Its name in the test's report."""
        return f"{self.scene}-{self.platform_class}-{self.how}-{self.step}"

    def to_wire(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Self:
        """Read what `to_wire` wrote."""
        return cls(
            scene=Scene(wire["scene"]),
            platform_class=PlatformClass(wire["platform_class"]),
            how=How(wire["how"]),
            step=wire["step"],
        )
