"""What the engine says when it refuses or breaks off, read by one table into our own errors.

The sentences are those of vLLM 0.32 (`vllm/exceptions.py`, `vllm/renderers/params.py`,
`vllm/v1/engine/input_processor.py`). They may quote the prompt, so none of their text is passed on.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import (
    EngineError,
    EngineFailed,
    EngineMisbehaved,
    EngineNotReady,
    EngineOverloaded,
    PromptTooLong,
    RequestRejected,
)

_IDENTIFIER = re.compile(r"[\w.\[\]-]{1,60}")
#: How a prompt that does not fit is put. `limit` and `prompt` are tokens; a count of characters is not taken.
_TOO_LONG = (
    re.compile(
        r"This model's maximum context length is (?P<limit>\d+) tokens"
        r"(?:\. However, your prompt contains (?P<prompt>\d+) input tokens)?"
    ),
    re.compile(
        r"The \w+ prompt \(length (?P<prompt>\d+)\) (?:is|plus)[^.]{0,80} longer than the maximum "
        r"model length of (?P<limit>\d+)"
    ),
    re.compile(r"Input length \((?P<prompt>\d+)\) exceeds model's maximum context length \((?P<limit>\d+)\)"),
    re.compile(r"max_(?:completion_)?tokens=\d+ cannot be greater than max_model_len=(?P<limit>\d+)"),
    # A validation error quotes its input: only the beginning of a first line is the engine's own wording.
    re.compile(r"(?!\d+ validation error)[^\n]{0,80}maximum context length"),
)
_BUSY = re.compile(r"The engine (?:is currently busy|has reached its prefill token backlog limit)")
_BROKE_OFF = re.compile(r"Request failed; please retry")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was said: the status (of the answer, or named inside the stream) and the error's own fields."""

    status: int
    message: str = ""
    kind: str = ""
    parameter: str = ""

    @classmethod
    def from_json(cls, status: int, payload: Any) -> "Refusal":
        """Read an error object in any shape an engine or a proxy before it sends."""
        error = payload.get("error") if isinstance(payload, dict) else None
        if isinstance(error, str):
            return cls(status, error)
        if not isinstance(error, dict):
            return cls(status)
        return cls(status, _string(error, "message"), _string(error, "type"), _string(error, "param"))

    @classmethod
    def from_body(cls, status: int, body: bytes) -> "Refusal":
        """Read a whole answer's body, which need not be JSON."""
        try:
            return cls.from_json(status, json.loads(body))
        except ValueError:
            return cls(status)

    def to_error(self) -> EngineError:
        """Return the error that tells the caller what to do next."""
        for row in _TABLE:
            if self.status in row.statuses and (row.says is None or row.says.match(self.message)):
                return row.error(self)
        return EngineMisbehaved(f"the engine answered with status {self.status}")


@dataclass(frozen=True, slots=True)
class _Row:
    statuses: range | tuple[int, ...]
    says: re.Pattern[str] | None
    error: Callable[[Refusal], EngineError]


def _too_long(refusal: Refusal) -> EngineError:
    found = next(match for pattern in _TOO_LONG if (match := pattern.match(refusal.message)))
    numbers = found.groupdict()
    return PromptTooLong(max_model_len=_number(numbers, "limit"), prompt_tokens=_number(numbers, "prompt"))


def _rejected(refusal: Refusal) -> EngineError:
    words = [word for word in (refusal.kind, refusal.parameter) if _IDENTIFIER.fullmatch(word)]
    return RequestRejected(refusal.status, " at ".join(words) or "no reason given")


def _key_refused(refusal: Refusal) -> EngineError:
    return RequestRejected(refusal.status, "it does not accept the API key")


def _overloaded(refusal: Refusal) -> EngineError:
    return EngineOverloaded(f"the engine's queue is full (status {refusal.status})")


def _not_ready(refusal: Refusal) -> EngineError:
    return EngineNotReady(f"the engine is not serving yet or no longer (status {refusal.status})")


def _failed(refusal: Refusal) -> EngineError:
    # Also an engine that has just died: whether this very request killed it cannot be told, and a request
    # that kills engines must use up its attempts.
    return EngineFailed(f"the engine failed with status {refusal.status}")


#: First match wins; `says` is matched at the beginning of the message.
_TABLE = (
    *(_Row((400, 413, 422), pattern, _too_long) for pattern in _TOO_LONG),
    _Row((401, 403), None, _key_refused),
    # Queue limits of proxies and routers, which only ask for patience.
    _Row((408, 429), None, _overloaded),
    _Row((503,), _BUSY, _overloaded),
    _Row((503,), _BROKE_OFF, _failed),
    _Row((503,), None, _not_ready),
    _Row(range(400, 500), None, _rejected),
    _Row(range(500, 600), None, _failed),
)


def _string(error: Mapping[str, Any], field: str) -> str:
    value = error.get(field)
    return value if isinstance(value, str) else ""


def _number(numbers: Mapping[str, str | None], name: str) -> int | None:
    value = numbers.get(name)
    return int(value) if value is not None else None
