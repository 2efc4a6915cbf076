"""What intake may ask about the line: how long an answer would take, and when asking again makes sense."""

from typing import Protocol


class Load(Protocol):
    """A prediction of waits, asked for every message: both answers come from memory, at once, and never raise.

    None means that nothing is known (no turn was answered yet): nothing is refused on a guess then.
    """

    def predicted_wait_s(self) -> float | None:
        """Predict the seconds until a turn accepted now would begin to be answered."""
        ...

    def longest_wait_s(self) -> float | None:
        """Tell the longest predicted wait with which one more may still be let in; None leaves it to the deadline."""
        ...

    def ask_again_s(self) -> float | None:
        """Predict the seconds until the line is short again, as far as one can tell."""
        ...


class NoLoad:
    """Predicts nothing: where no estimator is wired, only caps and quotas refuse."""

    def predicted_wait_s(self) -> float | None:
        """Know nothing."""
        return None

    def longest_wait_s(self) -> float | None:
        """Know nothing."""
        return None

    def ask_again_s(self) -> float | None:
        """Know nothing."""
        return None
