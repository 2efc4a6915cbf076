"""A vendor's cloud as a real local server: its API for bots, its webhooks, and a way for tests to play its users.

    python -m tests.platforms.server --class B --live edit --record cloud.db --secret s [--port 0] [--seed 7]

prints `listening on http://127.0.0.1:PORT` and serves until it is ended.
"""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from adapters.base import LiveOutput
from adapters.registry import PlatformClass
from tests.platforms.control import Control
from tests.platforms.deliveries import Deliveries, Patience
from tests.platforms.faults import Faults
from tests.platforms.news import News
from tests.platforms.record import Record
from tests.platforms.vendor import Rules, Vendor

#: More than any text this vendor takes.
_MAX_BODY_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """One platform."""

    rules: Rules
    record: Path
    port: int = 0
    seed: int = 0
    patience: Patience = field(default_factory=Patience)


@asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[str]:
    """Serve a platform on loopback; give its URL."""
    record, news, faults = Record(settings.record), News(), Faults(settings.seed)
    secret = settings.rules.token
    deliveries = Deliveries(record, news, secret=secret, patience=settings.patience, seed=settings.seed)
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    control = Control(record=record, faults=faults, deliveries=deliveries, news=news)
    app.add_routes([*Vendor(settings.rules, record, faults, news).routes(), *control.routes()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    try:
        async with deliveries:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", settings.port)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            await runner.cleanup()
    finally:
        record.close()


async def _serve(settings: ServerSettings) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with serving(settings) as url:
        print(f"listening on {url}", flush=True)  # noqa: T201 - whoever started it reads the port here
        await ended.wait()


def _settings() -> ServerSettings:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--class", dest="platform_class", choices=list(PlatformClass), required=True)
    parser.add_argument("--live", choices=list(LiveOutput), default=LiveOutput.EDIT)
    parser.add_argument("--record", type=Path, required=True, help="the SQLite file of what its users see")
    parser.add_argument("--secret", default="secret", help="its bearer token, and the key of its signatures")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of the faults and pauses it draws")
    parser.add_argument("--text-limit", type=int, default=4000, help="code points of one message")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds it tries to deliver an event")
    args = parser.parse_args()
    return ServerSettings(
        rules=Rules(
            platform_class=PlatformClass(args.platform_class),
            live=LiveOutput(args.live),
            token=args.secret,
            text_limit=args.text_limit,
        ),
        record=args.record,
        port=args.port,
        seed=args.seed,
        patience=Patience(in_all_s=args.patience),
    )


if __name__ == "__main__":
    asyncio.run(_serve(_settings()))
