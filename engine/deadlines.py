"""The clocks of one request: until the first token, without a token, and in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.base import ChatRequest
from engine.errors import Deadline, EngineTimedOut


class Clocks:
    """Run a request's three clocks from the moment of construction, inside a running event loop.

    The caller says when a token came and when it waits again; time in which nobody waits for the engine
    counts towards the total only.
    """

    def __init__(self, request: ChatRequest) -> None:
        """Start the first-token clock and the total clock."""
        self._now = asyncio.get_running_loop().time
        self._request = request
        self._started = self._waiting_since = self._now()
        self._answered = False

    def token(self) -> None:
        """Take note of the first token: from here on the stall clock runs instead."""
        self._answered = True

    def waiting(self) -> None:
        """Take note that the engine showed progress and is waited for again from now."""
        self._waiting_since = self._now()

    @asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Let what is inside take until the next clock runs out; raises `EngineTimedOut` with that clock."""
        at, deadline, seconds = self._next()
        scope = asyncio.timeout_at(at)
        try:
            async with scope:
                yield
        except TimeoutError as exc:
            if not scope.expired():
                raise
            raise EngineTimedOut(deadline, seconds) from exc

    def _next(self) -> tuple[float, Deadline, float]:
        request = self._request
        total = (self._started + request.total_s, Deadline.TOTAL, request.total_s)
        if self._answered:
            other = (self._waiting_since + request.stall_s, Deadline.STALL, request.stall_s)
        else:
            other = (self._started + request.first_token_s, Deadline.FIRST_TOKEN, request.first_token_s)
        return min(total, other, key=lambda clock: clock[0])
