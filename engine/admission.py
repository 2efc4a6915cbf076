"""How much to send: as many requests as the engine works on at once, and at most one that waits inside it. Pure.

What waits with us is fair, visible and can be cancelled; what waits inside vLLM is none of that. Several senders need
not know of each other: all see the same figures, and each gives up its share of what is too much.
"""

import math

from engine.base import EngineLoad

#: Looks that must find requests waiting, one after the other, before anything changes: a request that has just
#: come waits for the step under way, and that says nothing.
LOOKS = 2
#: From so many requests at once on, one that waits inside the engine is a gain: it is begun as soon as another ends,
#: while the answer to that is still being sent.
SOME = 4
#: Looks without waiting requests between a reduction and the next try of one more.
CALM_LOOKS = 5
#: A thirty-second of the most is one step up, so that large engines are filled again within half a minute.
STEPS = 32


class Admission:
    """Additive increase, multiplicative decrease of the requests kept open (Chiu and Jain 1989).

    The decrease is not a guess: of `running + waiting` requests the engine works on `running`, so that share of
    ours is what it can use.
    """

    def __init__(self, most: int) -> None:
        """Begin with the most that is ever allowed."""
        if most < 1:
            raise ValueError(f"at least one request must be allowed, not {most}")
        self._most = most
        self._limit = most
        self._waited = 0
        self._calm = CALM_LOOKS

    @property
    def limit(self) -> int:
        """How many requests may be open now: from 1 to the most."""
        return self._limit

    def observe(self, load: EngineLoad, in_hand: int) -> int:
        """Learn how busy the engine is while this many of ours are in hand; return the new limit."""
        if load.waiting > _tolerated(load):
            self._waited += 1
            self._calm = 0
            if self._waited >= LOOKS:
                self._limit = max(1, min(self._limit, self._usable(load, in_hand)))
        else:
            self._waited = 0
            self._calm += 1
            # A limit that nobody reaches says nothing about the engine.
            if load.waiting == 0 and in_hand >= self._limit and self._calm > CALM_LOOKS:
                self._limit = min(self._most, self._limit + max(1, self._most // STEPS))
        return self._limit

    def _usable(self, load: EngineLoad, in_hand: int) -> int:
        return math.ceil(in_hand * load.running / (load.running + load.waiting))


def _tolerated(load: EngineLoad) -> int:
    return 1 if load.running >= SOME else 0
