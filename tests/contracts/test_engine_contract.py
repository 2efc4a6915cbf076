"""What every engine must do, real or in memory: one suite, each implementation runs all of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from engine.base import ChatMessage, ChatRequest, Delta, Engine, EngineState, Finish, FinishReason, Role
from engine.client import EngineClient
from engine.errors import Deadline, EngineTimedOut, PromptTooLong
from engine.scripted import ScriptedEngine, steady, to_pieces
from engine.scripted_server import serve
from engine.transport import EngineAddress
from tests.fixtures.engine_requests import a_request
from tests.fixtures.eventually import eventually

STORY = "Tell me a very long story about a lighthouse, its keeper and the sea."
#: Enough for several blocks of any prefix cache.
LONG_PREFIX = "The keeper wrote the weather of each day into a book that nobody read. " * 16
#: Far less than a reply of ENDLESS tokens takes anywhere; a step that has begun is not broken off.
CANCELLED_WITHIN_S = 10.0
ENDLESS = 1500


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One engine under test, and what is known of it by another way."""

    engine: Engine
    model: str
    #: The text it will give, asked for without streaming.
    whole_reply: Callable[[ChatRequest], Awaitable[str]]
    #: How many generations it is busy with.
    running: Callable[[], Awaitable[int]]
    #: Batches round differently: greedy text is the same only alone.
    same_text_in_company: bool = True


def lighthouse(request: ChatRequest) -> str:
    """Answer at great length, differently to every prompt."""
    return f"{request.messages[-1].content[:40]} and on it went. " * 400


def in_memory() -> ScriptedEngine:
    return ScriptedEngine(lighthouse, pace=steady(first_s=0.01, each_s=0.01))


def known(engine: Engine, script: ScriptedEngine) -> Subject:
    async def whole_reply(request: ChatRequest) -> str:
        return "".join(to_pieces(lighthouse(request))[: request.max_tokens])

    async def running() -> int:
        return script.running

    return Subject(engine=engine, model="scripted", whole_reply=whole_reply, running=running)


@asynccontextmanager
async def scripted(_tmp_path: Path, _vllm: Any) -> AsyncIterator[Subject]:
    engine = in_memory()
    yield known(engine, engine)


@asynccontextmanager
async def client_over_tcp(_tmp_path: Path, _vllm: Any) -> AsyncIterator[Subject]:
    script = in_memory()
    async with serve(script) as url, EngineClient(url) as client:
        yield known(client, script)


@asynccontextmanager
async def client_over_unix(tmp_path: Path, _vllm: Any) -> AsyncIterator[Subject]:
    script = in_memory()
    async with serve(script, uds=tmp_path / "engine.sock") as url, EngineClient(url) as client:
        yield known(client, script)


@asynccontextmanager
async def client_of_vllm(_tmp_path: Path, vllm: Any) -> AsyncIterator[Subject]:
    address = EngineAddress.parse(vllm.url)

    async def whole_reply(request: ChatRequest) -> str:
        body = {
            "messages": [{"role": m.role.value, "content": m.content} for m in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": 0.0,
            "cache_salt": uuid4().hex,
        }
        async with (
            address.session(connect_s=2.0) as session,
            session.post(f"{address.base}/v1/chat/completions", json=body) as answer,
        ):
            return (await answer.json())["choices"][0]["message"]["content"]

    async with EngineClient(vllm.url) as client:

        async def running() -> int:
            load = await client.load()
            return load.running + load.waiting

        yield Subject(
            engine=client,
            model=vllm.model,
            whole_reply=whole_reply,
            running=running,
            same_text_in_company=False,
        )


@pytest.fixture(
    params=[
        scripted,
        client_over_tcp,
        client_over_unix,
        pytest.param(client_of_vllm, marks=pytest.mark.real_engine),
    ],
    ids=lambda implementation: implementation.__name__,
)
def implementation(request: pytest.FixtureRequest) -> Any:
    """Choose the implementation; vLLM is started only for the one that needs it."""
    vllm = request.getfixturevalue("vllm") if request.param is client_of_vllm else None
    return request.param, vllm


@pytest.fixture
async def subject(implementation: Any, tmp_path: Path) -> AsyncIterator[Subject]:
    build, vllm = implementation
    async with build(tmp_path, vllm) as subject:
        yield subject


def ask(text: str = STORY, **changes: Any) -> ChatRequest:
    limits = {"first_token_s": 60.0, "stall_s": 60.0, "total_s": 90.0, "max_tokens": 8}
    return a_request(text, **{"request_id": uuid4().hex, "cache_salt": uuid4().hex} | limits | changes)


async def collect(engine: Engine, request: ChatRequest) -> list[Delta | Finish]:
    async with engine.stream(request) as events:
        return [event async for event in events]


async def finish_of(engine: Engine, request: ChatRequest) -> Finish:
    last = (await collect(engine, request))[-1]
    assert isinstance(last, Finish)
    return last


async def idle(subject: Subject) -> None:
    """Wait until nothing is generated any more; a bound, because an engine announces it to nobody."""
    async with asyncio.timeout(CANCELLED_WITHIN_S):
        while await subject.running():
            await asyncio.sleep(0.02)


async def test_a_stream_is_pieces_of_text_and_one_finish_at_its_end(subject: Subject) -> None:
    *deltas, last = await collect(subject.engine, ask())
    assert isinstance(last, Finish)
    assert deltas
    assert all(isinstance(delta, Delta) and delta.text for delta in deltas)


async def test_the_pieces_joined_are_the_text(subject: Subject) -> None:
    request = ask()
    *deltas, _ = await collect(subject.engine, request)
    assert "".join(delta.text for delta in deltas) == await subject.whole_reply(request)


async def test_the_finish_says_what_it_cost(subject: Subject) -> None:
    short, long = [(await finish_of(subject.engine, ask(text))).usage for text in (STORY, STORY * 4)]
    assert 0 < short.prompt_tokens < long.prompt_tokens
    assert short.output_tokens == 8
    assert short.cached_tokens == 0


async def test_the_limit_of_tokens_cuts_the_reply(subject: Subject) -> None:
    finish = await finish_of(subject.engine, ask(max_tokens=3))
    assert (finish.reason, finish.usage.output_tokens) == (FinishReason.LENGTH, 3)


async def test_the_same_request_may_be_asked_again(subject: Subject) -> None:
    request = ask()
    first, second = await collect(subject.engine, request), await collect(subject.engine, request)
    assert [type(first[-1]), type(second[-1])] == [Finish, Finish]


async def test_a_known_prefix_is_counted_as_cached(subject: Subject) -> None:
    salt = uuid4().hex
    await collect(subject.engine, ask(LONG_PREFIX, cache_salt=salt))
    usage = (await finish_of(subject.engine, ask(LONG_PREFIX + STORY, cache_salt=salt))).usage
    assert 0 < usage.cached_tokens < usage.prompt_tokens


async def test_another_salt_shares_no_prefix(subject: Subject) -> None:
    await collect(subject.engine, ask(LONG_PREFIX))
    usage = (await finish_of(subject.engine, ask(LONG_PREFIX))).usage
    assert usage.cached_tokens == 0


async def test_every_role_and_every_optional_field_is_accepted(subject: Subject) -> None:
    messages = tuple(
        ChatMessage(role=role, content=content)
        for role, content in (
            (Role.SYSTEM, "You are kind."),
            (Role.USER, "Hello, I am Ana."),
            (Role.ASSISTANT, "Hello Ana."),
            (Role.USER, STORY),
        )
    )
    request = replace(ask(seed=7, priority=5, temperature=0.7), messages=messages)
    assert isinstance((await collect(subject.engine, request))[-1], Finish)


async def test_leaving_early_ends_the_generation(subject: Subject) -> None:
    async with subject.engine.stream(ask(max_tokens=ENDLESS)) as events:
        await anext(events)
        assert await subject.running() == 1
    await idle(subject)


async def test_leaving_before_the_first_token_ends_the_generation(subject: Subject) -> None:
    async with subject.engine.stream(ask(LONG_PREFIX, max_tokens=ENDLESS)):
        pass
    await idle(subject)


async def test_cancelling_the_reader_ends_the_generation(subject: Subject) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async with subject.engine.stream(ask(max_tokens=ENDLESS)) as events:
            async for _ in events:
                started.set()

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await idle(subject)


async def test_an_error_of_the_reader_ends_the_generation_and_passes_through(subject: Subject) -> None:
    class ReadersOwnError(Exception):
        pass

    async def fail() -> None:
        async with subject.engine.stream(ask(max_tokens=ENDLESS)) as events:
            await anext(events)
            raise ReadersOwnError

    with pytest.raises(ReadersOwnError):
        await fail()
    await idle(subject)


async def test_a_prompt_too_long_is_told_with_the_limit(subject: Subject) -> None:
    limit = (await subject.engine.status()).max_model_len
    assert limit is not None
    with pytest.raises(PromptTooLong) as raised:
        await collect(subject.engine, ask("word " * limit * 2))
    assert raised.value.max_model_len == limit


@pytest.mark.parametrize(
    ("limits", "deadline"),
    [
        pytest.param({"total_s": 0.5}, Deadline.TOTAL, id="total"),
        pytest.param({"first_token_s": 0.001}, Deadline.FIRST_TOKEN, id="first-token"),
    ],
)
async def test_a_clock_that_runs_out_ends_the_generation(
    subject: Subject, limits: dict[str, float], deadline: Deadline
) -> None:
    with pytest.raises(EngineTimedOut) as raised:
        await collect(subject.engine, ask(max_tokens=ENDLESS, **limits))
    assert raised.value.deadline is deadline
    await idle(subject)


async def test_a_ready_engine_says_so_with_its_model_and_its_context(subject: Subject) -> None:
    status = await subject.engine.status()
    assert (status.state, status.model) == (EngineState.READY, subject.model)
    assert status.max_model_len


async def test_an_engine_tells_how_busy_it_is(subject: Subject) -> None:
    async def busy_with(requests: int) -> bool:
        load = await subject.engine.load()
        return load.running + load.waiting == requests

    async with subject.engine.stream(ask(max_tokens=ENDLESS)) as events:
        await anext(events)
        await eventually(partial(busy_with, 1))
    await eventually(partial(busy_with, 0))


async def test_streams_at_the_same_time_do_not_mix(subject: Subject) -> None:
    requests = [ask(STORY, max_tokens=6), ask(LONG_PREFIX, max_tokens=9)]
    alone = [await collect(subject.engine, request) for request in requests]
    salted = [ask(STORY, max_tokens=6), ask(LONG_PREFIX, max_tokens=9)]
    together = await asyncio.gather(*(collect(subject.engine, request) for request in salted))
    assert [events[-1] for events in together] == [events[-1] for events in alone]
    if subject.same_text_in_company:
        assert together == alone
