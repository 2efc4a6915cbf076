"""Telegram as one platform: everything it is made of, put together."""

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from adapters.base import Platform
from adapters.polling_lease import PollingLease
from adapters.telegram.adapter import TelegramAdapter
from adapters.telegram.admins import Admins
from adapters.telegram.calls import Calls
from adapters.telegram.handing import Handing
from adapters.telegram.media import TelegramMedia
from adapters.telegram.parse import kinds_wanted
from adapters.telegram.polling import Polling
from adapters.telegram.settings import TelegramSettings, checked
from adapters.telegram.source import TelegramSource
from adapters.telegram.standing import Standing
from adapters.telegram.starting import Starting
from adapters.telegram.webhook import TelegramWebhook


class _Lifetime:
    """Opens the connections and closes them; may be entered again."""

    def __init__(self, calls: Calls, media: TelegramMedia) -> None:
        self._calls = calls
        self._media = media
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open them."""
        await self._open.enter_async_context(self._calls)
        await self._open.enter_async_context(self._media)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them."""
        await self._open.aclose()


def telegram(
    settings: TelegramSettings,
    lease: PollingLease,
    now: Callable[[], datetime],
    *,
    monotonic: Callable[[], float] = time.monotonic,
    make_calls: Callable[[TelegramSettings], Calls] = Calls,
) -> Platform:
    """Make the platform. Raises `TelegramRefused` where the settings cannot be used safely.

    `lease` says which process of all replicas asks Telegram for updates.
    """
    settings = checked(settings)
    kinds = kinds_wanted(drafts=settings.drafts, inline=settings.inline, guest=settings.guest)
    calls, standing = make_calls(settings), Standing()
    media = TelegramMedia(settings, calls)
    admins = Admins(calls, monotonic, believed_s=settings.admin_s, answer_s=settings.answer_s)
    handing = Handing(settings, calls, admins, now)
    starting = Starting(settings, calls, standing, kinds)
    polling = Polling(settings, calls, handing, lease, standing=standing, kinds=kinds)
    adapter = TelegramAdapter(settings, calls, standing)
    webhook = TelegramWebhook(settings.secret_token, handing, starting)
    return Platform(
        adapter=adapter,
        source=TelegramSource(settings, starting, polling),
        webhooks=(webhook.route,) if settings.is_webhook else (),
        typing=adapter,
        media=media,
        drafts=adapter,
        checks=starting,
        lifetime=_Lifetime(calls, media),
    )
