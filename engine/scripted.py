"""An engine in memory: says what a script says, at the pace it is told, and fails when it is told to.

For tests, benches and demonstrations. A token is a piece of the script's text.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import islice

from engine.base import (
    ChatRequest,
    Delta,
    EngineLoad,
    EngineState,
    EngineStatus,
    Finish,
    FinishReason,
    Role,
    Usage,
)
from engine.deadlines import Clocks
from engine.errors import EngineError, EngineNotReady, PromptTooLong
from engine.scripted_cache import CHARS_PER_TOKEN, PrefixCache

#: What is answered to a request.
Script = Callable[[ChatRequest], str]
#: Awaited before piece `n` (from 0) of a reply, and before its end: a delay, or an event a test holds.
Pace = Callable[[ChatRequest, int], Awaitable[None]]

_PIECE = re.compile(r"\s*\S{1,8}|\s+")


def echo(request: ChatRequest) -> str:
    """Repeat the last message: the script of an engine that was given none."""
    return request.messages[-1].content


def to_pieces(text: str) -> list[str]:
    """Cut a text into pieces of about a token each; joined they are the text again."""
    return _PIECE.findall(text)


def count_tokens(text: str) -> int:
    """Estimate a prompt's tokens from its length."""
    return len(text) // CHARS_PER_TOKEN + 1


def steady(
    *, first_s: float = 0.0, each_s: float = 0.0, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Pace:
    """Return a pace that waits `first_s` before the first piece and `each_s` before every other."""

    async def pace(_request: ChatRequest, n: int) -> None:
        await sleep(each_s if n else first_s)

    return pace


@dataclass(frozen=True, slots=True)
class _Failure:
    error: EngineError
    after: int


@dataclass(slots=True)
class _Run:
    """One request on its way; `record` is where its id is written when it is over."""

    request: ChatRequest
    clocks: Clocks
    record: deque[str]
    failure: _Failure | None


class ScriptedEngine:
    """The `Engine` protocol without a model.

    What happened is kept for whoever asks, the newest of each kind: `requests` as they came; `finished`,
    `failed` and `cancelled` (left early) by request id; `running` counts those open now, those that wait for
    one of `capacity` places included.
    """

    def __init__(
        self,
        script: Script | Sequence[str] = echo,
        *,
        pace: Pace | None = None,
        model: str = "scripted",
        max_model_len: int = 8192,
        history: int = 1000,
        capacity: int | None = None,
    ) -> None:
        """Keep the script (a function of the request, or fixed pieces) and how many records to hold.

        With a capacity, as vLLM's `--max-num-seqs`, further requests wait inside until a place is free.
        Without a pace the pieces come at once, letting other tasks run between them.
        """
        self._script = script
        self._pace = pace or steady()
        self._max_model_len = max_model_len
        self._status = EngineStatus(state=EngineState.READY, model=model, max_model_len=max_model_len)
        self._failures: deque[_Failure] = deque()
        self._cache = PrefixCache()
        self._changed = asyncio.Event()
        self.requests: deque[ChatRequest] = deque(maxlen=history)
        self.finished: deque[str] = deque(maxlen=history)
        self.failed: deque[str] = deque(maxlen=history)
        self.cancelled: deque[str] = deque(maxlen=history)
        self.running = 0
        self._capacity = capacity
        self._places = asyncio.Semaphore(capacity) if capacity else None

    def fail_next(self, error: EngineError, *, after: int = 0) -> None:
        """Let the next request that has no failure yet fail with this error after so many pieces.

        With 0 it is refused: entering the context raises. A reply shorter than that fails at its end.
        """
        self._failures.append(_Failure(error, after))

    def set_status(self, state: EngineState, *, detail: str = "") -> None:
        """Change what the engine says it is doing; unless that is READY, requests are refused."""
        self._status = EngineStatus(
            state=state, model=self._status.model, max_model_len=self._max_model_len, detail=detail
        )
        self._note()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on this engine's records holds; it is looked at after every change."""
        while not condition():
            await self._changed.wait()

    async def status(self) -> EngineStatus:
        """Tell what `set_status` set; at first READY."""
        return self._status

    async def load(self) -> EngineLoad:
        """Count the open requests that have a place, and those that wait for one."""
        running = self.running if self._capacity is None else min(self.running, self._capacity)
        return EngineLoad(running=running, waiting=self.running - running)

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Delta | Finish]]:
        """Answer by the script; see `engine.base.Engine.stream`."""
        failure = self._failures.popleft() if self._failures else None
        run = _Run(request, Clocks(request), self.cancelled, failure)
        self.requests.append(request)
        self.running += 1
        self._note()
        try:
            self._admit(run)
            async with aclosing(self._events(run)) as events:
                yield events
        finally:
            self.running -= 1
            run.record.append(request.request_id)
            self._note()

    def _admit(self, run: _Run) -> None:
        refused = self._refusal(run)
        if refused is not None:
            run.record = self.failed
            raise refused

    def _refusal(self, run: _Run) -> EngineError | None:
        if run.failure is not None and run.failure.after == 0:
            return run.failure.error
        if self._status.state is not EngineState.READY:
            return EngineNotReady(f"the engine is {self._status.state.value}")
        prompt_tokens = count_tokens(_render(run.request))
        if prompt_tokens >= self._max_model_len:
            return PromptTooLong(max_model_len=self._max_model_len, prompt_tokens=prompt_tokens)
        return None

    async def _events(self, run: _Run) -> AsyncGenerator[Delta | Finish, None]:
        async with self._place(run), aclosing(self._said(run)) as said:
            async for event in said:
                yield event

    @asynccontextmanager
    async def _place(self, run: _Run) -> AsyncIterator[None]:
        """Hold a place while a request is generated; the wait for it counts as the wait for the first token."""
        if self._places is None:
            yield
            return
        try:
            async with run.clocks.guard():
                await self._places.acquire()
        except EngineError:
            run.record = self.failed
            raise
        try:
            yield
        finally:
            self._places.release()

    async def _said(self, run: _Run) -> AsyncGenerator[Delta | Finish, None]:
        prompt, salt = _render(run.request), run.request.cache_salt
        prompt_tokens, cached_tokens = count_tokens(prompt), self._cache.cached_tokens(salt, prompt)
        limit = min(run.request.max_tokens, self._max_model_len - prompt_tokens)
        said: list[str] = []
        for piece in islice(self._pieces(run.request), limit):
            await self._wait(run, len(said))
            said.append(piece)
            yield Delta(piece)
            run.clocks.token()
            run.clocks.waiting()
        await self._wait(run, len(said), ending=True)
        self._cache.remember(salt, prompt + "".join(said))
        run.record = self.finished
        reason = FinishReason.LENGTH if len(said) == limit else FinishReason.STOP
        usage = Usage(prompt_tokens=prompt_tokens, cached_tokens=cached_tokens, output_tokens=len(said))
        yield Finish(reason, usage)

    async def _wait(self, run: _Run, n: int, *, ending: bool = False) -> None:
        try:
            if run.failure is not None and (ending or run.failure.after == n):
                raise run.failure.error
            async with run.clocks.guard():
                await self._pace(run.request, n)
        except EngineError:
            run.record = self.failed
            raise

    def _pieces(self, request: ChatRequest) -> Iterator[str]:
        return iter(to_pieces(self._script(request)) if callable(self._script) else self._script)

    def _note(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _render(request: ChatRequest) -> str:
    said = "".join(f"<{message.role.value}>{message.content}" for message in request.messages)
    return f"{said}<{Role.ASSISTANT.value}>"
