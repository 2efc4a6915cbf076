"""Calling the Bot API through python-telegram-bot: its requests with our timeouts, no retry, and nothing logged.

Methods and their parameters are named as Telegram documents them: what is newer than the library needs nothing else.
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from adapters.telegram.refusals import Answered, translated
from adapters.telegram.settings import TelegramSettings

#: Connections at once; a worker's slots are far fewer.
_CONNECTIONS = 128
#: Seconds beyond a poll's own time before its connection is given up.
_POLL_GRACE_S = 10.0


class QuietRequest(HTTPXRequest):
    """The library's request, with refusals whole and unreadable answers unlogged: they may hold anything."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Do a request. Raises `Answered` for everything but a success."""
        status, body = await super().do_request(*args, **kwargs)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Answered.of(status, body)
        return status, body

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read a successful answer. Raises `TelegramError`."""
        try:
            answer = json.loads(payload)
        except ValueError as exc:
            raise TelegramError("an answer that is no JSON") from exc
        if not isinstance(answer, dict) or "result" not in answer:
            raise TelegramError("an answer without a result")
        return answer


class PlainBot(Bot):
    """The library's bot, called by a method's documented name."""

    __slots__ = ()

    async def call(self, method: str, params: Mapping[str, Any], read_s: float) -> Any:
        """Call a method and return its result as Telegram wrote it. Raises `TelegramError`."""
        return await self._post(method, dict(params), read_timeout=read_s)


class Calls:
    """The Bot API for one bot; connections are open while it is entered."""

    def __init__(self, settings: TelegramSettings) -> None:
        self._settings = settings
        self._requests: tuple[QuietRequest, ...] = ()
        self._bot: PlainBot | None = None

    async def __aenter__(self) -> Self:
        """Make the clients; nothing is called yet, so that an outage of Telegram's keeps nobody from starting."""
        polling, usual = self._request(2), self._request(_CONNECTIONS)
        settings = self._settings
        self._requests = (polling, usual)
        self._bot = PlainBot(
            settings.token,
            base_url=settings.base_url,
            base_file_url=settings.base_file_url,
            request=usual,
            get_updates_request=polling,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections; safe to repeat."""
        requests, self._requests, self._bot = self._requests, (), None
        for request in requests:
            await request.shutdown()

    async def __call__(self, method: str, within_s: float | None = None, **params: Any) -> Any:
        """Call a method once and return its result. Raises an `AdapterError`."""
        assert self._bot is not None, "the adapter's lifetime has not begun"
        within_s = within_s or self._settings.call_s
        with translated():
            async with asyncio.timeout(within_s):
                return await self._bot.call(method, params, within_s)

    async def updates(self, offset: int, kinds: tuple[str, ...]) -> list[Any]:
        """Wait for updates from an offset on, which confirms those before it. Raises an `AdapterError`."""
        found = await self(
            "getUpdates",
            self._settings.poll_s + _POLL_GRACE_S,
            offset=offset,
            limit=100,
            timeout=self._settings.poll_s,
            allowed_updates=kinds,
        )
        return found if isinstance(found, list) else []

    def _request(self, connections: int) -> QuietRequest:
        settings = self._settings
        return QuietRequest(
            connection_pool_size=connections,
            read_timeout=settings.call_s,
            write_timeout=settings.call_s,
            connect_timeout=settings.connect_s,
            pool_timeout=settings.connect_s,
            # Nothing is repeated by itself, and the token in an address goes nowhere else.
            httpx_kwargs={"follow_redirects": False},
        )
