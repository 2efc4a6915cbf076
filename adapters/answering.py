"""Which of a room's messages a turn answers, and which have their answer; passing, lost with the process."""

from collections import OrderedDict
from collections.abc import Iterable

#: How many turns and answered messages a room remembers.
_REMEMBERED = 256


class Answering:
    """What one room remembers of questions and their answers; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, list[str]] = OrderedDict()
        self._settled: OrderedDict[str, None] = OrderedDict()

    def took(self, turn: str, ref: str) -> None:
        """Remember that a turn answers a message."""
        refs = self._turns.setdefault(turn, [])
        if ref not in refs:
            refs.append(ref)
        while len(self._turns) > _REMEMBERED:
            self._turns.popitem(last=False)

    def answers(self, reply_to: str | None) -> tuple[str, ...]:
        """Return every message that a reply to one of them answers."""
        if reply_to is None:
            return ()
        return next((tuple(refs) for refs in self._turns.values() if reply_to in refs), (reply_to,))

    def settle(self, refs: Iterable[str]) -> None:
        """Remember that these messages have their answer: nothing live may follow for them."""
        for ref in refs:
            self._settled[ref] = None
        while len(self._settled) > _REMEMBERED:
            self._settled.popitem(last=False)

    def is_settled(self, ref: str) -> bool:
        """Tell whether a message has its answer."""
        return ref in self._settled

    def asked_again(self, ref: str) -> None:
        """Let a message that was answered have something live again."""
        self._settled.pop(ref, None)
