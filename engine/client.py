"""The engine over HTTP: one streamed completion at a time, its clocks, its end, and whether it is there."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from engine.base import ChatRequest, Delta, EngineLoad, EngineState, EngineStatus, Finish
from engine.deadlines import Clocks
from engine.errors import EngineError, EngineMisbehaved, EngineNotReady, RequestRejected
from engine.metrics import parse_load
from engine.refusal import Refusal
from engine.transport import NEVER_CONNECTED, EngineAddress, jittered, read_bounded, translated
from engine.wire import ReplyReader, ServedModel, read_models, to_body

logger = logging.getLogger(__name__)

_MAX_BODY_BYTES = 1 << 16
_MAX_METRICS_BYTES = 1 << 23
#: The protocol promises an answer about the state within two seconds.
_STATUS_S = 1.8
_STATUS_KEPT_S = 1.0
_METRICS_S = 5.0


class EngineClient:
    """An engine that speaks the OpenAI chat API, as vLLM 0.32 does. Use it as an async context manager."""

    def __init__(
        self,
        url: str,
        *,
        uds: Path | None = None,
        session: aiohttp.ClientSession | None = None,
        api_key: str | None = None,
        model: str | None = None,
        connect_s: float = 2.0,
        retry_wait_s: float = 0.25,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Keep the address and the means; raises `ValueError` for a URL that is none.

        A session passed in is used as it is and not closed; for a unix socket it must have that connector.
        Without a model the engine answers with the one it serves. `retry_wait_s` is the longest wait before
        the one retry.
        """
        self._address = EngineAddress.parse(url, uds=uds)
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        # An idle connection may be half closed, and a request lost in it looks like one the engine had begun.
        self._headers = {"Connection": "close", "Accept-Encoding": "identity"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._model = model
        self._connect_s = connect_s
        self._retry_wait_s = retry_wait_s
        self._sleep = sleep
        self._chance = chance
        self._probing = asyncio.Lock()
        self._known: tuple[float, EngineStatus] | None = None

    async def __aenter__(self) -> Self:
        """Open a session, unless one was passed in."""
        if self._session is None:
            self._session = self._owned = self._address.session(connect_s=self._connect_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened here; streams still open break off."""
        if self._owned is not None:
            await self._owned.close()
            self._session = self._owned = None

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Delta | Finish]]:
        """Start one generation; see `engine.base.Engine.stream`."""
        clocks = Clocks(request)
        response = await self._open(request, clocks)
        try:
            async with aclosing(self._events(response, clocks)) as events:
                yield events
        finally:
            # Not released but closed: vLLM ends a generation when its connection goes.
            response.close()

    async def status(self) -> EngineStatus:
        """Tell the engine's state, at most a second old; see `engine.base.Engine.status`."""
        try:
            async with asyncio.timeout(_STATUS_S), self._probing:
                return await self._fresh_status()
        except TimeoutError:
            return self._learn(_dead(f"the engine at {self._address} did not answer within {_STATUS_S:g} s"))

    async def load(self) -> EngineLoad:
        """Read how busy the engine is from vLLM's metrics; see `engine.base.Engine.load`."""
        try:
            async with asyncio.timeout(_METRICS_S):
                page = await self._get("/metrics", _MAX_METRICS_BYTES)
        except TimeoutError as exc:
            raise EngineNotReady(f"the engine did not send its metrics within {_METRICS_S:g} s") from exc
        return parse_load(page.decode(errors="replace"))

    async def _open(self, request: ChatRequest, clocks: Clocks) -> aiohttp.ClientResponse:
        body = to_body(request, model=self._model)
        with translated(self._address):
            async with clocks.guard():
                response = await self._post_with_one_retry(body)
            if response.status == HTTPStatus.OK and response.content_type == "text/event-stream":
                return response
            try:
                async with clocks.guard():
                    raise await _refusal(response)
            finally:
                response.close()

    async def _post_with_one_retry(self, body: bytes) -> aiohttp.ClientResponse:
        try:
            return await self._post(body)
        except NEVER_CONNECTED:
            await self._sleep(jittered(self._retry_wait_s, self._chance()))
            return await self._post(body)

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        headers = self._headers | {"Content-Type": "application/json"}
        url = f"{self._address.base}/v1/chat/completions"
        return await self._open_session.post(url, data=body, headers=headers, allow_redirects=False)

    async def _events(
        self, response: aiohttp.ClientResponse, clocks: Clocks
    ) -> AsyncGenerator[Delta | Finish, None]:
        reader = ReplyReader()
        while not reader.finished:
            chunks = reader.chunks
            with translated(self._address):
                async with clocks.guard():
                    data = await response.content.readany()
            if not data:
                reader.end()
            for event in reader.feed(data):
                clocks.token()
                yield event
            if reader.chunks > chunks:
                clocks.waiting()

    async def _fresh_status(self) -> EngineStatus:
        now = asyncio.get_running_loop().time()
        if self._known is not None and now - self._known[0] < _STATUS_KEPT_S:
            return self._known[1]
        try:
            return self._learn(await self._probe())
        except EngineError as exc:
            return self._learn(_dead(str(exc)))

    async def _probe(self) -> EngineStatus:
        try:
            await self._get("/health")
        except RequestRejected as exc:
            # Not every engine has the page; its list of models then speaks for it.
            if exc.status != HTTPStatus.NOT_FOUND:
                raise
        return self._choose(read_models(await self._get("/v1/models")))

    def _choose(self, served: tuple[ServedModel, ...]) -> EngineStatus:
        wanted = [model for model in served if self._model in (None, model.name)]
        if not wanted:
            names = ", ".join(model.name for model in served) or "no model"
            return _dead(f"the engine serves {names}, not {self._model or 'any'}")
        return EngineStatus(
            state=EngineState.READY, model=wanted[0].name, max_model_len=wanted[0].max_model_len
        )

    async def _get(self, path: str, limit_bytes: int = _MAX_BODY_BYTES) -> bytes:
        with translated(self._address):
            url = f"{self._address.base}{path}"
            async with self._open_session.get(url, headers=self._headers, allow_redirects=False) as response:
                body = await read_bounded(response, limit_bytes)
                if response.status != HTTPStatus.OK:
                    raise Refusal.from_body(response.status, body).to_error()
                return body

    def _learn(self, status: EngineStatus) -> EngineStatus:
        was = self._known[1].state if self._known else None
        self._known = (asyncio.get_running_loop().time(), status)
        if status.state is EngineState.DEAD and was is not EngineState.DEAD:
            logger.warning("the engine is out of reach: %s", status.detail)
        elif status.state is EngineState.READY and was is EngineState.DEAD:
            logger.info("the engine at %s is back", self._address)
        return status

    @property
    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the engine's client is used outside its context")
        return self._session


async def _refusal(response: aiohttp.ClientResponse) -> EngineError:
    if response.status == HTTPStatus.OK:
        return EngineMisbehaved("the engine answered a streaming request with something that is not a stream")
    return Refusal.from_body(response.status, await read_bounded(response, _MAX_BODY_BYTES)).to_error()


def _dead(detail: str) -> EngineStatus:
    return EngineStatus(state=EngineState.DEAD, detail=detail)
