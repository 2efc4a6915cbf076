"""Twilio's REST API as far as it is used, through Twilio's library. Every call raises an `AdapterError`."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from adapters.errors import Ambiguous
from adapters.twilio.health import Health
from adapters.twilio.settings import TwilioSettings
from adapters.twilio.transport import TwilioHttp, open_session

#: The library reads a region and an edge from the environment where it is given none of its own.
_NO_ENVIRONMENT: Final = {"TWILIO_REGION": ""}
#: What arrived nowhere may be sent again: it is not what somebody looks for.
_LOST: Final = frozenset({"failed", "undelivered", "canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A message of ours as Twilio lists it."""

    sid: str
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message that WhatsApp has approved, and what fills its variables."""

    sid: str
    variables: dict[str, str]


class Rest:
    """The calls. Use it as an async context manager."""

    def __init__(self, settings: TwilioSettings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._opened = AsyncExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connections."""
        self._session = await self._opened.enter_async_context(self.open_session())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close them; again is harmless."""
        await self._opened.aclose()

    def open_session(self) -> aiohttp.ClientSession:
        """Open what calls are made by; whoever watches them gives another one."""
        return open_session(self._settings)

    @property
    def session(self) -> aiohttp.ClientSession:
        """What calls are made by that the library does not know."""
        assert self._session is not None, "the adapter's lifetime has not begun"
        return self._session

    def client(self, user: str = "", secret: str = "") -> Any:
        """Make Twilio's client, by the API key or by other credentials."""
        settings = self._settings
        http = TwilioHttp(self.session, Health() if user else self._health, settings.api_base)
        return Client(
            user or settings.api_key,
            secret or settings.api_secret,
            settings.account_sid,
            http_client=http,
            environment=_NO_ENVIRONMENT,
        )

    async def create(self, to: str, sender: str, body: str | Template) -> str:
        """Send a message; give its SID."""
        said = (
            {"body": body}
            if isinstance(body, str)
            else {
                "content_sid": body.sid,
                "content_variables": json.dumps(body.variables, ensure_ascii=False),
            }
        )
        service = self._settings.messaging_service
        if service and sender.startswith("+"):
            said["messaging_service_sid"] = service
        with understood():
            created = await self.client().messages.create_async(
                to=to, from_=sender, status_callback=self._settings.status_url, **said
            )
        return str(created.sid)

    async def recent(self, sender: str, to: str, most: int) -> list[Listed]:
        """List the newest messages that a sender sent to a person, without those that are known not to arrive."""
        with understood():
            found = await self.client().messages.list_async(to=to, from_=sender, limit=most, page_size=most)
        return [
            Listed(sid=each.sid, body=each.body or "", created_at=each.date_created or datetime.now(UTC))
            for each in found
            if each.direction == "outbound-api" and str(each.status) not in _LOST
        ]

    async def message(self, sid: str) -> Any:
        """Read a message, a person's or ours."""
        with understood():
            return await self.client().messages(sid).fetch_async()

    async def show_typing(self, message: str) -> None:
        """Show on WhatsApp that an answer to a message is written; the message is marked as read."""
        with understood():
            await self.client().messaging.v2.typing_indicator.create_async(
                channel="whatsapp", message_id=message
            )


@contextmanager
def understood() -> Iterator[None]:
    """Translate what the library makes of an answer that it cannot read: it was carried out, or it was not."""
    try:
        yield
    except (TwilioException, ValueError, KeyError, TypeError) as exc:
        raise Ambiguous(f"Twilio's answer cannot be read: {type(exc).__name__}") from exc
