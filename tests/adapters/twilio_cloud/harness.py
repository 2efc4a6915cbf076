"""A caller of the cloud's API and a gateway in little; Twilio's library is asked about signatures alone."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from tests.adapters.twilio_cloud.cloud import ANN, Cloud, address

#: What the world calls the gateway.
PUBLIC = "https://bot.example.org"


def basic(user: str, secret: str) -> dict[str, str]:
    """Write the header of a Basic authorization."""
    return {"Authorization": aiohttp.encode_basic_auth(user, secret)}


class Caller:
    """Calls the API as a bare HTTP client, without Twilio's library."""

    def __init__(self, cloud: Cloud, session: aiohttp.ClientSession) -> None:
        self.session = session
        self._cloud = cloud
        account = cloud.account
        self.auth = basic(*next(iter(account.keys.items())))
        self.messages = f"{cloud.url}/2010-04-01/Accounts/{account.sid}/Messages.json"

    async def send(self, fields: Any = None, **more: str) -> tuple[int, dict[str, Any]]:
        """POST a WhatsApp message to Ann, or other fields; give the status and the JSON."""
        if fields is None:
            sender = next(iter(self._cloud.account.senders))
            fields = {"To": address(ANN), "From": sender, "Body": "hello"} | more
        return await self.post(self.messages, fields)

    async def post(self, url: str, fields: Any, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(url, data=fields, **{"headers": self.auth} | options) as answer:
            return answer.status, await answer.json()

    async def get(self, url: str, **query: str) -> tuple[int, dict[str, Any]]:
        async with self.session.get(url, params=query, headers=self.auth) as answer:
            return answer.status, await answer.json()


@dataclass(slots=True)
class Gateway:
    """Takes webhooks and answers as it is told, the last answer for good."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    content_type: str = "text/xml"
    body: str = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    got: list[dict[str, str]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    #: Nothing is answered before this is set.
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.opened.set()

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.got.append(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        self.requests.append((request.path_qs, dict(request.headers), body))
        await self.opened.wait()
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status, text=self.body, content_type=self.content_type)


def valid(cloud: Cloud, gateway: Gateway, url: str = f"{PUBLIC}/hooks/twilio?a=1&b=") -> bool:
    """Ask Twilio's own library whether the last request is signed well."""
    _, headers, _ = gateway.requests[-1]
    return RequestValidator(cloud.account.token).validate(url, gateway.got[-1], headers["X-Twilio-Signature"])
