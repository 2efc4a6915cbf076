"""What the assistant asks of an engine: one streaming request, its limits, and whether it is ready."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """Who speaks in a message of the prompt, as the OpenAI chat format spells it."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a prompt; its text is sent byte for byte."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One generation: the whole prompt, how much to answer, and how long it may take."""

    #: Names the request in the engine's log; never a platform's id.
    request_id: str
    messages: tuple[ChatMessage, ...]
    #: Upper bound of the reply, in tokens.
    max_tokens: int
    #: Seconds allowed until the first token, without a token, and in all.
    first_token_s: float
    stall_s: float
    total_s: float
    temperature: float = 0.7
    seed: int | None = None
    #: Short hex that isolates the KV cache (vLLM `cache_salt`).
    cache_salt: str | None = None
    #: Lower runs sooner (vLLM `--scheduling-policy priority`).
    priority: int = 0


class FinishReason(StrEnum):
    """Why a generation ended."""

    #: The model said it was done.
    STOP = "stop"
    #: `max_tokens` was reached: the text is cut.
    LENGTH = "length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one generation cost, in tokens, as the engine counted it."""

    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of text, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of every successful stream."""

    reason: FinishReason
    usage: Usage


class EngineState(StrEnum):
    """What an engine is doing, by what a caller may do."""

    #: The process is loading; do not send.
    STARTING = "starting"
    #: It answers, but has not yet generated anything; do not send.
    WARMING = "warming"
    #: Send.
    READY = "ready"
    #: It finishes what it has; do not send.
    DRAINING = "draining"
    #: It is gone and will be started again, or is out of reach; do not send.
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """What is known of the engine at this moment."""

    state: EngineState
    #: The served model's name, once known.
    model: str | None = None
    #: Longest prompt plus reply, in tokens, once known.
    max_model_len: int | None = None
    #: A sentence for people: what it is waiting for, or why it is dead.
    detail: str = ""
    #: How much of a usual start has passed, below 1, while it starts; None where nobody knows.
    share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLoad:
    """How busy an engine says it is at this moment."""

    #: Requests being generated, and requests it holds back, over all its data-parallel ranks.
    running: int
    waiting: int
    #: The fullest rank's share of KV cache in use, 0 to 1; None where the engine does not say.
    kv_usage: float | None = None


class Engine(Protocol):
    """Something that answers prompts. Stateless: every request carries its whole prompt."""

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[Delta | Finish]]:
        """Start one generation; iterate for its text, ending with exactly one `Finish`.

        Leaving the context early, in whatever way, cancels the generation in the engine. A request is retried
        on the engine's side of this call only before its first byte, and never twice. Entering and iterating may
        raise any `EngineError`.
        """
        ...

    async def status(self) -> EngineStatus:
        """Tell the engine's state now; never raises for an engine that is down, and answers within two seconds."""
        ...

    async def load(self) -> EngineLoad:
        """Tell how busy the engine is now, within five seconds; raises `EngineError` where it does not say."""
        ...
