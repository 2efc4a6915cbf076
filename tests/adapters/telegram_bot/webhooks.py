"""Telling a bot by webhook, as the Bot API server does (tdlib/telegram-bot-api, WebhookActor.cpp).

Updates of one chat go one after the other, the next only after the last was answered 2xx. Whatever else is answered is
tried again after a doubling pause, or after what `Retry-After` asks, until the update expires.
"""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import aiohttp

from tests.adapters.telegram_bot.journal import Journal
from tests.adapters.telegram_bot.mailbox import Mailbox, Update
from tests.adapters.telegram_bot.store import Store

SECRET: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
_LONGEST_RETRY_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a webhook is tried again. The real pauses grow from 1 s to 60 s."""

    try_s: float = 60.0
    first_pause_s: float = 0.05
    longest_pause_s: float = 1.0
    #: What one second of a `Retry-After` takes.
    second_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where updates are sent."""

    url: str
    secret: str = ""
    max_connections: int = 40


class Webhooks:
    """Delivers pending updates while a webhook is set."""

    def __init__(self, store: Store, mailbox: Mailbox, journal: Journal, patience: Patience) -> None:
        self._store = store
        self._mailbox = mailbox
        self._journal = journal
        self._patience = patience
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._slots = asyncio.Semaphore(1)
        self.hook = next((Hook(**doc["hook"]) for doc in store.read("hook") if doc["hook"]), None)
        self.last_error: tuple[float, str] | None = None

    async def __aenter__(self) -> Self:
        """Open the connections and go on with what is pending."""
        timeout = aiohttp.ClientTimeout(total=self._patience.try_s)
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        self.set(self.hook)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop delivering."""
        lanes = list(self._lanes.values())
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)
        assert self._session is not None
        await self._session.close()

    @property
    def under_way(self) -> int:
        """How many chats have deliveries under way."""
        return len(self._lanes)

    def set(self, hook: Hook | None) -> None:
        """Send updates there from now on, or nowhere."""
        self.hook = hook
        self._slots = asyncio.Semaphore(hook.max_connections if hook else 1)
        self._store.put("hook", "", {"hook": asdict(hook) if hook else None})
        self.wake()

    def wake(self) -> None:
        """Begin with every chat for which something is pending."""
        if self.hook is None or self._session is None:
            return
        for lane in {update.lane for update in self._mailbox.pending()} - self._lanes.keys():
            task = asyncio.create_task(self._run(lane))
            self._lanes[lane] = task
            task.add_done_callback(lambda done, lane=lane: self._ended(lane, done))  # type: ignore[misc]

    def _ended(self, lane: str, done: "asyncio.Task[None]") -> None:
        del self._lanes[lane]
        if not done.cancelled():
            done.result()
            # Something may have come between the last look and now.
            self.wake()

    async def _run(self, lane: str) -> None:
        pause_s = self._patience.first_pause_s
        while self.hook and (update := self._next(lane)):
            if asked_s := await self._try(self.hook, update):
                await asyncio.sleep(max(asked_s * self._patience.second_s, pause_s))
                pause_s = min(pause_s * 2, self._patience.longest_pause_s)
            else:
                self._mailbox.confirm(update)
                pause_s = self._patience.first_pause_s

    def _next(self, lane: str) -> Update | None:
        return next((update for update in self._mailbox.pending() if update.lane == lane), None)

    async def _try(self, hook: Hook, update: Update) -> float:
        """Deliver; return 0 where it was taken, otherwise how long to wait at least."""
        async with self._slots:
            status, retry_after_s, body = await self._post(hook, update)
        self._mailbox.tried(update, status)
        if status // 100 == 2:
            self._check_body(body)
            return 0.0
        self.last_error = (update.made_at, f"Wrong response from the webhook: {status}")
        return max(retry_after_s, 1e-9)

    async def _post(self, hook: Hook, update: Update) -> tuple[int, float, bytes]:
        assert self._session is not None
        headers = {"Content-Type": "application/json"} | ({SECRET: hook.secret} if hook.secret else {})
        body = json.dumps(update.to_wire()).encode()
        try:
            async with self._session.post(hook.url, data=body, headers=headers) as answer:
                asked = answer.headers.get("Retry-After", "")
                retry_after_s = min(float(asked), _LONGEST_RETRY_AFTER_S) if asked.isdigit() else 0.0
                return answer.status, retry_after_s, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, 0.0, b""

    def _check_body(self, body: bytes) -> None:
        """An answer may carry a call, whose outcome nobody ever learns."""
        try:
            answered: Any = json.loads(body)
        except ValueError:
            return
        if isinstance(answered, dict) and "method" in answered:
            self._journal.blame("webhook", "a method in the answer, whose outcome would never be known")
