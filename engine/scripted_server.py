"""A scripted engine behind the API of vLLM, for benches and demonstrations without a model.

    python -m engine.scripted_server --port 0 --tokens 64 --delay-ms 20

prints the URL to set as `ASIDE_ENGINE_URL`. It is stricter than vLLM: a field it does not know is an error.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web

from engine.base import Delta, EngineState, Finish
from engine.errors import EngineError, RequestRejected
from engine.scripted import ScriptedEngine, echo, steady
from engine.scripted_wire import CompletionBody, to_error_body, to_usage

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_GUARDED = "/v1/"
_MAX_REQUEST_BYTES = 1 << 24


class ScriptedServer:
    """The pages of vLLM that this project uses, over one `ScriptedEngine`."""

    def __init__(self, engine: ScriptedEngine, *, api_key: str | None = None) -> None:
        """Keep the engine, and the key that `/v1` asks for, if any."""
        self._engine = engine
        self._api_key = api_key

    def app(self) -> web.Application:
        """Build the application."""
        app = web.Application(middlewares=[self._authenticate], client_max_size=_MAX_REQUEST_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/v1/chat/completions", self._complete)
        return app

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        sent = request.headers.get("Authorization")
        if self._api_key and request.path.startswith(_GUARDED) and sent != f"Bearer {self._api_key}":
            return web.json_response({"error": "Unauthorized"}, status=HTTPStatus.UNAUTHORIZED)
        return await handler(request)

    async def _health(self, _request: web.Request) -> web.Response:
        ready = (await self._engine.status()).state is EngineState.READY
        return web.Response(status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _models(self, _request: web.Request) -> web.Response:
        status = await self._engine.status()
        card = {"id": status.model, "object": "model", "max_model_len": status.max_model_len}
        return web.json_response({"object": "list", "data": [card]})

    async def _metrics(self, _request: web.Request) -> web.Response:
        labels = f'{{engine="0",model_name="{(await self._engine.status()).model}"}}'
        load = await self._engine.load()
        return web.Response(
            text=f"# TYPE vllm:num_requests_running gauge\n"
            f"vllm:num_requests_running{labels} {float(load.running)}\n"
            f"# TYPE vllm:num_requests_waiting gauge\n"
            f"vllm:num_requests_waiting{labels} {float(load.waiting)}\n"
        )

    async def _complete(self, http: web.Request) -> web.StreamResponse:
        try:
            body = CompletionBody.from_bytes(await http.read())
        except RequestRejected as exc:
            return _refuse(exc)
        model = (await self._engine.status()).model
        if body.model not in (None, model):
            return _refuse(RequestRejected(HTTPStatus.NOT_FOUND, "this model is not served"))
        try:
            async with self._engine.stream(body.to_request()) as events:
                return await _respond(http, events, request_id=body.request_id, model=model)
        except EngineError as exc:
            return _refuse(exc)


async def _respond(
    http: web.Request, events: AsyncIterator[Delta | Finish], *, request_id: str, model: str | None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
    await response.prepare(http)
    frame = {"id": f"chatcmpl-{request_id}", "object": "chat.completion.chunk", "created": 0, "model": model}
    delta: dict[str, str] = {"role": "assistant"}
    try:
        async for event in events:
            text = event.text if isinstance(event, Delta) else ""
            reason = event.reason.value if isinstance(event, Finish) else None
            choice = {"index": 0, "delta": delta | {"content": text}, "finish_reason": reason}
            await _send(response, frame | {"choices": [choice]})
            delta = {}
            if isinstance(event, Finish):
                await _send(response, frame | {"choices": [], "usage": to_usage(event.usage)})
    except EngineError as exc:
        # The status has been sent: as in vLLM, the error is the next event.
        await _send(response, to_error_body(exc))
    await response.write(b"data: [DONE]\n\n")
    return response


async def _send(response: web.StreamResponse, payload: dict[str, Any]) -> None:
    await response.write(f"data: {json.dumps(payload)}\n\n".encode())


def _refuse(error: EngineError) -> web.Response:
    body = to_error_body(error)
    return web.json_response(body, status=body["error"]["code"])


def _remove(uds: Path) -> None:
    uds.unlink(missing_ok=True)


def _url(uds: Path) -> str:
    return f"http+unix://{uds.absolute()}"


@asynccontextmanager
async def serve(
    engine: ScriptedEngine, *, port: int = 0, uds: Path | None = None, api_key: str | None = None
) -> AsyncIterator[str]:
    """Serve the engine on loopback or on a unix socket, and yield the URL a client takes."""
    # A client that goes away cancels its handler, and with it the generation, as it does in vLLM.
    runner = web.AppRunner(
        ScriptedServer(engine, api_key=api_key).app(),
        handler_cancellation=True,
        shutdown_timeout=1.0,
        access_log=None,
    )
    await runner.setup()
    try:
        if uds is not None:
            await web.UnixSite(runner, uds).start()
            yield _url(uds)
        else:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        if uds is not None:
            _remove(uds)


async def _run(options: argparse.Namespace) -> None:
    delay_s = options.delay_ms / 1000
    script = [f"word{n} " for n in range(options.tokens)] if options.tokens else echo
    engine = ScriptedEngine(
        script, pace=steady(first_s=delay_s, each_s=delay_s), capacity=options.capacity or None
    )
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with serve(engine, port=options.port or 0, uds=options.uds) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await stopped.wait()


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.scripted_server", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--uds", type=Path, help="path of the unix socket to listen on")
    where.add_argument("--port", type=int, help="port of 127.0.0.1 to listen on; 0 takes a free one")
    parser.add_argument("--tokens", type=int, default=0, help="length of every reply; 0 repeats the message")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="wait before every token")
    parser.add_argument("--capacity", type=int, default=0, help="requests answered at a time; 0 is no limit")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGINT or SIGTERM."""
    asyncio.run(_run(_options(arguments)))


if __name__ == "__main__":
    main()
