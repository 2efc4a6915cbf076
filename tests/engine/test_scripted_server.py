"""The scripted server is strict where vLLM would mind, and runs from the command line."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.base import Delta, EngineState, Finish
from engine.client import EngineClient
from engine.errors import (
    EngineError,
    EngineFailed,
    EngineNotReady,
    EngineOverloaded,
    PromptTooLong,
    RequestRejected,
)
from engine.scripted import ScriptedEngine
from engine.scripted_server import serve
from engine.wire import to_body
from tests.fixtures.engine_requests import PLAIN, a_request

ROOT = Path(__file__).parents[2]


async def post(url: str, body: object) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/chat/completions", json=body) as answer,
    ):
        return answer.status, json.loads(await answer.text()) if answer.status != 200 else None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"max_token": 5}, "max_token", id="unknown-field"),
        pytest.param({"max_tokens": "5"}, "max_tokens", id="number-as-text"),
        pytest.param({"max_tokens": 0}, "max_tokens", id="no-tokens"),
        pytest.param({"messages": []}, "messages", id="no-messages"),
        pytest.param({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role", id="unknown-role"),
        pytest.param({"stream": False}, "stream", id="not-streamed"),
        pytest.param({"cache_salt": ""}, "cache_salt", id="empty-salt"),
        pytest.param({"temperature": -1.0}, "temperature", id="negative-temperature"),
        pytest.param({"priority": 1.5}, "priority", id="fractional-priority"),
    ],
)
async def test_a_body_out_of_order_is_refused_and_the_field_named(
    changes: dict[str, Any], field: str
) -> None:
    engine = ScriptedEngine()
    async with serve(engine) as url:
        status, answer = await post(url, json.loads(to_body(PLAIN)) | changes)
    assert (status, f"{field}: " in answer["error"]["message"], list(engine.requests)) == (400, True, [])


async def test_a_model_it_does_not_serve_is_refused() -> None:
    async with serve(ScriptedEngine()) as url, EngineClient(url, model="llama") as client:
        with pytest.raises(RequestRejected) as raised:
            await client.stream(PLAIN).__aenter__()
    assert raised.value.status == 404


async def test_the_request_arrives_whole() -> None:
    engine = ScriptedEngine()
    sent = a_request("grüße 👋", seed=3, cache_salt="ab", priority=-2, temperature=0.3, max_tokens=7)
    async with serve(engine) as url, EngineClient(url) as client, client.stream(sent):
        pass
    got = engine.requests[0]
    fields = ("request_id", "messages", "seed", "cache_salt", "priority", "temperature", "max_tokens")
    assert [getattr(got, field) for field in fields] == [getattr(sent, field) for field in fields]


@pytest.mark.parametrize("after", [0, 1], ids=["refused", "mid-stream"])
@pytest.mark.parametrize(
    "error",
    [
        EngineNotReady("starting"),
        EngineOverloaded("full"),
        EngineFailed("broke"),
        PromptTooLong(max_model_len=10, prompt_tokens=20),
        RequestRejected(400, "bad"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_an_error_comes_through_as_itself(error: EngineError, after: int) -> None:
    engine = ScriptedEngine(["a", "b"])
    engine.fail_next(error, after=after)
    heard: list[Delta | Finish] = []

    async def listen(client: EngineClient) -> None:
        async with client.stream(PLAIN) as events:
            async for event in events:
                heard.append(event)  # noqa: PERF401 - it breaks off

    async with serve(engine) as url, EngineClient(url) as client:
        with pytest.raises(type(error)):
            await listen(client)
    assert heard == [Delta("a")] * after


async def test_an_engine_that_is_not_ready_is_unhealthy() -> None:
    engine = ScriptedEngine()
    engine.set_status(EngineState.DRAINING)
    async with serve(engine) as url, EngineClient(url) as client:
        assert (await client.status()).state is EngineState.DEAD


async def test_a_reader_who_goes_is_a_cancellation() -> None:
    async def for_ever(_request: object, n: int) -> None:
        if n:
            await asyncio.Event().wait()

    engine = ScriptedEngine(["a", "b"], pace=for_ever)
    async with serve(engine) as url, EngineClient(url) as client:
        async with client.stream(PLAIN) as events:
            await anext(events)
        await engine.until(lambda: list(engine.cancelled) == ["r1"])


async def test_the_socket_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "e.sock"
    async with serve(ScriptedEngine(), uds=path):
        assert path.is_socket()
    assert not path.exists()


@pytest.mark.parametrize("where", ["--port", "--uds"])
async def test_the_command_serves_until_it_is_told_to_stop(where: str, tmp_path: Path) -> None:
    place = "0" if where == "--port" else str(tmp_path / "e.sock")
    command = [
        sys.executable,
        "-m",
        "engine.scripted_server",
        where,
        place,
        "--tokens",
        "3",
        "--delay-ms",
        "1",
    ]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with EngineClient(url) as client, client.stream(PLAIN) as events:
            heard = [event async for event in events]
    finally:
        process.send_signal(signal.SIGTERM)
        code = await process.wait()
    assert (heard[:3], code) == ([Delta("word0 "), Delta("word1 "), Delta("word2 ")], 0)
