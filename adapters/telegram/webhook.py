"""Telegram calls us: the secret first, then the update, and 200 only when the core has it."""

import hmac
import json
import logging
from http import HTTPStatus

from adapters.base import RawRequest, RawResponse, Sink, Webhook
from adapters.telegram.handing import Handing
from adapters.telegram.settings import WEBHOOK_PATH
from adapters.telegram.starting import Starting

logger = logging.getLogger(__name__)

#: Where Telegram says the secret (https://core.telegram.org/bots/api#setwebhook).
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header

_UNAUTHORISED = RawResponse(status=HTTPStatus.UNAUTHORIZED)
_TAKEN = RawResponse(status=HTTPStatus.OK)


class TelegramWebhook:
    """Answers the one route that Telegram calls."""

    def __init__(self, secret: str, handing: Handing, starting: Starting) -> None:
        self._secret = secret.encode()
        self._handing = handing
        self._starting = starting

    @property
    def route(self) -> Webhook:
        """The route on the gateway."""
        return Webhook(path=WEBHOOK_PATH, ingest=self.ingest)

    async def ingest(self, request: RawRequest, sink: Sink) -> RawResponse:
        """Hand an update over. Raises what the sink raises: the gateway then answers no 2xx, and it comes again.

        What has the secret and is no update is taken all the same: Telegram would bring it for a day, and everything
        behind it in its chat would wait.
        """
        given = next(
            (value for name, value in request.headers.items() if name.lower() == SECRET_HEADER.lower()), ""
        )
        if not self._secret or not hmac.compare_digest(
            given.encode("utf-8", "surrogateescape"), self._secret
        ):
            return _UNAUTHORISED
        try:
            update = json.loads(request.body)
        except ValueError:
            logger.warning(
                "a webhook of Telegram's with %d bytes that are no JSON is left out", len(request.body)
            )
            return _TAKEN
        await self._handing.hand_over(update, await self._starting.me(), sink, request.body)
        return _TAKEN
