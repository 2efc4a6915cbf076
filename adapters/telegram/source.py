"""Taking updates in: who the bot is, then by asking or by being called, until cancelled."""

import asyncio

from adapters.base import Sink
from adapters.errors import AdapterError
from adapters.telegram.identity import Me
from adapters.telegram.polling import Backoff, Polling
from adapters.telegram.settings import TelegramSettings
from adapters.telegram.starting import Starting

#: Seconds after which the webhook is set once more: somebody may have taken it away.
_AGAIN_S = 3600.0


class TelegramSource:
    """A `Source`: what runs in a gateway for Telegram."""

    def __init__(self, settings: TelegramSettings, starting: Starting, polling: Polling) -> None:
        self._settings = settings
        self._starting = starting
        self._polling = polling

    async def run(self, sink: Sink) -> None:
        """Take updates in until cancelled. An outage, or a wrong token, ends nothing: it is asked again."""
        me = await self._known()
        if self._settings.is_webhook:
            await self._be_called()
        else:
            await self._polling.run(me, sink)

    async def _known(self) -> Me:
        backoff = self._backoff()
        while True:
            try:
                return await self._starting.me()
            except AdapterError:  # the standing has said so
                await asyncio.sleep(backoff.next_s())

    async def _be_called(self) -> None:
        backoff = self._backoff()
        while True:
            try:
                await self._starting.set_webhook()
            except AdapterError:
                await asyncio.sleep(backoff.next_s())
            else:
                backoff.worked()
                await asyncio.sleep(_AGAIN_S)

    def _backoff(self) -> Backoff:
        return Backoff(self._settings.again_s, self._settings.again_most_s)
