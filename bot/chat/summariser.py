"""Making summaries beside the turns: one at a time, behind everybody who waits, and never missed when it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.chat.budget import Limits
from bot.chat.keeper import ContextKeeper
from bot.chat.prompt import Persona
from bot.chat.scope import confined
from bot.chat.summary import SummaryPrompt, kept_of_summary, summary_prompt
from bot.errors import StoreUnavailable, VaultError, WrittenByNewer
from bot.telemetry.events import Hooks, SummaryFailed, SummaryProblem, SummaryStored, emit
from bot.turns.model import Chat, Summary
from engine.base import ChatRequest, Engine, Finish, FinishReason
from engine.errors import EngineError, EngineFailed, EngineNotReady, RequestRejected

logger = logging.getLogger(__name__)

#: Chats that may wait for their summary in one worker.
MOST_WAITING = 256
#: Replies have priority 0, and lower runs sooner.
_BEHIND_REPLIES = 1


class SummaryRecord(Protocol):
    """What the journal is asked."""

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Read a chat as it is now."""
        ...

    async def store_summary(self, chat: Chat, summary: Summary) -> bool:
        """Keep a summary for the chat's next cut, and tell whether it still fits what the chat remembers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryPatience:
    """How long a summary may take, in seconds."""

    first_token_s: float = 120.0
    stall_s: float = 60.0
    total_s: float = 300.0


class _NotMadeError(Exception):
    """A summary was not made."""

    def __init__(self, problem: SummaryProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class Summariser:
    """Asks for a chat's summary while its old log is still in use; what was not made is asked for again.

    Every reply in a nearly full prompt asks, so nothing is retried here, and what waits is dropped when the worker
    ends.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        keeper: ContextKeeper,
        record: SummaryRecord,
        limits: Callable[[], Awaitable[Limits]],
        persona: Persona,
        scopes: Mapping[str, str] | None = None,
        salt: Callable[[Chat], str],
        patience: SummaryPatience | None = None,
        most_waiting: int = MOST_WAITING,
        hooks: Hooks = (),
    ) -> None:
        self._engine = engine
        self._keeper = keeper
        self._record = record
        self._limits = limits
        self._persona = persona
        #: By adapter, as the chats' replies have them: a summary's prompt begins as theirs do.
        self._scopes = scopes or {}
        self._salt = salt
        self._patience = patience or SummaryPatience()
        self._most_waiting = most_waiting
        self._hooks = hooks
        self._waiting: dict[str, Chat] = {}
        self._asked = asyncio.Event()
        self._priority = _BEHIND_REPLIES

    def ask(self, chat: Chat) -> None:
        """Have a chat summarised soon; one that waits already keeps its place."""
        if chat.id not in self._waiting and len(self._waiting) >= self._most_waiting:
            self._tell_failed(chat, SummaryProblem.CROWDED)
            return
        self._waiting[chat.id] = chat
        self._asked.set()

    async def run(self) -> None:
        """Make summaries until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._waiting:
                await self._make(self._waiting.pop(next(iter(self._waiting))))

    async def _make(self, chat: Chat) -> None:
        try:
            await self._made(chat)
        except _NotMadeError as why:
            self._tell_failed(chat, why.problem)
        except EngineError as error:
            logger.info("chat %s has no summary yet: %s", chat.id, type(error).__name__)
            self._tell_failed(chat, SummaryProblem.ENGINE)
        except (StoreUnavailable, VaultError, WrittenByNewer) as error:
            logger.warning("chat %s has no summary yet: %s", chat.id, type(error).__name__)
            self._tell_failed(chat, SummaryProblem.STORE)

    async def _made(self, chat: Chat) -> None:
        if await self._is_busy():
            raise _NotMadeError(SummaryProblem.BUSY)
        limits = await self._limits()
        now = await self._as_it_is(chat)
        context = await self._keeper.remembered(now)
        if context.background.next_summary is not None:
            return
        persona = confined(self._persona, self._scopes.get(now.adapter, ""))
        prompt = summary_prompt(context, persona=persona, limits=limits)
        if prompt is None:
            raise _NotMadeError(SummaryProblem.NO_ROOM)
        said, finish = await self._generated(now, prompt)
        text = kept_of_summary(said, is_cut=finish.reason is FinishReason.LENGTH, limits=limits)
        if not text:
            raise _NotMadeError(SummaryProblem.EMPTY)
        if not await self._record.store_summary(now, Summary(ord=prompt.up_to, text=text)):
            raise _NotMadeError(SummaryProblem.OVERTAKEN)
        self._tell_stored(now, finish)

    async def _as_it_is(self, chat: Chat) -> Chat:
        """Read a chat anew; what was cut, reset or forgotten since it was asked for needs no summary."""
        now = await self._record.chat_by_conversation(chat.adapter, chat.account, chat.conversation)
        if now is None or (now.context_from, now.salt_epoch) != (chat.context_from, chat.salt_epoch):
            raise _NotMadeError(SummaryProblem.OVERTAKEN)
        return now

    async def _is_busy(self) -> bool:
        try:
            return (await self._engine.load()).waiting > 0
        except EngineNotReady:
            raise
        except EngineError:
            return False  # an engine that does not say how busy it is

    async def _generated(self, chat: Chat, prompt: SummaryPrompt) -> tuple[str, Finish]:
        try:
            return await self._generate(chat, prompt)
        except RequestRejected:
            if self._priority == 0:
                raise
            # Without `--scheduling-policy priority` vLLM takes no other priority than 0.
            logger.info("the engine takes no priorities: summaries are asked for like replies")
            self._priority = 0
            return await self._generate(chat, prompt)

    async def _generate(self, chat: Chat, prompt: SummaryPrompt) -> tuple[str, Finish]:
        pieces: list[str] = []
        request = self._request(chat, prompt)
        async with self._engine.stream(request) as events:
            async for event in events:
                if isinstance(event, Finish):
                    return "".join(pieces), event
                pieces.append(event.text)
        raise EngineFailed("the stream ended without a finish")

    def _request(self, chat: Chat, prompt: SummaryPrompt) -> ChatRequest:
        return ChatRequest(
            request_id=f"summary-{chat.id}-{chat.context_version}",
            messages=prompt.messages,
            max_tokens=prompt.most_tokens,
            first_token_s=self._patience.first_token_s,
            stall_s=self._patience.stall_s,
            total_s=self._patience.total_s,
            temperature=0.0,
            cache_salt=self._salt(chat),
            priority=self._priority,
        )

    def _tell_stored(self, chat: Chat, finish: Finish) -> None:
        usage = finish.usage
        stored = SummaryStored(
            chat_id=chat.id,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=usage.cached_tokens,
            output_tokens=usage.output_tokens,
        )
        emit(self._hooks, stored)

    def _tell_failed(self, chat: Chat, reason: SummaryProblem) -> None:
        emit(self._hooks, SummaryFailed(chat_id=chat.id, reason=reason))
