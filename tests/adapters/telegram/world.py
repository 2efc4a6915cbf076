"""The Telegram adapter in front of the strict fake, as the adapter contract runs it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from adapters.base import Platform, RawRequest
from adapters.polling_lease import SharedLeases
from adapters.telegram.platform import telegram
from adapters.telegram.settings import TelegramSettings
from tests.adapters.telegram_bot.mailbox import Update
from tests.adapters.telegram_bot.server import strictly_serving

SECRET = "a-secret-of-thirty-characters-"  # noqa: S105 - it guards nothing


class TelegramHarness:
    """A group in which the bot hears everything; updates come by webhook, or are asked for."""

    account = "424242"

    def __init__(self, sink: Any, *, is_polling: bool = False) -> None:
        self.sink = sink
        self.is_polling = is_polling
        self._updates: dict[str, Update] = {}

    @contextlib.asynccontextmanager
    async def running(self, _folder: Path) -> AsyncIterator["TelegramHarness"]:
        """Serve the fake and open the adapter."""
        async with strictly_serving() as fake:
            self.control = fake.control
            self.control.rules.reads_all = True
            self.anna = self.control.people.user("Anna")
            self.group = self.control.people.group("Team", [self.anna])
            self.conversation = str(self.group.id)
            loop = asyncio.get_running_loop()
            self.platform: Platform = telegram(
                TelegramSettings(
                    token=fake.token,
                    base_url=fake.base_url,
                    base_file_url=fake.base_file_url,
                    public_url="" if self.is_polling else "https://bot.example.org",
                    secret_token="" if self.is_polling else SECRET,
                    poll_s=5,
                    again_s=0.01,
                    again_most_s=0.05,
                ),
                SharedLeases(loop.time, lasts_s=60.0).of("telegram"),
                lambda: datetime.fromtimestamp(self.control.clock.now(), UTC),
            )
            self.adapter, self.source = self.platform.adapter, self.platform.source
            assert self.platform.lifetime is not None
            async with self.platform.lifetime, self._taking_in():
                yield self

    @contextlib.asynccontextmanager
    async def _taking_in(self) -> AsyncIterator[None]:
        assert self.source is not None
        self.task = asyncio.create_task(self.source.run(self.sink) if self.is_polling else asyncio.sleep(0))
        try:
            yield
        finally:
            await self.cancel()

    async def cancel(self) -> None:
        """Cancel what takes updates in."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    def is_clean(self) -> bool:
        """Whether a cancelled run left nothing open: what was taken is confirmed or comes again, nobody polls."""
        return self.task.done()

    async def visible(self) -> list[str]:
        """Read what a member of the group reads of the bot's."""
        return self.control.texts(self.group)

    async def deliver(self, key: str) -> bool:
        """Deliver one message under a key; tell whether it was acknowledged."""
        update = self._said(key)
        return await (self._polled(update) if self.is_polling else self._posted(update.to_wire()))

    async def post(self, body: bytes, *, secret: str = SECRET) -> int:
        """Call the webhook as Telegram does; the status, or 503 where the core could not take it."""
        (webhook,) = self.platform.webhooks
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        request = RawRequest(method="POST", path=webhook.path, headers=headers, body=body)
        try:
            return (await webhook.ingest(request, self.sink)).status
        except OSError:  # the gateway answers so
            return HTTPStatus.SERVICE_UNAVAILABLE

    def _said(self, key: str) -> Update:
        if key in self._updates:
            self.control.again(self._updates[key])
        else:
            self.control.talk.say(self.group, self.anna, "hi")
            self._updates[key] = self.control.mailbox.told()[-1]
        return self._updates[key]

    async def _posted(self, wire: dict[str, Any]) -> bool:
        return await self.post(json.dumps(wire).encode()) == HTTPStatus.OK

    async def _polled(self, update: Update) -> bool:
        """Wait until the update is confirmed, or was given out twice more and is not."""
        mailbox, given = self.control.mailbox, update.polled
        await self.control.until(lambda: update not in mailbox.pending() or update.polled > given + 1)
        return update not in mailbox.pending()
