"""The other side of `engine/wire.py`: what the scripted server reads and writes, in vLLM 0.32's words."""

import math
from http import HTTPStatus
from typing import Any, Literal, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.base import ChatMessage, ChatRequest, Role, Usage
from engine.errors import EngineError, EngineNotReady, EngineOverloaded, PromptTooLong, RequestRejected


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Message(_Strict):
    role: Role
    content: str


class _StreamOptions(_Strict):
    include_usage: Literal[True]


class CompletionBody(_Strict):
    """The body of a streamed chat completion: the fields this project sends, and no other."""

    messages: list[_Message] = Field(min_length=1)
    max_tokens: int = Field(ge=1)
    temperature: float = Field(ge=0)
    stream: Literal[True]
    stream_options: _StreamOptions
    request_id: str = Field(default_factory=lambda: uuid4().hex, min_length=1)
    model: str | None = None
    seed: int | None = None
    cache_salt: str | None = Field(default=None, min_length=1, max_length=1024)
    priority: int = 0

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read a body; raises `RequestRejected` that names each field at fault."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as exc:
            raise RequestRejected(HTTPStatus.BAD_REQUEST, _where(exc)) from exc

    def to_request(self) -> ChatRequest:
        """Return the request it stands for; its clocks are the client's, so there are none here."""
        return ChatRequest(
            request_id=self.request_id,
            messages=tuple(ChatMessage(role=m.role, content=m.content) for m in self.messages),
            max_tokens=self.max_tokens,
            first_token_s=math.inf,
            stall_s=math.inf,
            total_s=math.inf,
            temperature=self.temperature,
            seed=self.seed,
            cache_salt=self.cache_salt,
            priority=self.priority,
        )


def to_error_body(error: EngineError) -> dict[str, Any]:
    """Write an error as vLLM 0.32 words it."""
    status, kind, message = _worded(error)
    return {"error": {"message": message, "type": kind, "param": None, "code": int(status)}}


def _worded(error: EngineError) -> tuple[int, str, str]:
    if isinstance(error, PromptTooLong):
        sentence = (
            f"This model's maximum context length is {error.max_model_len} tokens. However, your prompt "
            f"contains {error.prompt_tokens} input tokens, which exceeds this limit even without any output "
            "tokens. Please reduce the length of the input prompt."
        )
        return HTTPStatus.BAD_REQUEST, "BadRequestError", sentence
    if isinstance(error, EngineOverloaded):
        sentence = "The engine is currently busy and cannot accept new requests."
        return HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable", sentence
    if isinstance(error, EngineNotReady):
        return HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable", str(error)
    if isinstance(error, RequestRejected):
        return error.status, "BadRequestError", str(error)
    return HTTPStatus.INTERNAL_SERVER_ERROR, "InternalServerError", str(error)


def to_usage(usage: Usage) -> dict[str, Any]:
    """Write what a generation cost."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.prompt_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def _where(exc: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in exc.errors(include_input=False))
