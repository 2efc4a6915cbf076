"""Getting updates: by long polling, or by a webhook; never by both, and by one poller at a time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from tests.adapters.telegram_bot.journal import Journal
from tests.adapters.telegram_bot.mailbox import Mailbox
from tests.adapters.telegram_bot.refusals import bad_request, conflict
from tests.adapters.telegram_bot.rules import Rules
from tests.adapters.telegram_bot.webhooks import Hook, Webhooks
from tests.platforms.news import News

Params = dict[str, Any]
_NO_OUTCOMES: Final[Mapping[str, str]] = MappingProxyType({})
_PORTS: Final = (80, 88, 443, 8443)
_OTHER_POLL: Final = "terminated by other getUpdates request; make sure that only one bot instance is running"
#: How often a poll looks whether somebody still waits for it.
_LOOK_S: Final = 1.0


@dataclass(slots=True)
class _Poll:
    is_gone: Callable[[], bool]
    ended: str = ""


class Updates:
    """The methods about updates."""

    def __init__(
        self, rules: Rules, mailbox: Mailbox, webhooks: Webhooks, journal: Journal, news: News
    ) -> None:
        self._rules = rules
        self._mailbox = mailbox
        self._webhooks = webhooks
        self._journal = journal
        self._news = news
        self._poll: _Poll | None = None

    def methods(self) -> Mapping[str, Callable[[Params], Any]]:
        """List the methods, without getUpdates, which waits."""
        return {
            "setWebhook": self.set_webhook,
            "deleteWebhook": self.delete_webhook,
            "getWebhookInfo": self.webhook_info,
        }

    async def get(
        self, params: Params, is_gone: Callable[[], bool], outcomes: Mapping[str, str] = _NO_OUTCOMES
    ) -> list[dict[str, Any]]:
        """Wait for updates; asking for those behind an offset confirms what is before it.

        `outcomes` is what the caller tells the record of messages, by their keys.
        """
        if self._webhooks.hook:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self._end_poll(_OTHER_POLL)
        poll = self._poll = _Poll(is_gone)
        if "allowed_updates" in params:
            self._mailbox.allow(params["allowed_updates"])
        if offset := params.get("offset", 0):
            self._mailbox.confirm_before(offset, outcomes)
        try:
            return await self._wait(poll, params.get("limit", 100), params.get("timeout", 0))
        finally:
            if self._poll is poll:
                self._poll = None

    async def _wait(self, poll: _Poll, limit: int, timeout_s: float) -> list[dict[str, Any]]:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + timeout_s
        while True:
            if poll.ended:
                raise conflict(poll.ended)
            found = self._mailbox.pending()[:limit]
            left_s = until_s - loop.time()
            if found or left_s <= 0 or poll.is_gone():
                for update in found:
                    update.polled += 1
                return [update.to_wire() for update in found]
            await self._news.wait(min(left_s, _LOOK_S))

    def set_webhook(self, params: Params) -> bool:
        """Tell by webhook from now on; an empty address ends that."""
        if not params["url"]:
            return self.delete_webhook(params)
        self._require_fit(params["url"])
        self._end_poll("terminated by setWebhook request")
        if params.get("drop_pending_updates"):
            self._drop("setWebhook")
        if "allowed_updates" in params:
            self._mailbox.allow(params["allowed_updates"])
        hook = Hook(
            url=params["url"],
            secret=params.get("secret_token", ""),
            max_connections=params.get("max_connections", 40),
        )
        self._webhooks.set(hook)
        return True

    def delete_webhook(self, params: Params) -> bool:
        """Go back to polling; what is pending stays."""
        if params.get("drop_pending_updates"):
            self._drop("deleteWebhook")
        self._webhooks.set(None)
        return True

    def webhook_info(self, _: Params) -> dict[str, Any]:
        """Tell of the webhook."""
        hook, error = self._webhooks.hook, self._webhooks.last_error
        info: dict[str, Any] = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._mailbox.pending()),
        }
        if hook:
            info |= {"max_connections": hook.max_connections}
            info |= {"last_error_date": int(error[0]), "last_error_message": error[1]} if error else {}
        return info | ({"allowed_updates": self._mailbox.allowed} if self._mailbox.allowed else {})

    def _end_poll(self, why: str) -> None:
        if self._poll is None:
            return
        if not self._poll.is_gone():
            self._journal.conflicts += 1
        self._poll.ended = why
        self._news.tell()

    def _drop(self, method: str) -> None:
        """Forgetting what people said while nobody listened is documented, and the worst a bot can do."""
        if pending := self._mailbox.pending():
            self._journal.blame(method, f"{len(pending)} pending updates dropped")
        for update in pending:
            self._mailbox.confirm(update)

    def _require_fit(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise bad_request("bad webhook: invalid webhook URL specified")
        if self._rules.local:
            return
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if (parts.port or 443) not in _PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
