"""Aside's own roles as processes beside fake platforms: one data directory, one Valkey, one engine."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.fixtures.deployment import free_port
from tests.platforms.process import ROOT, Cloud
from tests.platforms.roles import VARIABLE

#: A bound on every wait of a test; reached only by a failure.
PATIENCE_S = 60.0


@dataclass(kw_only=True)
class Roles:
    """Processes of one deployment; all are ended with it."""

    data_dir: Path
    env: dict[str, str]
    clouds: tuple[Cloud, ...]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, role: str, **env: str) -> "subprocess.Popen[bytes]":
        """Start a role; its output goes to a file of the data directory."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "tests.platforms.roles", role, "--data-dir", str(self.data_dir)]
        with (self.data_dir / f"{role}.out").open("ab") as out:
            process = subprocess.Popen(
                argv, cwd=ROOT, env=self._environ() | env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.processes.append(process)
        return process

    async def start_gateway(self) -> "Gateway":
        """Start a gateway on a free port and wait until it takes webhooks."""
        port = free_port()
        process = self.start("gateway", ASIDE_GATEWAY_PORT=str(port))
        gateway = Gateway(process=process, url=f"http://127.0.0.1:{port}", start=self)
        await gateway.until_it_answers()
        return gateway

    async def told(self, gateways: Iterable["Gateway"]) -> None:
        """Tell every platform which gateways there are."""
        urls = [gateway.url for gateway in gateways]
        for cloud in self.clouds:
            await cloud.client.set_gateways([cloud.hook(url) for url in urls])

    async def end(self) -> None:
        """End whatever still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self.processes:
            await asyncio.to_thread(process.wait)

    def _environ(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ASIDE_")}
        clouds = {cloud.name: cloud.settings.to_wire() for cloud in self.clouds}
        return inherited | {VARIABLE: json.dumps(clouds)} | self.env


@dataclass(kw_only=True)
class Gateway:
    """A gateway process and where it listens."""

    process: subprocess.Popen[bytes]
    url: str
    start: Roles

    async def until_it_answers(self) -> None:
        """Wait until it takes connections."""
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
            while not await _lives(session, self.url):
                assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}"
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    async def restart(self) -> None:
        """Start it again where it was."""
        port = self.url.rpartition(":")[2]
        self.process = self.start.start("gateway", ASIDE_GATEWAY_PORT=port)
        await self.until_it_answers()


async def _lives(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/livez") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@asynccontextmanager
async def roles(
    data_dir: Path,
    clouds: Iterable[Cloud],
    *,
    redis_url: str,
    engine_url: str,
    database_url: str = "",
    lease_s: float = 2.0,
    **more: str,
) -> AsyncIterator[Roles]:
    """Make a deployment on a migrated database, without the faces of its own."""
    env = {
        "ASIDE_REDIS_URL": redis_url,
        "ASIDE_ENGINE_URL": engine_url,
        "ASIDE_WORKER_LEASE_S": str(lease_s),
        "ASIDE_TERMINAL_ENABLED": "false",
        "ASIDE_WEBCHAT_ENABLED": "false",
        **more,
    }
    if database_url:
        env["ASIDE_DATABASE_URL"] = database_url
    deployment = Roles(data_dir=data_dir, env=env, clouds=tuple(clouds))
    try:
        yield deployment
    finally:
        await deployment.end()
