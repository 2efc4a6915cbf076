"""The used part of Twilio's cloud as a real local server, strict, with a way for tests to play its people.

    python -m tests.adapters.twilio_cloud.server --record twilio.db [--port 0] [--seed 7]

prints `listening on http://127.0.0.1:PORT` and serves until it is ended. The account's SID and credentials are those
of `account.py`. In a test:

    async with serving(ServerSettings(record=tmp_path / "twilio.db")) as cloud:
        cloud.proxy("https://bot.example.org", [gateway_url])
        cloud.webhook("https://bot.example.org/hooks/twilio")
        sid = cloud.say("hello")                     # Ann, on WhatsApp
        await cloud.settled()                        # every webhook and callback told
        assert cloud.seen() == ["..."]               # what stands on Ann's phone
        assert cloud.violations() == []
"""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.adapters.twilio_cloud.account import Account, standard_account
from tests.adapters.twilio_cloud.api import Api
from tests.adapters.twilio_cloud.carrier import Carrier
from tests.adapters.twilio_cloud.cloud import Cloud
from tests.adapters.twilio_cloud.console import Console
from tests.adapters.twilio_cloud.control import Control
from tests.adapters.twilio_cloud.errors import Refused
from tests.adapters.twilio_cloud.faults import Faults
from tests.adapters.twilio_cloud.media import Media
from tests.adapters.twilio_cloud.messages import Messages
from tests.adapters.twilio_cloud.people import People
from tests.adapters.twilio_cloud.record import Record
from tests.adapters.twilio_cloud.typing_indicator import TypingIndicators
from tests.adapters.twilio_cloud.webhooks import Webhooks
from tests.platforms.news import News

#: More than any form or control call.
_MAX_BODY_BYTES: Final = 1 << 26
#: Another host than the API's, on which nothing but the loopback device listens. Linux has all of 127/8 there.
_CDN_HOST: Final = "127.0.0.1" if sys.platform == "darwin" else "127.0.0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """One cloud."""

    record: Path
    account: Account = field(default_factory=standard_account)
    port: int = 0
    seed: int = 0
    cdn_host: str = _CDN_HOST


@asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[Cloud]:
    """Serve a cloud on loopback, the CDN on a port of its own; give what a test holds it by."""
    record, news, faults, account = Record(settings.record), News(), Faults(settings.seed), settings.account
    webhooks = Webhooks(account, record, news)
    door, back_door = _bound("127.0.0.1", settings.port), _bound(settings.cdn_host, 0)
    media = Media(account, record, faults, cdn_url=_url(back_door))
    cloud = Cloud(
        account=account,
        record=record,
        faults=faults,
        webhooks=webhooks,
        carrier=Carrier(account, record, webhooks, news, settings.seed),
        people=People(account, record, webhooks, news, api_url=_url(door)),
        typing=TypingIndicators(record),
        news=news,
        url=_url(door),
        cdn_url=_url(back_door),
    )
    try:
        async with webhooks, _served(_api(cloud, media), door), _served(_cdn(media), back_door):
            yield cloud
    finally:
        record.close()


def _api(cloud: Cloud, media: Media) -> web.Application:
    api = Api(cloud.account, cloud.record, cloud.faults, cloud.news)
    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_loudly(api, cloud)])
    app.add_routes(Messages(cloud.account, cloud.record, cloud.carrier).routes(api))
    app.add_routes(media.routes(api))
    app.add_routes(cloud.typing.routes(api))
    app.add_routes(Console(cloud.account).routes(api))
    app.add_routes(Control(cloud).routes())
    return app


def _cdn(media: Media) -> web.Application:
    app = web.Application()
    app.add_routes(media.cdn_routes())
    return app


def _loudly(api: Api, cloud: Cloud) -> Any:
    """Let what this cloud does not have, and what it does not survive, be noticed."""

    @web.middleware
    async def notice(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return api.unknown(request, Refused(20404))
        except web.HTTPMethodNotAllowed:
            return api.unknown(request, Refused(20004))
        except web.HTTPException:
            raise
        except Exception as exc:
            cloud.record.violate(f"the cloud itself broke over {request.method} {request.path}: {exc!r}")
            raise

    return notice


@asynccontextmanager
async def _served(app: web.Application, bound: socket.socket) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        yield
    finally:
        await runner.cleanup()


def _bound(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port))


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()
    return f"http://{host}:{port}"


async def _serve(settings: ServerSettings) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with serving(settings) as cloud:
        print(f"listening on {cloud.url}", flush=True)  # noqa: T201 - whoever started it reads the port here
        await ended.wait()


def _settings() -> ServerSettings:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, required=True, help="the SQLite file of what its people see")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of the faults and orders it draws")
    args = parser.parse_args()
    return ServerSettings(record=args.record, port=args.port, seed=args.seed)


if __name__ == "__main__":
    asyncio.run(_serve(_settings()))
