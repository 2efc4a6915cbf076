"""A fake Telegram as a real local server: the Bot API, webhooks, and a way for tests to play everybody else.

    python -m tests.adapters.telegram_bot.server --record telegram.db [--token 42:secret] [--port 0] [--reads-all]

prints `listening on http://127.0.0.1:PORT` and serves until it is ended. Bots call `URL/bot<token>/<method>` and
fetch files from `URL/file/bot<token>/<path>`; tests call `URL/control/...` (control_http.py).
"""

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.control_http import ControlHttp
from tests.adapters.telegram_bot.platform import build
from tests.adapters.telegram_bot.rules import TOKEN, Rules
from tests.adapters.telegram_bot.webhooks import Patience

#: More than any call carries.
_MAX_BODY_BYTES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """One platform."""

    record: Path | str = ":memory:"
    rules: Rules = field(default_factory=Rules)
    patience: Patience = field(default_factory=Patience)
    port: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeTelegram:
    """A server that runs."""

    url: str
    control: Control

    @property
    def base_url(self) -> str:
        """What python-telegram-bot calls base_url: the token is put behind it."""
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        """What python-telegram-bot calls base_file_url."""
        return f"{self.url}/file/bot"

    @property
    def token(self) -> str:
        """The bot's token."""
        return self.control.rules.token


@asynccontextmanager
async def serving(settings: ServerSettings | None = None) -> AsyncIterator[FakeTelegram]:
    """Serve a platform on loopback while the context is open."""
    settings = settings or ServerSettings()
    platform = build(settings.record, settings.rules, patience=settings.patience, seed=settings.seed)
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.add_routes([*ControlHttp(platform.control, platform.store).routes(), *platform.api.routes()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    try:
        async with platform.control.webhooks, _waking(platform.control):
            await runner.setup()
            try:
                site = web.TCPSite(runner, "127.0.0.1", settings.port)
                await site.start()
                url = f"http://127.0.0.1:{runner.addresses[0][1]}"
                yield FakeTelegram(url=url, control=platform.control)
            finally:
                await runner.cleanup()
    finally:
        platform.store.close()


@asynccontextmanager
async def strictly_serving(settings: ServerSettings | None = None) -> AsyncIterator[FakeTelegram]:
    """Serve a platform; at the end raise AssertionError if something was asked that no correct bot asks."""
    async with serving(settings) as fake:
        yield fake
        if wrong := fake.control.violations:
            raise AssertionError("; ".join(wrong))


@asynccontextmanager
async def _waking(control: Control) -> AsyncIterator[None]:
    """Begin webhook deliveries whenever there is something new."""

    async def watch() -> None:
        while True:
            control.webhooks.wake()
            await control.news.wait(1.0)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _serve(settings: ServerSettings) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with serving(settings) as fake:
        print(f"listening on {fake.url}", flush=True)  # noqa: T201 - whoever started it reads the port here
        await ended.wait()


def _settings() -> ServerSettings:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, required=True, help="the SQLite file of what is seen")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--username", default="aside_bot")
    parser.add_argument("--reads-all", action="store_true", help="privacy mode off")
    parser.add_argument("--enforce-rates", action="store_true", help="429 past the documented rates")
    parser.add_argument(
        "--longest-pause", type=float, default=Patience().longest_pause_s, help="of a webhook"
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of the faults it draws")
    args = parser.parse_args()
    return ServerSettings(
        record=args.record,
        rules=Rules(
            token=args.token,
            username=args.username,
            reads_all=args.reads_all,
            enforces_rates=args.enforce_rates,
        ),
        patience=Patience(longest_pause_s=args.longest_pause),
        port=args.port,
        seed=args.seed,
    )


if __name__ == "__main__":
    asyncio.run(_serve(_settings()))
