"""The engine's own format: a request as the body it takes, its stream as our deltas and finish.

vLLM 0.32, `POST /v1/chat/completions` with `stream` and `stream_options.include_usage`
(`vllm/entrypoints/openai/chat_completion/protocol.py`).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.base import ChatRequest, Delta, Finish, FinishReason, Usage
from engine.errors import EngineError, EngineFailed, EngineMisbehaved
from engine.refusal import Refusal
from engine.sse import SseDecoder

_END = "[DONE]"
_SERVER_ERROR = 500
#: The reasons that mean the engine gave up, not that the model ended.
_BROKEN_OFF = frozenset({"abort", "error"})


def to_body(request: ChatRequest, *, model: str | None = None) -> bytes:
    """Write a request as the JSON body of a streamed chat completion.

    Without a model the engine uses the one it serves. What is unset is left out: a priority other than zero
    is an error to an engine without `--scheduling-policy priority`.
    """
    body: dict[str, Any] = {
        "messages": [{"role": m.role.value, "content": m.content} for m in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        # In the body, not as a header: routers spread requests by X-Request-Id where no session id is given.
        "request_id": request.request_id,
    }
    optional = {"model": model, "seed": request.seed, "cache_salt": request.cache_salt}
    body |= {name: value for name, value in optional.items() if value is not None}
    if request.priority:
        body["priority"] = request.priority
    return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of the stream: a piece of text, the reason it ended, its cost; each may be missing."""

    text: str = ""
    reason: FinishReason | None = None
    usage: Usage | None = None


def read_chunk(data: str) -> Chunk:
    """Read the data of one event.

    Raises the error an error object stands for, `EngineFailed` where the engine gave up, and
    `EngineMisbehaved` for anything that is not a chunk.
    """
    payload = _json_object(data)
    if "error" in payload:
        raise _error_in_stream(payload)
    try:
        usage = _usage(payload.get("usage"))
        choices = payload["choices"]
        if not choices:
            return Chunk(usage=usage)
        text = choices[0]["delta"].get("content") or ""
        reason = _reason(choices[0].get("finish_reason"))
    except (AttributeError, IndexError, KeyError, TypeError) as exc:
        raise EngineMisbehaved("the engine sent a chunk of an unknown shape") from exc
    if not isinstance(text, str):
        raise EngineMisbehaved("the engine sent content that is not text")
    return Chunk(text, reason, usage)


class ReplyReader:
    """The stream of one reply: bytes in, deltas and at last one `Finish` out."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._decoder = SseDecoder()
        self._reason: FinishReason | None = None
        self._usage: Usage | None = None
        #: Whether the `Finish` was returned; nothing follows it.
        self.finished = False
        #: How many chunks came, also those without text; keep-alive comments are none.
        self.chunks = 0

    def feed(self, data: bytes) -> Iterator[Delta | Finish]:
        """Take the next bytes and yield what they hold; iterate to the end before feeding more.

        Raises as `read_chunk` and `SseDecoder.feed` do, after what came before the fault.
        """
        for event in self._decoder.feed(data):
            if self.finished:
                break
            if event.data == _END:
                self.end()
            yield from self._take(read_chunk(event.data))

    def end(self) -> None:
        """Say that the engine sent all it has; raises for a stream that is not finished."""
        if self.finished:
            return
        if self._reason is None:
            raise EngineFailed("the engine ended the stream before the reply was finished")
        raise EngineMisbehaved("the engine did not say what the reply cost (stream_options.include_usage)")

    def _take(self, chunk: Chunk) -> Iterator[Delta | Finish]:
        self.chunks += 1
        self._reason = chunk.reason or self._reason
        self._usage = chunk.usage or self._usage
        if chunk.text:
            yield Delta(chunk.text)
        if self._reason is not None and self._usage is not None:
            self.finished = True
            yield Finish(self._reason, self._usage)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model the engine serves: its name and the tokens its context holds, where the engine says so."""

    name: str
    max_model_len: int | None


def read_models(body: bytes) -> tuple[ServedModel, ...]:
    """Read the answer of `GET /v1/models`; raises `EngineMisbehaved` for anything else."""
    payload = _json_object(body)
    try:
        return tuple(
            ServedModel(_name(card["id"]), _length(card.get("max_model_len"))) for card in payload["data"]
        )
    except (AttributeError, KeyError, TypeError) as exc:
        raise EngineMisbehaved("the engine's list of models has an unknown shape") from exc


def _json_object(data: str | bytes) -> dict[str, Any]:
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise EngineMisbehaved("the engine sent something that is not JSON") from exc
    if not isinstance(payload, dict):
        raise EngineMisbehaved("the engine sent JSON that is not an object")
    return payload


def _error_in_stream(payload: dict[str, Any]) -> EngineError:
    error = payload["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return Refusal.from_json(code if isinstance(code, int) else _SERVER_ERROR, payload).to_error()


def _reason(value: Any) -> FinishReason | None:
    if value is None:
        return None
    if value in _BROKEN_OFF:
        raise EngineFailed("the engine gave the reply up")
    try:
        return FinishReason(value)
    except ValueError as exc:
        raise EngineMisbehaved("the engine ended the reply for a reason unknown to us") from exc


def _usage(value: Any) -> Usage | None:
    if value is None:
        return None
    # Engines without --enable-prompt-tokens-details do not say what the cache gave.
    cached = (value.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return Usage(
        prompt_tokens=_count(value["prompt_tokens"]),
        cached_tokens=_count(cached),
        output_tokens=_count(value["completion_tokens"]),
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise EngineMisbehaved("the engine sent a token count that is not a number of tokens")
    return value


def _length(value: object) -> int | None:
    return None if value is None else _count(value)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise EngineMisbehaved("the engine serves a model without a name")
    return value
