"""What `bench.prefix` counts: every request's prompt, what of it came from the cache, and when its first token came."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.base import ChatRequest, Delta, Engine, EngineLoad, EngineStatus, Finish

#: How the requests of the summariser are named.
SUMMARY_IDS = "summary-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as the engine counted it."""

    chat: int
    turn: int
    prompt_tokens: int
    cached_tokens: int
    first_token_s: float
    is_summary: bool = False
    #: Asked for its time alone: it stands for no turn of the mean.
    is_probe: bool = False

    @property
    def computed_tokens(self) -> int:
        """What of the prompt was not in the cache."""
        return self.prompt_tokens - self.cached_tokens


def cached_share(asked: Iterable[Asked]) -> float:
    """Return the share of all prompt tokens that came from the cache."""
    counted = [one for one in asked if not one.is_probe]
    return sum(one.cached_tokens for one in counted) / sum(one.prompt_tokens for one in counted)


def computed_per_reply(asked: Iterable[Asked]) -> float:
    """Return the prompt tokens computed for a reply, those of the summaries included."""
    counted = [one for one in asked if not one.is_probe]
    replies = sum(not one.is_summary for one in counted)
    return sum(one.computed_tokens for one in counted) / replies


def first_token_s(asked: Iterable[Asked], turn: int) -> float:
    """Return the median time to the first token of the replies at a turn, over all chats."""
    return statistics.median(one.first_token_s for one in asked if one.turn == turn and not one.is_summary)


class Metered:
    """An engine that passes everything on and notes what it cost, for the turn that is set; one way at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.asked: list[Asked] = []
        self.chat = 0
        self.turn = 0
        self.is_probe = False

    async def quiet(self) -> None:
        """Wait until no request is open."""
        await self._idle.wait()

    def begin(self) -> Sequence[Asked]:
        """Begin a new list, and return it; it grows from now on."""
        self.asked = []
        return self.asked

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Delta | Finish]]:
        """Pass the request on."""
        began_s, place = time.perf_counter(), (self.chat, self.turn, self.is_probe)
        self._running += 1
        self._idle.clear()
        try:
            async with self._engine.stream(request) as events:
                yield self._noted(request, events, began_s, place)
        finally:
            self._running -= 1
            if self._running == 0:
                self._idle.set()

    async def status(self) -> EngineStatus:
        """Ask the engine."""
        return await self._engine.status()

    async def load(self) -> EngineLoad:
        """Ask the engine."""
        return await self._engine.load()

    async def _noted(
        self,
        request: ChatRequest,
        events: AsyncIterator[Delta | Finish],
        began_s: float,
        place: tuple[int, int, bool],
    ) -> AsyncIterator[Delta | Finish]:
        first_s: float | None = None
        async for event in events:
            if first_s is None:
                first_s = time.perf_counter() - began_s
            if isinstance(event, Finish):
                self._note(request, event, first_s, place)
            yield event

    def _note(
        self, request: ChatRequest, finish: Finish, first_s: float, place: tuple[int, int, bool]
    ) -> None:
        chat, turn, is_probe = place
        asked = Asked(
            chat=chat,
            turn=turn,
            prompt_tokens=finish.usage.prompt_tokens,
            cached_tokens=finish.usage.cached_tokens,
            first_token_s=first_s,
            is_summary=request.request_id.startswith(SUMMARY_IDS),
            is_probe=is_probe,
        )
        self.asked.append(asked)
