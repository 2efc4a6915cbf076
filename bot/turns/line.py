"""The line: how long a turn will wait, from what the schedule and the workers say. Pure but for what it was told.

A wait is a rank times the mean time of a turn over the slots there are: of all chats ready before this one each is
served one turn, because start-time fair queueing puts a chat that was served behind those that were not.
"""

from dataclasses import dataclass

#: A line this short is none: what is predicted below it is answered while people still look.
SHORT_S = 3.0
#: From here on people are told how long it takes.
LONG_S = 20.0
#: A line that has stood for so long is no burst, and is kept short...
STANDS_AFTER_S = 10.0
#: ...so that everything is normal again within a minute of its end: nobody is let in who would wait longer, unless
#: that is less than so many turns: where one answer takes a minute, a line of three is not long.
STANDING_S = 30.0
STANDING_TURNS = 3
#: How much of the time between two ends is still to pass until the next one, on the average: a half if all turns took
#: equally long, the whole if their lengths were quite random.
FIRST_FREE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast all workers together answer."""

    #: Turns that can be in hand at once.
    slots: int
    #: The mean time a turn keeps its slot; None before any was answered.
    turn_s: float | None

    @property
    def each_s(self) -> float | None:
        """Seconds from one turn's end to the next one's, with all slots in use; None where nobody knows."""
        return self.turn_s / self.slots if self.turn_s is not None and self.slots > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a waiting turn stands."""

    #: Chats the schedule serves before its chat; None where its chat is being served.
    rank: int | None
    #: Turns of its own chat that wait before it.
    before: int = 0


class Line:
    """What is known of the line in this process; everything is unknown until it learns. Answers at once."""

    def __init__(self) -> None:
        self._ready = 0
        self._pace: Pace | None = None
        self._since_s: float | None = None
        self._stands_s = 0.0

    def learn(self, ready: int, pace: Pace, now_s: float) -> None:
        """Take over how many chats are ready and how fast they are served, as of a monotonic instant."""
        self._ready, self._pace = ready, pace
        wait_s = self.predicted_wait_s()
        if wait_s is None or wait_s <= SHORT_S:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s
        self._stands_s = 0.0 if self._since_s is None else now_s - self._since_s

    def forget(self) -> None:
        """Know nothing any more: nobody could be asked."""
        self._ready, self._pace, self._since_s, self._stands_s = 0, None, None, 0.0

    def predicted_wait_s(self) -> float | None:
        """Predict the wait of a turn accepted now, in a chat that has nothing else; None where nobody knows."""
        if self._pace is None:
            return None
        if self._ready == 0:
            return 0.0
        each_s = self._pace.each_s
        return None if each_s is None else (self._ready + FIRST_FREE) * each_s

    def wait_s(self, place: Place) -> float | None:
        """Predict how much longer a turn waits that stands at a place; None where nobody knows."""
        pace = self._pace
        if pace is None or pace.turn_s is None or pace.each_s is None:
            return None
        # A chat is served one turn at a time, and all ready chats between two of its turns.
        behind_all_s = (self._ready + FIRST_FREE) * pace.each_s
        round_s = max(pace.turn_s, behind_all_s)
        if place.rank is None:
            # Half of the turn in hand is still to come, on the average, and the chat is then behind all others.
            return max(pace.turn_s / 2, behind_all_s) + place.before * round_s
        return (place.rank + FIRST_FREE) * pace.each_s + place.before * round_s

    def ask_again_s(self) -> float | None:
        """Predict when the line is short again, if nobody else comes; None where nobody knows."""
        return self.predicted_wait_s()

    def longest_wait_s(self) -> float | None:
        """Tell the longest wait for which one more may still be let in; None leaves it to the turn's deadline.

        A burst may be as long as the deadlines allow; a line that stands is kept short (the idea of CoDel:
        Nichols and Jacobson 2012).
        """
        pace = self._pace
        if pace is None or pace.each_s is None or self._stands_s < STANDS_AFTER_S:
            return None
        return max(STANDING_S, (STANDING_TURNS + 1) * pace.each_s)
