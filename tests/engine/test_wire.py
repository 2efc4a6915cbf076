"""Requests, chunks, models and refusals in the engine's own format."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base import ChatMessage, Delta, Finish, FinishReason, Role, Usage
from engine.errors import (
    EngineError,
    EngineFailed,
    EngineMisbehaved,
    EngineNotReady,
    EngineOverloaded,
    PromptTooLong,
    RequestRejected,
)
from engine.refusal import Refusal
from engine.wire import Chunk, ReplyReader, ServedModel, read_chunk, read_models, to_body
from tests.fixtures.engine_requests import PLAIN, a_request

SECRET = "the surgeon said seven"  # noqa: S105 - stands for what people write


def body(**changes: Any) -> dict[str, Any]:
    return json.loads(to_body(a_request(**changes)))


def test_a_plain_request_has_exactly_these_fields() -> None:
    assert body() == {
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 64,
        "temperature": 0.0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "request_id": "r1",
    }


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({"seed": 0}, "seed", 0, id="seed-zero-counts"),
        pytest.param({"cache_salt": "ab12"}, "cache_salt", "ab12", id="salt"),
        pytest.param({"priority": -1}, "priority", -1, id="priority"),
    ],
)
def test_what_is_set_is_sent(changes: dict[str, Any], field: str, value: object) -> None:
    assert body(**changes)[field] == value


def test_the_model_is_sent_where_one_is_chosen() -> None:
    assert json.loads(to_body(PLAIN, model="llama"))["model"] == "llama"


@given(st.lists(st.tuples(st.sampled_from(Role), st.text()), max_size=5))
def test_messages_arrive_as_they_were(messages: list[tuple[Role, str]]) -> None:
    sent = tuple(ChatMessage(role=role, content=content) for role, content in messages)
    read = json.loads(to_body(replace(PLAIN, messages=sent)))["messages"]
    assert [(m["role"], m["content"]) for m in read] == [(m.role.value, m.content) for m in sent]


def test_a_half_surrogate_does_not_stop_the_request_from_being_written() -> None:
    assert b"\\ud83d" in to_body(a_request("\ud83d"))


def chunk(text: str | None = "", reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": "x", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}], **more}


USAGE = {"prompt_tokens": 12, "total_tokens": 15, "completion_tokens": 3}
COST = Usage(prompt_tokens=12, cached_tokens=0, output_tokens=3)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(chunk("Hi"), Chunk("Hi"), id="text"),
        pytest.param(chunk(None), Chunk(), id="no-content"),
        pytest.param({"choices": [{"delta": {"role": "assistant"}}]}, Chunk(), id="role-only"),
        pytest.param(chunk("", "stop"), Chunk(reason=FinishReason.STOP), id="stop"),
        pytest.param(chunk("!", "length"), Chunk("!", FinishReason.LENGTH), id="length-with-text"),
        pytest.param({"choices": [], "usage": USAGE}, Chunk(usage=COST), id="usage-without-cache"),
        pytest.param(
            {"choices": [], "usage": USAGE | {"prompt_tokens_details": {"cached_tokens": 8}}},
            Chunk(usage=Usage(prompt_tokens=12, cached_tokens=8, output_tokens=3)),
            id="usage-with-cache",
        ),
        pytest.param(
            {"choices": [], "usage": USAGE | {"prompt_tokens_details": None}},
            Chunk(usage=COST),
            id="null-details",
        ),
        pytest.param(chunk("a", usage=None), Chunk("a"), id="null-usage"),
    ],
)
def test_chunks(payload: dict[str, Any], expected: Chunk) -> None:
    assert read_chunk(json.dumps(payload)) == expected


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param("not json", EngineMisbehaved, id="garbage"),
        pytest.param("[" * 100_000, EngineMisbehaved, id="too-deep"),
        pytest.param("[]", EngineMisbehaved, id="not-an-object"),
        pytest.param("{}", EngineMisbehaved, id="no-choices"),
        pytest.param('{"choices": [{}]}', EngineMisbehaved, id="no-delta"),
        pytest.param('{"choices": {"a": 1}}', EngineMisbehaved, id="choices-not-a-list"),
        pytest.param('{"choices": [{"delta": {"content": 7}}]}', EngineMisbehaved, id="content-not-text"),
        pytest.param(json.dumps(chunk("", "tool_calls")), EngineMisbehaved, id="unknown-reason"),
        pytest.param(json.dumps(chunk("", ["stop"])), EngineMisbehaved, id="reason-not-text"),
        pytest.param(json.dumps(chunk("", "abort")), EngineFailed, id="aborted"),
        pytest.param(json.dumps(chunk("", "error")), EngineFailed, id="gave-up"),
        pytest.param(
            '{"choices": [], "usage": {"prompt_tokens": "3"}}', EngineMisbehaved, id="count-not-a-number"
        ),
        pytest.param('{"choices": [], "usage": {}}', EngineMisbehaved, id="usage-empty"),
        pytest.param('{"error": {"message": "boom", "code": 500}}', EngineFailed, id="error-500"),
        pytest.param('{"error": "boom"}', EngineFailed, id="error-without-code"),
    ],
)
def test_what_is_no_chunk_raises(data: str, error: type[EngineError]) -> None:
    with pytest.raises(error):
        read_chunk(data)


def test_an_error_inside_the_stream_is_read_by_the_same_table() -> None:
    said = {"error": {"message": "The engine is currently busy and cannot", "type": "x", "code": 503}}
    with pytest.raises(EngineOverloaded):
        read_chunk(json.dumps(said))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "delta", "content", "usage", "error", "code", "finish_reason", "message"]
                ),
                x,
            )
        ),
    )
)
def test_no_json_whatever_raises_anything_but_engine_errors(payload: object) -> None:
    for data in (payload, {"choices": payload}, {"choices": [payload]}, {"choices": [], "usage": payload}):
        try:
            read_chunk(json.dumps(data))
        except EngineError:
            continue


def stream(*payloads: object) -> bytes:
    return "".join(f"data: {p if isinstance(p, str) else json.dumps(p)}\n\n" for p in payloads).encode()


WHOLE = stream(
    chunk(""), chunk("Hel"), chunk("lo"), chunk("", "stop"), {"choices": [], "usage": USAGE}, "[DONE]"
)


@given(st.integers(min_value=1, max_value=len(WHOLE)))
def test_a_reply_is_its_deltas_and_one_finish_however_it_was_cut(size: int) -> None:
    reader = ReplyReader()
    events = [event for i in range(0, len(WHOLE), size) for event in reader.feed(WHOLE[i : i + size])]
    reader.end()
    assert events == [Delta("Hel"), Delta("lo"), Finish(FinishReason.STOP, COST)]


def test_a_stream_that_ends_unfinished_failed() -> None:
    reader = ReplyReader()
    list(reader.feed(stream(chunk("Hel"))))
    with pytest.raises(EngineFailed, match="before the reply was finished"):
        reader.end()


def test_what_came_before_an_error_in_the_stream_is_out_first() -> None:
    events = ReplyReader().feed(stream(chunk("Hel"), {"error": {"message": "boom", "code": 500}}))
    assert next(events) == Delta("Hel")
    with pytest.raises(EngineFailed):
        next(events)


def test_done_without_a_reason_failed() -> None:
    with pytest.raises(EngineFailed):
        list(ReplyReader().feed(stream(chunk("Hel"), "[DONE]")))


def test_an_engine_that_counts_nothing_is_told_so() -> None:
    with pytest.raises(EngineMisbehaved, match="include_usage"):
        list(ReplyReader().feed(stream(chunk("Hel", "stop"), "[DONE]")))


def test_keep_alive_comments_are_no_progress() -> None:
    reader = ReplyReader()
    assert list(reader.feed(b": keep-alive\n\n: keep-alive\n\n")) == []
    assert reader.chunks == 0


def test_models() -> None:
    served = {"data": [{"id": "llama", "max_model_len": 8192}, {"id": "other"}]}
    assert read_models(json.dumps(served).encode()) == (
        ServedModel("llama", 8192),
        ServedModel("other", None),
    )


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"data": 3}', b'{"data": [{"id": 3}]}', b"<html>"])
def test_what_is_no_list_of_models_raises(answer: bytes) -> None:
    with pytest.raises(EngineMisbehaved):
        read_models(answer)


CONTEXT = "This model's maximum context length is 2048 tokens. However, your prompt contains "


@pytest.mark.parametrize(
    ("message", "limit", "prompt"),
    [
        pytest.param(
            CONTEXT + "2500 input tokens, which exceeds this limit even without any output tokens.",
            2048,
            2500,
            id="tokens",
        ),
        # The tokenizer stopped counting: the number is not the prompt's length.
        pytest.param(CONTEXT + "at least 2049 input tokens, which exceeds", 2048, None, id="at-least"),
        pytest.param(CONTEXT + "90000 characters (more than 80000 characters", 2048, None, id="characters"),
        pytest.param(
            "The decoder prompt (length 3000) is longer than the maximum model length of 2048. Make sure",
            2048,
            3000,
            id="decoder",
        ),
        pytest.param(
            "The decoder prompt (length 2048) plus the number of requested output tokens (at least 1) is "
            "longer than the maximum model length of 2048. Make sure",
            2048,
            2048,
            id="no-room-for-output",
        ),
        pytest.param(
            "Input length (3000) exceeds model's maximum context length (2048).",
            2048,
            3000,
            id="input-length",
        ),
        pytest.param(
            "max_tokens=9000 cannot be greater than max_model_len=2048. Please request fewer output tokens.",
            2048,
            None,
            id="reply-alone",
        ),
        pytest.param("prompt exceeds the maximum context length", None, None, id="other-words"),
    ],
)
def test_a_prompt_too_long_carries_the_numbers_it_names(
    message: str, limit: int | None, prompt: int | None
) -> None:
    error = Refusal(400, message, "BadRequestError").to_error()
    assert isinstance(error, PromptTooLong)
    assert (error.max_model_len, error.prompt_tokens) == (limit, prompt)


def said(message: str, kind: str = "", param: str | None = None) -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": param, "code": 0}}).encode()


BUSY = "The engine is currently busy and cannot accept new requests. Please try again later"
BACKLOG = "The engine has reached its prefill token backlog limit. Please try again later"
SCALING = b'{"error": "The model is currently scaling. Please try again later."}'


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        pytest.param(503, said(BUSY, "Service Unavailable"), EngineOverloaded, id="queue-full"),
        pytest.param(503, said(BACKLOG, "Service Unavailable"), EngineOverloaded, id="backlog-full"),
        pytest.param(503, said("Request failed; please retry"), EngineFailed, id="broke-off"),
        pytest.param(503, SCALING, EngineNotReady, id="scaling"),
        pytest.param(503, b"", EngineNotReady, id="503-empty"),
        pytest.param(503, b"<html>upstream</html>", EngineNotReady, id="503-proxy"),
        pytest.param(429, b"", EngineOverloaded, id="429"),
        pytest.param(408, b"", EngineOverloaded, id="408"),
        pytest.param(400, said("bad", "BadRequestError"), RequestRejected, id="400"),
        pytest.param(401, b'{"error": "Unauthorized"}', RequestRejected, id="401"),
        pytest.param(404, said("The model `x` does not exist.", "NotFoundError"), RequestRejected, id="404"),
        pytest.param(422, b"", RequestRejected, id="422"),
        pytest.param(500, said("EngineCore encountered an issue."), EngineFailed, id="500"),
        pytest.param(502, b"<html>", EngineFailed, id="502"),
        pytest.param(302, b"", EngineMisbehaved, id="redirect"),
        pytest.param(200, b"", EngineMisbehaved, id="not-a-refusal"),
    ],
)
def test_refusals(status: int, answer: bytes, error: type[EngineError]) -> None:
    assert type(Refusal.from_body(status, answer).to_error()) is error


def test_a_quoted_prompt_does_not_make_it_too_long() -> None:
    message = f"1 validation error:\n  {{'input': 'my maximum context length is long, {SECRET}'}}"
    assert isinstance(Refusal(400, message).to_error(), RequestRejected)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 408, 413, 429, 500, 503])
def test_no_word_of_the_prompt_passes_into_an_error(status: int) -> None:
    told = str(Refusal(status, SECRET, SECRET, SECRET).to_error())
    assert not any(word in told for word in ("surgeon", "seven"))


def test_a_rejection_says_where_the_fault_is() -> None:
    told = str(Refusal(400, SECRET, "BadRequestError", "messages[0].content").to_error())
    assert told == "the engine rejected the request with status 400: BadRequestError at messages[0].content"
