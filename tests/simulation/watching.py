"""What an onlooker of a run writes down: what people see, and who called the platform without a right to."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.base import Purpose
from bot.turns.scheduler.base import Take
from tests.simulation.virtual_loop import OWNER, Process

#: The operation that sends one part of a final text: the turn, and the part's number.
PART = re.compile(r"^([0-9a-f]{32})-(\d+)$")
#: What is done for a turn: its parts, its live edits, its first sign.
_OF_TURN = re.compile(r"^([0-9a-f]{32})-(\d+|live|sign)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something a person can see happen: a message appears, reads differently, or goes."""

    at_s: float
    conversation: str
    message: str
    op_id: str
    purpose: Purpose
    #: None when it was taken away.
    text: str | None
    may_be_duplicate: bool = False
    reply_to: str | None = None
    posted: bool = False


@dataclass(slots=True, kw_only=True)
class Mention:
    """One message to the assistant, as its platform knows it."""

    number: int
    conversation: str
    event: str
    said_at_s: float
    acked_at_s: float | None = None
    outcomes: list[str] = field(default_factory=list)


class Watch:
    """Collects what the verdict is made from."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.tracing = False
        self.lines: list[tuple[float, str, str]] = []
        self.changes: list[Change] = []
        self.mentions: dict[int, Mention] = {}
        #: Calls that were started without a lease, in words.
        self.trespasses: list[str] = []
        #: Operations whose process was stopped between deciding to call and hearing of it.
        self.stopped_inside: set[str] = set()
        #: Operations of which a process did not learn what became of them.
        self.doubted: list[str] = []
        #: How often the engine broke off, by the mention that makes it.
        self.broke_off: dict[int, int] = {}
        self.errors: list[str] = []
        #: By process and token: until when the lease stands, as far as the process can know.
        self._until_s: dict[tuple[int, int], float] = {}
        #: By process and turn: the newest token that claimed it there.
        self._tokens: dict[tuple[int, str], int] = {}

    @property
    def now_s(self) -> float:
        """The run's time."""
        return self._now()

    def tell(self, what: str) -> None:
        """Add a line to the timeline, under the name of whoever runs."""
        if self.tracing:
            owner = OWNER.get()
            self.lines.append((self.now_s, owner.name if owner else "", what))

    def taken(self, take: Take, until_s: float) -> None:
        """Write down a take that its process learnt of."""
        self._until_s[_here(), take.token] = until_s
        self.tell(f"took a chat, token {take.token % 10**9}")

    def kept(self, take: Take, until_s: float) -> None:
        """Write down a renewal, or, with 0, that it was refused."""
        key = (_here(), take.token)
        self._until_s[key] = until_s if until_s and self._until_s.get(key) else 0.0

    def claimed(self, turn_id: str, token: int) -> None:
        """Write down which turn a take came to."""
        key = (_here(), turn_id)
        self._tokens[key] = max(token, self._tokens.get(key, 0))
        self.tell(f"claimed turn {turn_id[:16]}, token {token % 10**9}")

    def starts(self, what: str, op_id: str) -> None:
        """Look whether whoever starts a send or an edit for a turn may."""
        self.tell(f"starts to {what} {op_id}")
        found, process = _OF_TURN.match(op_id), OWNER.get()
        if found is None or process is None:
            return
        token = self._tokens.get((id(process), found[1]))
        if token is None:
            if found[2] != "sign" or process.name.startswith("worker"):
                self.trespasses.append(f"{process.name} starts to {what} {op_id} for a turn it never claimed")
        elif self._until_s.get((id(process), token), 0.0) < self.now_s:
            self.trespasses.append(f"{process.name} starts to {what} {op_id} without a lease")

    def seen(self, change: Change) -> None:
        """Write down what people see."""
        self.changes.append(change)
        text = "nothing" if change.text is None else repr(change.text[:70])
        self.tell(f"people see in {change.conversation}, message {change.message}: {text}")


def _here() -> int:
    process = OWNER.get()
    assert isinstance(process, Process)
    return id(process)
