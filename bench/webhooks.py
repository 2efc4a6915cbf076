"""Webhooks of Telegram and Twilio at a steady pace, into a gateway process with its record in SQLite.

Deliveries come when they are due, whether or not the ones before were answered. What the platforms' own servers would
be asked for meanwhile (who the bot is, what somebody quoted) a stand-in here answers at once.
"""

import argparse
import asyncio
import contextlib
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

from adapters.base import SendsFrom
from adapters.twilio.settings import MESSAGES_PATH, STATUS_PATH
from bench import deliveries
from bot.bootstrap import make_intake, open_core
from bot.ingress.gateway import Gateway, GatewaySettings, make_app
from bot.long_lived import spare_the_collector
from bot.probing import make_probes
from bot.settings import Settings
from bot.settings.sections import (
    TelegramSection,
    TerminalSection,
    TurnsSection,
    TwilioSection,
    WebchatSection,
)
from bot.store.schema import migrate
from engine.scripted import ScriptedEngine

_SECRET: Final = "not-a-secret-of-this-bench"  # noqa: S105 - both ends of it are here
_PUBLIC: Final = "https://bot.example.org"
_TOKEN: Final = f"{deliveries.BOT_ID}:not-a-token-of-anybody-at-all"
_CONNECTIONS: Final = 40
_MANY: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as its platform makes it."""

    path: str
    headers: dict[str, str]
    body: bytes
    #: Whether a turn comes of it.
    is_turn: bool


def delivery(number: int, now: int) -> Delivery:
    """Write the next request: of two, one is Telegram's and one is Twilio's."""
    nth = number // 2
    if number % 2:
        headers = {"X-Telegram-Bot-Api-Secret-Token": _SECRET, "Content-Type": "application/json"}
        is_turn = nth % deliveries.PERIOD in (17, 19)
        return Delivery("/hooks/telegram", headers, deliveries.telegram(nth, now), is_turn)
    body = deliveries.twilio(nth)
    path = MESSAGES_PATH if nth % 4 else STATUS_PATH
    fields = parse_qsl(body.decode(), keep_blank_values=True)
    headers = {
        "X-Twilio-Signature": deliveries.twilio_signature(_SECRET, _PUBLIC + path, fields),
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    return Delivery(path, headers, body, bool(nth % 4))


def settings_for(folder: Path, stand_in: str) -> Settings:
    """Set a deployment up whose platforms are the stand-in, and which refuses nobody for waiting."""
    number = deliveries.WHATSAPP.removeprefix("whatsapp:")
    return Settings(
        data_dir=folder,
        terminal=TerminalSection(enabled=False),
        webchat=WebchatSection(enabled=False),
        turns=TurnsSection(
            per_chat_waiting=_MANY, direct_waiting=_MANY, person_waiting=_MANY, total_waiting=_MANY
        ),
        telegram=TelegramSection.model_validate(
            {"token": _TOKEN, "api_url": stand_in, "public_url": _PUBLIC, "secret_token": _SECRET}
        ),
        twilio=TwilioSection.model_validate(
            {
                "account_sid": deliveries.ACCOUNT,
                "api_key": "SK" + "0" * 32,
                "api_secret": _SECRET,
                "auth_tokens": _SECRET,
                "public_url": _PUBLIC,
                "whatsapp_from": number,
                "sms_from": number,
                "whatsapp_policy_acknowledged": True,
                "api_url": stand_in,
            }
        ),
    )


async def serve(folder: Path, stand_in: str) -> None:
    """Be the gateway until stdin ends: its HTTP side, its intake and its record, as the role composes them."""
    settings = settings_for(folder, stand_in)
    settings.data.create()
    await migrate(settings.database_url)
    http = GatewaySettings(port=0)
    async with open_core(settings, None) as core, make_intake(core) as intake:
        assert all(each.adapter.sends_from is SendsFrom.ANY for each in core.platforms.values())
        webhooks = [webhook for platform in core.platforms.values() for webhook in platform.webhooks]
        app = make_app(webhooks, intake, make_probes(core, ScriptedEngine(lambda _: "")), http)
        async with Gateway(app, http) as gateway:
            spare_the_collector()
            print(gateway.port, flush=True)
            await asyncio.to_thread(sys.stdin.read)


@contextlib.asynccontextmanager
async def _stand_in() -> AsyncIterator[str]:
    async def bot_api(_: web.Request) -> web.Response:
        me = {"id": deliveries.BOT_ID, "is_bot": True, "first_name": "Aside", "username": deliveries.BOT_NAME}
        return web.json_response({"ok": True, "result": me | {"can_read_all_group_messages": True}})

    async def message(request: web.Request) -> web.Response:
        said: dict[str, Any] = {"sid": request.match_info["sid"], "body": "The train leaves at noon."}
        return web.json_response(said | {"from": deliveries.WHATSAPP, "to": "", "price": "-0.005"})

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", bot_api)
    app.router.add_get("/2010-04-01/Accounts/{account}/Messages/{sid}.json", message)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _gateway(folder: Path, stand_in: str) -> AsyncIterator[str]:
    argv = [sys.executable, "-m", "bench.webhooks", str(folder), stand_in]
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = await process.stdout.readline()
        if not port:
            raise RuntimeError("the gateway ended early")
        yield f"http://127.0.0.1:{int(port)}"
    finally:
        await process.communicate(b"")


async def measured_webhooks(webhooks: int, per_s: float) -> dict[str, float]:
    """Deliver so many at so many a second. Raises `RuntimeError` where one is refused, or a turn is not committed."""
    now, due, before_s, random = int(time.time()), 0.0, _children_s(), Random(7)
    requests = [delivery(number, now) for number in range(webhooks)]
    with tempfile.TemporaryDirectory(prefix="aside-") as name:
        folder = Path(name)
        async with (
            _stand_in() as stand_in,
            _gateway(folder, stand_in) as url,
            aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=_CONNECTIONS)) as session,
        ):
            await _deliver(session, delivery(webhooks | 1, now), time.perf_counter())
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                tasks = []
                for request in requests:
                    await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
                    tasks.append(group.create_task(_deliver(session, request, began + due)))
                    due += random.expovariate(per_s)
            took_s = time.perf_counter() - began
        waits_s = [task.result() for task in tasks]
        extra = delivery(webhooks | 1, now).is_turn
        record = settings_for(folder, _PUBLIC).data.database
        _require_committed(record, sum(request.is_turn for request in requests) + extra)
    percentiles = statistics.quantiles(waits_s, n=100)
    return {
        "webhook_p99_ms": percentiles[98] * 1000,
        "webhook_p50_ms": percentiles[49] * 1000,
        "webhook_longest_ms": max(waits_s) * 1000,
        "webhooks_per_s": webhooks / took_s,
        "gateway_cpu_ms": (_children_s() - before_s) / webhooks * 1000,
    }


def _children_s() -> float:
    """Tell the processor time of gateways that have ended, their start included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _deliver(session: aiohttp.ClientSession, request: Delivery, due_s: float) -> float:
    """Deliver one; the seconds from when it was due to its answer. Raises `RuntimeError` where it is refused."""
    async with session.post(request.path, data=request.body, headers=request.headers) as answer:
        await answer.read()
        if not answer.ok:
            raise RuntimeError(f"{request.path} answered {answer.status}")
    return time.perf_counter() - due_s


def _require_committed(record: Path, turns: int) -> None:
    """Compare what stands in the record; a burst of one person's is one turn, so that messages are counted."""
    with contextlib.closing(sqlite3.connect(record)) as database:
        (found,) = database.execute("SELECT count(*) FROM inbounds").fetchone()
    if found != turns:
        raise RuntimeError(f"{found} messages are committed, of {turns} acknowledged")


def main() -> None:
    """Be the gateway of the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks")
    parser.add_argument("folder", type=Path)
    parser.add_argument("stand_in")
    asked = parser.parse_args()
    asyncio.run(serve(asked.folder, asked.stand_in))


if __name__ == "__main__":
    main()
