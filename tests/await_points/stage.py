"""The test's side: forks processes through the zygote, hears what they report, and wakes and ends them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.await_points.child import Role
from tests.platforms.process import ROOT

#: A bound on every wait; reached only by a failure.
PATIENCE_S = 120.0


class Ended(Exception):
    """The process is gone, and with it what was waited for."""


@dataclass(kw_only=True)
class Actor:
    """A forked process."""

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def report(self) -> dict[str, Any]:
        """Wait for its next report. Raises `Ended`."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                line = await self.reader.readline()
            except ConnectionError:
                line = b""
        if not line:
            raise Ended
        report: dict[str, Any] = json.loads(line)
        return report

    async def ask(self, order: str) -> dict[str, Any]:
        """Give an order and wait for the report on it."""
        self.writer.write(f"{order}\n".encode())
        return await self.report()

    async def is_stopped(self) -> None:
        """Wait until the kernel has stopped it."""
        async with asyncio.timeout(PATIENCE_S):
            while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
                await asyncio.sleep(0.002)

    async def is_gone(self) -> None:
        """Wait until it has ended."""
        with suppress(Ended):
            while True:
                await self.report()

    def wake(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> None:
        """End it, stopped or not."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.writer.close()


@dataclass(kw_only=True)
class Stage:
    """Where processes come from."""

    zygote: subprocess.Popen[str]
    reports: Path
    arrivals: dict[str, asyncio.Future[Actor]] = field(default_factory=dict)

    @asynccontextmanager
    async def actor(self, role: Role) -> AsyncIterator[Actor]:
        """Fork a process and end it when the context is left."""
        arrival = self.arrivals[role.name] = asyncio.get_running_loop().create_future()
        assert self.zygote.stdin is not None
        self.zygote.stdin.write(json.dumps(asdict(role)) + "\n")
        self.zygote.stdin.flush()
        async with asyncio.timeout(PATIENCE_S):
            actor = await arrival
        try:
            yield actor
        finally:
            actor.end()

    async def arrive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the connection of a process that was forked."""
        hello = json.loads(await reader.readline())
        actor = Actor(pid=hello["pid"], reader=reader, writer=writer)
        self.arrivals.pop(hello["name"]).set_result(actor)


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """Start the zygote."""
    with (folder / "zygote.log").open("a") as log:
        zygote = subprocess.Popen(  # noqa: ASYNC220 - one short moment
            [sys.executable, "-m", "tests.await_points.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    stage = Stage(zygote=zygote, reports=folder / "reports.sock")
    server = await asyncio.start_unix_server(stage.arrive, stage.reports)
    try:
        yield stage
    finally:
        assert zygote.stdin is not None
        zygote.stdin.close()
        zygote.wait()
        server.close()
