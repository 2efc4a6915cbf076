"""A gateway process as it is deployed, with people and rooms already in its store."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.webchat.cookie import GuestCookie
from adapters.webchat.house import House, HouseRules
from bot.chat import key_file
from bot.chat.aes_vault import AesVault
from bot.clock import SystemClock
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.schema import migrate

ROOT = Path(__file__).parents[1]
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One person of the bench: their cookie, and the rooms they are in."""

    cookie: str
    large: str
    small: str


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A gateway that runs, and who may come to it."""

    process: "subprocess.Popen[bytes]"
    port: int
    seats: list[Seat]


@asynccontextmanager
async def gateway(*, people: int, small: int) -> AsyncIterator[World]:
    """Run `aside gateway` on real Valkey and SQLite, with everybody in one large room and in one of `small`."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        settings = Settings(data_dir=Path(folder))
        settings.data.create()
        await migrate(settings.database_url)
        seats = await _settled(settings, people, small)
        async with EmbeddedValkey(settings.data.valkey) as valkey:
            process, port = _started(settings, valkey.url)
            try:
                await _listening(process, port)
                yield World(process=process, port=port, seats=seats)
            finally:
                process.terminate()
                process.wait(timeout=_PATIENCE_S)


async def _settled(settings: Settings, people: int, small: int) -> list[Seat]:
    """Let everybody in before the gateway starts: it owns the store from then on."""
    vault = AesVault(
        key_file.load_or_create(settings.vault_key_file), organisation=settings.vault.organisation
    )
    clock = SystemClock()
    async with Database(settings.database_url) as database:
        records = SqlRecordStore(database, vault, "webchat", clock)
        house = House(records, clock.now, ("assistant",), HouseRules())
        host = (await house.enter(None, "Guest 0", "blue")).id
        large = await house.create(host, "Everybody", "large")
        tables = [
            await house.create(host, f"Table {number}", f"t{number}") for number in range(people // small)
        ]
        to_large = (await house.invite(host, large.id)).code
        codes = [(await house.invite(host, table.id)).code for table in tables]
        cookie = GuestCookie(await house.cookie_secret())
        seats = []
        for number in range(people):
            person = (
                host if number == 0 else (await house.enter(None, f"Guest {number}", "blue", to_large)).id
            )
            table = await house.join(person, codes[number % len(codes)])
            seats.append(Seat(cookie=cookie.value(person, clock.now()), large=large.id, small=table.id))
        for table in tables[1:]:
            await house.leave(host, table.id)
        return seats


def _started(settings: Settings, redis_url: str) -> "tuple[subprocess.Popen[bytes], int]":
    port = _free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ASIDE_")} | {
        "ASIDE_REDIS_URL": redis_url,
        "ASIDE_ENGINE_URL": "http://127.0.0.1:9/v1",
        "ASIDE_TERMINAL_ENABLED": "false",
        "ASIDE_GATEWAY_PORT": "0",
        "ASIDE_WEBCHAT_PORT": str(port),
    }
    command = [sys.executable, "-m", "bot", "gateway", "--data-dir", str(settings.data_dir)]
    with (settings.data_dir / "gateway.out").open("wb") as out:
        return subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out), port


async def _listening(process: "subprocess.Popen[bytes]", port: int) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the gateway ended with {process.returncode} instead of listening")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
