"""A bot without a library: what it sends is what stands in the test."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.adapters.telegram_bot.server import FakeTelegram


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the Bot API said."""

    status: int
    body: Any = field(default=None)

    @property
    def result(self) -> Any:
        """The result of a call that was done."""
        assert self.status == 200, self.body
        return self.body["result"]

    @property
    def why(self) -> str:
        """The description of a call that was refused."""
        assert self.status != 200, self.body
        return str(self.body["description"])


class RawBot:
    """Calls methods of the Bot API by JSON."""

    def __init__(self, fake: FakeTelegram) -> None:
        self.fake = fake
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections, for what is no call by JSON."""
        assert self._session is not None
        return self._session

    def url(self, method: str) -> str:
        """Where a method is called."""
        return f"{self.fake.base_url}{self.fake.token}/{method}"

    async def __call__(self, method: str, **params: Any) -> Answer:
        """Call a method."""
        async with self.session.post(self.url(method), json=params) as answer:
            is_json = answer.content_type == "application/json"
            return Answer(status=answer.status, body=await answer.json() if is_json else await answer.text())

    async def send(self, chat: Any, text: str, **params: Any) -> Answer:
        """Send a message."""
        return await self("sendMessage", chat_id=chat.id, text=text, **params)

    async def updates(self, **params: Any) -> list[dict[str, Any]]:
        """Get updates."""
        return list((await self("getUpdates", **params)).result)
