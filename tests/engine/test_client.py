"""The client against a server that misbehaves in every way a network and a vendor can."""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from engine.base import Delta, EngineState, Finish
from engine.client import EngineClient
from engine.errors import (
    Deadline,
    EngineError,
    EngineFailed,
    EngineMisbehaved,
    EngineNotReady,
    EngineOverloaded,
    EngineTimedOut,
    RequestRejected,
)
from engine.scripted import ScriptedEngine
from engine.scripted_server import serve
from engine.transport import FAULTS, EngineAddress, to_engine_error
from tests.fixtures.engine_requests import PLAIN, a_request

Connection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def part(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def event(payload: object) -> bytes:
    return part(f"data: {json.dumps(payload)}\n\n".encode())


def text(content: str, reason: str | None = None) -> bytes:
    return event({"choices": [{"delta": {"content": content}, "finish_reason": reason}]})


COST = event({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}})
KEEP_ALIVE = part(b": keep-alive\n\n")
END = part(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Vendor:
    """A raw server on loopback: what each connection is answered, byte by byte; counts what it saw."""

    def __init__(self, answer: Connection) -> None:
        self._answer = answer
        self.heads: list[bytes] = []
        self.gone = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.gone.set()
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()


def saying(*data: bytes, then: Connection | None = None) -> Connection:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"".join(data))
        await writer.drain()
        if then is not None:
            await then(reader, writer)

    return answer


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Break the connection off with a RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Say no more until the client goes."""
    while await reader.read(1024):
        pass


async def only_comments(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Keep the connection alive for ever without a token."""
    while True:
        writer.write(KEEP_ALIVE)
        await writer.drain()
        await asyncio.sleep(0.01)


async def tokens_for_ever(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(text("a"))
        await writer.drain()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def facing(answer: Connection, **options: Any) -> AsyncIterator[tuple[EngineClient, Vendor]]:
    vendor = Vendor(answer)
    async with vendor.listening() as url, EngineClient(url, **options) as client:
        yield client, vendor


async def collect(client: EngineClient, request: Any = PLAIN) -> list[Delta | Finish]:
    async with client.stream(request) as events:
        return [event async for event in events]


async def test_keep_alive_comments_are_read_over() -> None:
    stream = HEAD + KEEP_ALIVE + text("Hi", "stop") + KEEP_ALIVE + COST + END
    async with facing(saying(stream)) as (client, _):
        assert [type(e) for e in await collect(client)] == [Delta, Finish]


async def test_the_end_is_told_without_waiting_for_the_server_to_close() -> None:
    async with facing(saying(HEAD + text("Hi", "stop") + COST, then=silence)) as (client, vendor):
        assert isinstance((await collect(client))[-1], Finish)
        await vendor.gone.wait()


HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\noops"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n"


def refusing(status: int, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(saying(HEAD, part(b"data: {garbage\n\n")), EngineMisbehaved, id="garbage-json"),
        pytest.param(saying(HEAD, part(b"data: \xff\n\n")), EngineMisbehaved, id="not-utf-8"),
        pytest.param(saying(HEAD, text("Hi"), then=reset), EngineFailed, id="reset-mid-stream"),
        pytest.param(saying(HEAD, text("Hi")), EngineFailed, id="closed-mid-stream"),
        pytest.param(saying(HEAD, text("Hi"), END), EngineFailed, id="ended-unfinished"),
        pytest.param(saying(HEAD, text("Hi", "stop"), END), EngineMisbehaved, id="no-usage"),
        pytest.param(saying(HEAD, text("Hi", "abort"), END), EngineFailed, id="aborted"),
        pytest.param(saying(then=reset), EngineFailed, id="reset-before-a-byte"),
        pytest.param(saying(), EngineFailed, id="closed-before-a-byte"),
        pytest.param(saying(b"SSH-2.0-OpenSSH_9\r\n\r\n"), EngineMisbehaved, id="not-http"),
        pytest.param(saying(HTML), EngineMisbehaved, id="not-a-stream"),
        pytest.param(saying(REDIRECT), EngineMisbehaved, id="redirect-is-not-followed"),
        pytest.param(saying(refusing(400)), RequestRejected, id="400"),
        pytest.param(saying(refusing(401)), RequestRejected, id="401"),
        pytest.param(saying(refusing(429)), EngineOverloaded, id="429"),
        pytest.param(saying(refusing(500)), EngineFailed, id="500"),
        pytest.param(saying(refusing(503)), EngineNotReady, id="503"),
        pytest.param(saying(refusing(500, b"x" * 100_000)), EngineMisbehaved, id="endless-refusal"),
        pytest.param(saying(refusing(503)[:-4] + b"\r\nX: 1"), EngineFailed, id="closed-inside-the-head"),
    ],
)
async def test_each_fault_has_its_error_and_is_not_retried(
    answer: Connection, error: type[EngineError]
) -> None:
    async with facing(answer) as (client, vendor):
        with pytest.raises(EngineError) as raised:
            await collect(client)
        assert (type(raised.value), len(vendor.heads)) == (error, 1)


def abort(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def garble(writer: asyncio.StreamWriter) -> None:
    writer.write(b"zz\r\nno chunk at all\r\n")


@pytest.mark.parametrize(
    ("break_off", "error"),
    [
        pytest.param(abort, EngineFailed, id="reset"),
        # aiohttp reports broken chunking to nobody who is reading already: the stall clock has to end it.
        pytest.param(garble, EngineError, id="broken-chunking"),
    ],
)
async def test_what_came_before_a_break_was_delivered(
    break_off: Callable[[asyncio.StreamWriter], None], error: type[EngineError]
) -> None:
    heard = asyncio.Event()

    async def break_off_when_heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await heard.wait()
        break_off(writer)
        await silence(reader, writer)

    answer = saying(HEAD, text("Hel"), then=break_off_when_heard)
    async with facing(answer) as (client, _), client.stream(a_request(stall_s=0.5)) as events:
        assert await anext(events) == Delta("Hel")
        heard.set()
        with pytest.raises(error):
            await anext(events)


@pytest.mark.parametrize(
    ("answer", "limits", "deadline"),
    [
        pytest.param(saying(then=silence), {"first_token_s": 0.05}, Deadline.FIRST_TOKEN, id="no-head"),
        pytest.param(
            saying(HEAD, then=silence), {"first_token_s": 0.05}, Deadline.FIRST_TOKEN, id="no-token"
        ),
        pytest.param(
            saying(HEAD, text(""), then=silence),
            {"first_token_s": 0.05},
            Deadline.FIRST_TOKEN,
            id="only-a-role",
        ),
        pytest.param(
            saying(HEAD, then=only_comments),
            {"first_token_s": 0.05},
            Deadline.FIRST_TOKEN,
            id="only-comments",
        ),
        pytest.param(saying(HEAD, text("a"), then=silence), {"stall_s": 0.05}, Deadline.STALL, id="stall"),
        pytest.param(
            saying(HEAD, text("a"), then=only_comments),
            {"stall_s": 0.05},
            Deadline.STALL,
            id="stall-with-comments",
        ),
        pytest.param(
            saying(HEAD, text("a", "stop"), then=silence),
            {"stall_s": 0.05},
            Deadline.STALL,
            id="no-usage-comes",
        ),
        pytest.param(saying(HEAD, then=tokens_for_ever), {"total_s": 0.1}, Deadline.TOTAL, id="total"),
        pytest.param(
            saying(refusing(500)[:-4] + b"5\r\n\r\n", then=silence),
            {"first_token_s": 0.05},
            Deadline.FIRST_TOKEN,
            id="refusal-without-its-body",
        ),
    ],
)
async def test_each_clock_raises_with_its_name(
    answer: Connection, limits: dict[str, float], deadline: Deadline
) -> None:
    async with facing(answer) as (client, vendor):
        with pytest.raises(EngineTimedOut) as raised:
            await collect(client, a_request(**limits))
        assert raised.value.deadline is deadline
        assert raised.value.seconds == next(iter(limits.values()))
        await vendor.gone.wait()


async def test_time_spent_by_the_reader_is_no_stall() -> None:
    async with facing(saying(HEAD, text("a"), text("b", "stop"), COST, END)) as (client, _):
        seen = []
        async with client.stream(a_request(stall_s=0.05)) as events:
            async for each in events:
                seen.append(each)
                await asyncio.sleep(0.1)
        assert isinstance(seen[-1], Finish)


async def test_leaving_before_the_first_token_closes_the_connection() -> None:
    async with facing(saying(HEAD, then=silence)) as (client, vendor), client.stream(PLAIN):
        pass
    await vendor.gone.wait()


async def test_cancelling_while_a_token_is_awaited_closes_the_connection() -> None:
    async with facing(saying(HEAD, text("a"), then=silence)) as (client, vendor):
        first = asyncio.Event()

        async def read() -> None:
            async with client.stream(PLAIN) as events:
                async for _ in events:
                    first.set()

        task = asyncio.create_task(read())
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await vendor.gone.wait()


async def test_an_error_of_the_reader_passes_through_unchanged() -> None:
    async with facing(saying(HEAD, text("a"), then=silence)) as (client, vendor):
        with pytest.raises(aiohttp.ClientPayloadError, match="the reader's own"):
            async with client.stream(PLAIN):
                raise aiohttp.ClientPayloadError("the reader's own")
        await vendor.gone.wait()


class Waits:
    """A sleep that returns at once and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.mark.parametrize(("share", "wait_s"), [(0.0, 0.125), (1.0, 0.25)])
async def test_a_refused_connection_is_tried_once_more_after_a_jittered_wait(
    share: float, wait_s: float
) -> None:
    waits = Waits()
    url = f"http://127.0.0.1:{free_port()}"
    async with EngineClient(url, sleep=waits, chance=lambda: share) as client:
        with pytest.raises(EngineNotReady, match="cannot be reached"):
            await collect(client)
    assert waits.asked == [wait_s]


async def test_a_missing_socket_is_an_engine_that_is_not_ready(tmp_path: Path) -> None:
    async with EngineClient(f"http+unix://{tmp_path}/none.sock", sleep=Waits()) as client:
        with pytest.raises(EngineNotReady, match=r"none\.sock \(No such file or directory\)"):
            await collect(client)


async def test_an_engine_that_comes_up_between_the_two_tries_answers(tmp_path: Path) -> None:
    engine, stack = ScriptedEngine(["Hi"]), AsyncExitStack()

    async def start_meanwhile(_seconds: float) -> None:
        await stack.enter_async_context(serve(engine, uds=tmp_path / "e.sock"))

    async with stack, EngineClient(f"http+unix://{tmp_path}/e.sock", sleep=start_meanwhile) as client:
        assert (await collect(client))[0] == Delta("Hi")
        assert len(engine.requests) == 1


async def test_the_first_token_clock_also_bounds_the_retry() -> None:
    async def never(_seconds: float) -> None:
        await asyncio.Event().wait()

    async with EngineClient(f"http://127.0.0.1:{free_port()}", sleep=never) as client:
        with pytest.raises(EngineTimedOut) as raised:
            await collect(client, a_request(first_token_s=0.05))
    assert raised.value.deadline is Deadline.FIRST_TOKEN


async def test_the_key_goes_with_requests_and_a_wrong_one_is_named() -> None:
    async with serve(ScriptedEngine(["Hi"]), api_key="k1") as url:
        async with EngineClient(url, api_key="k1") as client:
            assert (await collect(client))[0] == Delta("Hi")
            assert (await client.status()).state is EngineState.READY
        async with EngineClient(url, api_key="k2") as client:
            with pytest.raises(RequestRejected, match="API key"):
                await collect(client)
            status = await client.status()
    assert (status.state, "API key" in status.detail) == (EngineState.DEAD, True)


async def test_a_session_passed_in_is_used_and_left_open() -> None:
    async with serve(ScriptedEngine(["Hi"])) as url, aiohttp.ClientSession() as session:
        async with EngineClient(url, session=session) as client:
            await collect(client)
        assert not session.closed


async def test_outside_its_context_the_client_says_so() -> None:
    with pytest.raises(RuntimeError, match="outside its context"):
        await collect(EngineClient("http://127.0.0.1:1"))


def models(*names: str) -> web.Response:
    return web.json_response({"data": [{"id": name, "max_model_len": 8} for name in names]})


@asynccontextmanager
async def pages(health: Callable[[], web.Response], served: Callable[[], web.Response]) -> AsyncIterator[Any]:
    """Serve only the two pages the state is read from; yield the URL and what was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return {"/health": health, "/v1/models": served}[request.path]()

    app = web.Application()
    app.router.add_get("/{page:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


@pytest.mark.parametrize(
    ("health", "served", "model", "expected"),
    [
        pytest.param(200, ["a", "b"], None, (EngineState.READY, "a"), id="ready"),
        pytest.param(200, ["a", "b"], "b", (EngineState.READY, "b"), id="the-chosen-model"),
        pytest.param(200, ["a"], "c", (EngineState.DEAD, None), id="another-model"),
        pytest.param(200, [], None, (EngineState.DEAD, None), id="no-model"),
        pytest.param(404, ["a"], None, (EngineState.READY, "a"), id="no-health-page"),
        pytest.param(503, ["a"], None, (EngineState.DEAD, None), id="engine-died"),
        pytest.param(500, ["a"], None, (EngineState.DEAD, None), id="broken"),
    ],
)
async def test_states(
    health: int, served: list[str], model: str | None, expected: tuple[EngineState, Any]
) -> None:
    answers = pages(lambda: web.Response(status=health), lambda: models(*served))
    async with answers as (url, _), EngineClient(url, model=model) as client:
        status = await client.status()
    assert (status.state, status.model) == expected


async def test_a_wrong_model_is_told_with_the_right_ones() -> None:
    async with (
        pages(web.Response, lambda: models("a", "b")) as (url, _),
        EngineClient(url, model="c") as client,
    ):
        assert (await client.status()).detail == "the engine serves a, b, not c"


async def test_garbage_for_models_is_a_state_and_no_error() -> None:
    async with (
        pages(web.Response, lambda: web.Response(text="<html>")) as (url, _),
        EngineClient(url) as client,
    ):
        assert (await client.status()).state is EngineState.DEAD


async def test_many_who_ask_at_once_share_one_look() -> None:
    async with pages(web.Response, lambda: models("a")) as (url, asked), EngineClient(url) as client:
        await asyncio.gather(*(client.status() for _ in range(20)))
    assert asked == ["/health", "/v1/models"]


async def test_a_silent_engine_is_told_within_two_seconds_also_to_those_who_queue() -> None:
    async with facing(saying(then=silence)) as (client, _):
        async with asyncio.timeout(2.0):
            states = await asyncio.gather(*(client.status() for _ in range(3)))
    assert {status.state for status in states} == {EngineState.DEAD}


async def test_an_outage_is_logged_once_and_its_end_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.client._STATUS_KEPT_S", -1.0)
    up = iter([200, 503, 503, 200, 200])
    caplog.set_level(logging.INFO, "engine.client")
    answers = pages(lambda: web.Response(status=next(up)), lambda: models("a"))
    async with answers as (url, _), EngineClient(url) as client:
        for _ in range(5):
            await client.status()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_the_load_comes_from_the_metrics() -> None:
    held = asyncio.Event()

    async def hold(_request: Any, _n: int) -> None:
        await held.wait()

    engine = ScriptedEngine(["Hi"], pace=hold)
    async with serve(engine) as url, EngineClient(url) as client, client.stream(PLAIN):
        load = await client.load()
    assert (load.running, load.waiting) == (1, 0)


@pytest.mark.parametrize(
    ("url", "base", "sock"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", None),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000", None),
        ("http://[::1]:8000/v1/", "http://[::1]:8000", None),
        ("https://gpu.example/llama/v1", "https://gpu.example/llama", None),
        ("http+unix:///run/vllm.sock", "http://engine", Path("/run/vllm.sock")),
    ],
)
def test_addresses(url: str, base: str, sock: Path | None) -> None:
    assert EngineAddress.parse(url) == EngineAddress(base=base, socket=sock)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://x",
        "http://",
        "http+unix://",
        "http+unix:///",
        "http+unix://run/x",
        "http://:80",
    ],
)
def test_what_is_no_address_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not an engine's URL: write http"):
        EngineAddress.parse(url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="API key") as raised:
        EngineAddress.parse("http://me:hunter2@host:1")
    assert "hunter2" not in str(raised.value)


def public_faults() -> list[type[aiohttp.ClientError]]:
    exported = (getattr(aiohttp, name) for name in aiohttp.__all__)
    return [e for e in exported if isinstance(e, type) and issubclass(e, aiohttp.ClientError)]


def test_the_fault_table_covers_every_public_exception_of_aiohttp() -> None:
    faults = [fault for fault in public_faults() if fault is not aiohttp.ClientError]
    assert len(faults) >= 25
    assert [f.__name__ for f in faults if not any(issubclass(f, kind) for kind, _, _ in FAULTS)] == []


def test_no_row_of_the_fault_table_is_hidden_by_an_earlier_one() -> None:
    kinds = [kind for kind, _, _ in FAULTS]
    assert [k for n, k in enumerate(kinds) if any(issubclass(k, earlier) for earlier in kinds[:n])] == []


def test_a_fault_unknown_to_the_table_is_still_an_engine_error() -> None:
    error = to_engine_error(aiohttp.ClientError("x"), EngineAddress(base="http://h"))
    assert isinstance(error, EngineFailed)
