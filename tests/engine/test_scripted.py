"""The engine in memory does what it is told, and keeps what was done to it."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.base import ChatRequest, Delta, EngineLoad, EngineState, Finish, FinishReason, Usage
from engine.errors import Deadline, EngineFailed, EngineNotReady, EngineTimedOut, PromptTooLong
from engine.scripted import ScriptedEngine, steady, to_pieces
from engine.scripted_cache import BLOCK_TOKENS, CHARS_PER_TOKEN, PrefixCache
from tests.fixtures.engine_requests import PLAIN, a_request

BLOCK = "b" * BLOCK_TOKENS * CHARS_PER_TOKEN


async def collect(engine: ScriptedEngine, request: ChatRequest = PLAIN) -> list[Delta | Finish]:
    async with engine.stream(request) as events:
        return [event async for event in events]


async def said(engine: ScriptedEngine, request: ChatRequest = PLAIN) -> str:
    return "".join(event.text for event in await collect(engine, request) if isinstance(event, Delta))


async def test_fixed_pieces_are_given_as_they_are() -> None:
    *deltas, finish = await collect(ScriptedEngine(["Hel", "lo"]))
    assert deltas == [Delta("Hel"), Delta("lo")]
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.usage.output_tokens) == (FinishReason.STOP, 2)


async def test_a_function_answers_the_request_it_is_given() -> None:
    assert await said(ScriptedEngine(lambda request: f"{request.request_id}!")) == "r1!"


async def test_without_a_script_the_last_message_comes_back() -> None:
    assert await said(ScriptedEngine(), a_request("say this")) == "say this"


@given(st.text())
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(to_pieces(text)) == text


@given(st.text())
def test_no_piece_is_empty(text: str) -> None:
    assert all(to_pieces(text))


async def test_the_pace_is_asked_before_every_piece_and_before_the_end() -> None:
    asked: list[int] = []

    async def pace(_request: ChatRequest, n: int) -> None:
        asked.append(n)

    await collect(ScriptedEngine(["a", "b"], pace=pace))
    assert asked == [0, 1, 2]


async def test_a_steady_pace_sleeps_by_the_sleep_it_is_given() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    await collect(ScriptedEngine(["a", "b"], pace=steady(first_s=2.0, each_s=1.0, sleep=sleep)))
    assert slept == [2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("after", "before"),
    [
        pytest.param(0, [], id="refused"),
        pytest.param(1, ["a"], id="after-one"),
        pytest.param(2, ["a", "b"], id="after-the-last"),
        pytest.param(9, ["a", "b"], id="later-than-the-reply-is-long"),
    ],
)
async def test_a_failure_comes_after_so_many_pieces(after: int, before: list[str]) -> None:
    engine, heard = ScriptedEngine(["a", "b"]), []
    engine.fail_next(EngineFailed("broke"), after=after)
    with contextlib.suppress(EngineFailed):
        async with engine.stream(PLAIN) as events:
            async for event in events:
                heard.append(event)  # noqa: PERF401 - it breaks off
    assert heard == [Delta(text) for text in before]
    assert (list(engine.failed), list(engine.finished), engine.running) == (["r1"], [], 0)


async def test_failures_are_used_up_in_order() -> None:
    engine = ScriptedEngine(["a"])
    engine.fail_next(EngineFailed("first"))
    engine.fail_next(EngineNotReady("second"))
    for error in (EngineFailed, EngineNotReady):
        with pytest.raises(error):
            await collect(engine)
    assert await said(engine) == "a"


async def test_a_refusal_is_raised_on_entering() -> None:
    engine = ScriptedEngine(["a"])
    engine.fail_next(EngineFailed("no"))
    with pytest.raises(EngineFailed):
        await engine.stream(PLAIN).__aenter__()


@pytest.mark.parametrize("state", [state for state in EngineState if state is not EngineState.READY])
async def test_only_a_ready_engine_answers(state: EngineState) -> None:
    engine = ScriptedEngine(["a"])
    engine.set_status(state, detail="because")
    with pytest.raises(EngineNotReady):
        await collect(engine)
    status = await engine.status()
    assert (status.state, status.detail, status.model) == (state, "because", "scripted")


async def test_what_was_left_early_is_kept_as_cancelled() -> None:
    engine = ScriptedEngine(["a", "b"])
    async with engine.stream(PLAIN) as events:
        await anext(events)
        assert engine.running == 1
    assert (list(engine.cancelled), list(engine.finished), engine.running) == (["r1"], [], 0)


async def test_what_was_read_to_the_end_is_kept_as_finished() -> None:
    engine = ScriptedEngine(["a"])
    await collect(engine)
    assert (list(engine.requests), list(engine.finished), list(engine.cancelled)) == ([PLAIN], ["r1"], [])


async def test_a_test_can_wait_for_what_happens() -> None:
    release = asyncio.Event()

    async def hold(_request: ChatRequest, _n: int) -> None:
        await release.wait()

    engine = ScriptedEngine(["a"], pace=hold)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(collect(engine))
        await engine.until(lambda: engine.running == 1)
        release.set()
        await engine.until(lambda: "r1" in engine.finished)


async def test_old_records_make_room() -> None:
    engine = ScriptedEngine(["a"], history=2)
    for n in range(5):
        await collect(engine, a_request(request_id=f"r{n}"))
    assert list(engine.finished) == ["r3", "r4"]


@pytest.mark.parametrize(
    ("limits", "held", "deadline"),
    [
        pytest.param({"first_token_s": 0.02}, 0, Deadline.FIRST_TOKEN, id="first-token"),
        pytest.param({"stall_s": 0.02}, 1, Deadline.STALL, id="stall"),
        pytest.param({"total_s": 0.02}, 1, Deadline.TOTAL, id="total"),
        pytest.param({"stall_s": 0.02}, 2, Deadline.STALL, id="no-end"),
    ],
)
async def test_the_clocks_are_those_of_every_engine(
    limits: dict[str, float], held: int, deadline: Deadline
) -> None:
    async def pace(_request: ChatRequest, n: int) -> None:
        if n == held:
            await asyncio.Event().wait()

    engine = ScriptedEngine(["a", "b"], pace=pace)
    with pytest.raises(EngineTimedOut) as raised:
        await collect(engine, a_request(**limits))
    assert (raised.value.deadline, list(engine.failed)) == (deadline, ["r1"])


@pytest.mark.parametrize(
    ("letters", "fits"),
    [pytest.param(4 * 99 - 30, True, id="fits"), pytest.param(4 * 100, False, id="too-long")],
)
async def test_a_prompt_has_to_leave_room_for_a_reply(letters: int, fits: bool) -> None:
    engine = ScriptedEngine(["a"], max_model_len=100)
    if fits:
        assert await said(engine, a_request("x" * letters)) == "a"
        return
    with pytest.raises(PromptTooLong) as raised:
        await collect(engine, a_request("x" * letters))
    assert raised.value.max_model_len == 100
    assert raised.value.prompt_tokens is not None
    assert raised.value.prompt_tokens >= 100


async def test_the_context_bounds_the_reply_too() -> None:
    engine = ScriptedEngine(["a"] * 1000, max_model_len=50)
    finish = (await collect(engine, a_request(max_tokens=900)))[-1]
    assert isinstance(finish, Finish)
    assert finish.reason is FinishReason.LENGTH
    assert finish.usage.prompt_tokens + finish.usage.output_tokens == 50


def usage(events: list[Delta | Finish]) -> Usage:
    assert isinstance(events[-1], Finish)
    return events[-1].usage


async def test_an_appended_chat_reuses_all_but_its_newest_blocks() -> None:
    engine = ScriptedEngine([BLOCK])
    first = a_request(BLOCK * 4, cache_salt="s")
    assert usage(await collect(engine, first)).cached_tokens == 0
    again = usage(await collect(engine, first))
    assert again.prompt_tokens - 2 * BLOCK_TOKENS < again.cached_tokens < again.prompt_tokens


@pytest.mark.parametrize(
    ("salt", "text", "blocks"),
    [
        pytest.param("a", BLOCK * 3 + "x", 3, id="appended"),
        pytest.param("a", BLOCK * 3, 2, id="the-end-is-always-computed"),
        pytest.param("a", BLOCK * 2 + BLOCK.upper(), 2, id="changed-at-the-end"),
        pytest.param("a", "x" + BLOCK * 3, 0, id="changed-in-front"),
        pytest.param("b", BLOCK * 3 + "x", 0, id="another-salt"),
        pytest.param(None, BLOCK * 3 + "x", 0, id="no-salt"),
    ],
)
def test_the_prefix_cache_counts_whole_blocks_from_the_front(
    salt: str | None, text: str, blocks: int
) -> None:
    cache = PrefixCache()
    cache.remember("a", BLOCK * 3)
    assert cache.cached_tokens(salt, text) == blocks * BLOCK_TOKENS


def test_the_prefix_cache_forgets_the_oldest_first() -> None:
    cache = PrefixCache(max_blocks=2)
    cache.remember("old", BLOCK)
    cache.remember("new", BLOCK * 2)
    assert [cache.cached_tokens(salt, BLOCK * 2 + "x") for salt in ("old", "new")] == [0, 2 * BLOCK_TOKENS]


async def test_beyond_its_capacity_requests_wait_in_order_and_it_says_how_many() -> None:
    go_on = asyncio.Event()

    async def pace(_request: ChatRequest, _n: int) -> None:
        await go_on.wait()

    engine = ScriptedEngine(["a"], pace=pace, capacity=2)
    asking = [asyncio.ensure_future(collect(engine, a_request("x", request_id=f"r{n}"))) for n in range(5)]
    await engine.until(lambda: engine.running == 5)
    assert await engine.load() == EngineLoad(running=2, waiting=3)
    go_on.set()
    await asyncio.gather(*asking)
    assert list(engine.finished) == [f"r{n}" for n in range(5)]
    assert await engine.load() == EngineLoad(running=0, waiting=0)


async def test_the_wait_for_a_place_is_a_wait_for_the_first_token() -> None:
    async def never(_request: ChatRequest, _n: int) -> None:
        await asyncio.Event().wait()

    engine = ScriptedEngine(["a"], pace=never, capacity=1)
    first = asyncio.ensure_future(collect(engine))
    await engine.until(lambda: engine.running == 1)
    with pytest.raises(EngineTimedOut) as raised:
        await collect(engine, a_request("x", first_token_s=0.01))
    assert raised.value.deadline is Deadline.FIRST_TOKEN
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    assert (await engine.load()).running == 0
