"""The servers a deployment stands on, as things that can be stopped, killed and started: PostgreSQL and Valkey."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from bot.store.schema import migrate
from tests.fixtures.databases import owner_of_postgres, postgres_programs, within_reach
from tests.fixtures.valkey import RealServer, find_server

_START_S = 30.0
_POLL_S = 0.02
_NAME = "aside"


class Postgres:
    """A PostgreSQL on a unix socket with one migrated database, which survives every restart."""

    def __init__(self, programs: Path, folder: Path, owner: dict[str, int]) -> None:
        self._programs = programs
        self._folder = folder
        self._owner = owner
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._folder / ".s.PGSQL.5432"

    async def create(self) -> None:
        """Make the cluster and the database, and start."""
        initdb = [self._programs / "initdb", "-D", self._folder / "data", "-U", "postgres"]
        options = ["-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        await asyncio.to_thread(
            subprocess.run,
            [*initdb, *options],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._owner,
        )
        await self.start()
        connection = await self._connect()
        await connection.execute(f"CREATE DATABASE {_NAME}")
        await connection.close()
        await migrate(f"postgresql://postgres@/{_NAME}?host={self._folder}")

    async def start(self) -> None:
        """Start and wait until it answers."""
        argv = [self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder, "-h", ""]
        with (self._folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - one short moment
                [*argv, "-F", "-N", "80"], stdout=log, stderr=log, cwd=self._folder, **self._owner
            )
        async with asyncio.timeout(_START_S):
            while True:
                try:
                    await (await self._connect()).close()
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(_POLL_S)
                else:
                    return

    async def stop(self, *, at_once: bool) -> None:
        """Stop it in order, or as a crash does."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            await asyncio.to_thread(process.wait, _START_S)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(user="postgres", database="postgres", host=str(self._folder))


@asynccontextmanager
async def postgres() -> AsyncIterator[Postgres]:
    """Run a PostgreSQL in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="aside-chaos-pg-"))
    owner = owner_of_postgres()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    programs = postgres_programs()
    server = None
    try:
        if owner:
            programs = await asyncio.to_thread(within_reach, programs, folder)
        server = Postgres(programs, folder, owner)
        await server.create()
        yield server
    finally:
        if server is not None:
            await server.stop(at_once=True)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def valkey() -> Iterator[RealServer]:
    """Run a Valkey that keeps an append-only file, in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="aside-chaos-") as folder:
        server = RealServer(find_server(), Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
