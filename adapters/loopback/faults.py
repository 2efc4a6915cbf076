"""Faults on demand: what the next calls of a platform run into."""

import asyncio
from collections import deque
from enum import StrEnum

from adapters.errors import AdapterError, Ambiguous, RetryAfter, Unreachable


class Fault(StrEnum):
    """What happens to one call, by what the caller and a person see."""

    #: Refused for now: nothing is visible, `RetryAfter`.
    RETRY_AFTER = "retry_after"
    #: No connection: nothing is visible, `Unreachable`.
    UNREACHABLE = "unreachable"
    #: The request was lost: nothing is visible, `Ambiguous`.
    LOST_REQUEST = "lost_request"
    #: The answer was lost: the message is visible, `Ambiguous`.
    LOST_ANSWER = "lost_answer"


class Faults:
    """Plans faults for the next calls, one each, and holds calls up until released."""

    def __init__(self, retry_after_s: float = 1.0) -> None:
        self._planned: deque[Fault | None] = deque()
        self._retry_after_s = retry_after_s
        self._open = asyncio.Event()
        self._open.set()
        #: Set while a call waits to be released.
        self.waiting = asyncio.Event()

    def next_call(self, *faults: Fault | None) -> None:
        """Plan a fault for each of the next calls; None lets one through."""
        self._planned.extend(faults)

    def hold(self) -> None:
        """Make calls wait before they do anything."""
        self._open.clear()

    def release(self) -> None:
        """Let waiting calls go on."""
        self._open.set()
        self.waiting.clear()

    async def before(self) -> AdapterError | None:
        """Run into what is planned before the effect; return what is to be raised behind it."""
        if not self._open.is_set():
            self.waiting.set()
            await self._open.wait()
        match self._planned.popleft() if self._planned else None:
            case Fault.RETRY_AFTER:
                raise RetryAfter(self._retry_after_s)
            case Fault.UNREACHABLE:
                raise Unreachable("the loopback platform cannot be reached")
            case Fault.LOST_REQUEST:
                raise Ambiguous("the loopback platform did not answer")
            case Fault.LOST_ANSWER:
                return Ambiguous("the loopback platform did not answer")
            case None:
                return None
