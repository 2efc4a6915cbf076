"""A deployment to be broken: platforms, gateways, workers, engine, Valkey and a database, with proxies in between."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.chat import key_file
from bot.store.schema import migrate
from tests.chaos import clouds
from tests.chaos.clouds import Cloud
from tests.chaos.crew import Crew, Part
from tests.chaos.plan import LEASE_S, Kind, Plan
from tests.chaos.proxy import Proxy, Upstream
from tests.chaos.servers import Postgres, postgres, valkey
from tests.fixtures.valkey import RealServer

ENGINE = "engine"
#: Below the ports that outgoing connections get: a gateway finds its own again after every restart.
_FIRST_PORT, _LAST_PORT = 20_000, 31_000
#: How long a gateway may take to start, and how often it is looked whether it has, in seconds.
_START_S, _LOOK_EVERY_S = 60.0, 0.05


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that runs, by name."""

    crew: Crew
    clouds: dict[str, Cloud]
    redis: RealServer
    #: None on SQLite.
    database: Postgres | None
    proxies: dict[str, Proxy] = field(default_factory=dict)


@asynccontextmanager
async def running(plan: Plan, folder: Path, tell: Callable[[str], None]) -> AsyncIterator[World]:
    """Start a deployment with everything it keeps in `folder`."""
    async with AsyncExitStack() as stack:
        crew, database, platforms = await asyncio.gather(
            stack.enter_async_context(Crew(tell).working()),
            _database(plan, stack),
            asyncio.gather(*_clouds(plan, folder, stack)),
        )
        redis = stack.enter_context(valkey())
        world = World(
            crew=crew, clouds={cloud.name: cloud for cloud in platforms}, redis=redis, database=database
        )
        await _Builder(plan, folder, world, stack).build()
        yield world


async def _database(plan: Plan, stack: AsyncExitStack) -> Postgres | None:
    return await stack.enter_async_context(postgres()) if plan.database is Kind.POSTGRESQL else None


def _clouds(plan: Plan, folder: Path, stack: AsyncExitStack) -> list["asyncio.Future[Cloud]"]:
    return [
        asyncio.ensure_future(stack.enter_async_context(clouds.running(stage, folder, plan.seed)))
        for stage in plan.stages()
    ]


class _Builder:
    """Builds the deployment's own processes and what lies between them."""

    def __init__(self, plan: Plan, folder: Path, world: World, stack: AsyncExitStack) -> None:
        self._plan = plan
        self._folder = folder
        self._world = world
        self._stack = stack
        self._ports: list[int] = []

    async def build(self) -> None:
        """Start everything and tell the platforms where the gateways are."""
        key_file.load_or_create(self._folder / "vault.key")
        if self._world.database is None:
            await migrate(self._sqlite)
        # Beside Valkey's: the path of a unix socket must be short.
        uds = self._world.redis.socket.with_name("engine.sock")
        await self._world.crew.start(self._part(ENGINE, "tests.chaos.engine", str(uds)))
        await self._proxy(ENGINE, Upstream(uds=uds))
        hooks = [await self._gateway(name) for name in self._plan.gateways]
        for name in self._plan.workers:
            await self._role("worker", name)
        # A vendor that calls us gives a message up soon.
        await asyncio.gather(*(_until_it_listens(port) for port in self._ports))
        for cloud in self._world.clouds.values():
            await cloud.client.set_gateways([cloud.hook(hook) for hook in hooks])

    @property
    def _sqlite(self) -> str:
        return f"sqlite:///{self._folder / 'record' / 'aside.db'}"

    async def _gateway(self, name: str) -> str:
        """Start a gateway and return where the platforms reach it."""
        port = _quiet_port()
        self._ports.append(port)
        proxy = await self._proxy(f"to-{name}", Upstream(port=port))
        await self._role("gateway", name, ASIDE_GATEWAY_PORT=str(port))
        return f"http://127.0.0.1:{proxy.port}"

    async def _role(self, role: str, name: str, **env: str) -> None:
        """Start a process with ways of its own to Redis and the database: one may be cut off alone."""
        world, data = self._world, self._folder / name
        data.mkdir(mode=0o700)
        redis = await self._proxy(f"{name}-redis", Upstream(uds=world.redis.socket))
        url = self._sqlite
        if world.database is not None:
            proxy = await self._proxy(f"{name}-database", Upstream(uds=world.database.socket))
            url = f"postgresql://postgres@127.0.0.1:{proxy.port}/aside"
        env |= clouds.environment(world.clouds.values()) | {
            "ASIDE_DATABASE_URL": url,
            "ASIDE_REDIS_URL": f"redis://127.0.0.1:{redis.port}",
            "ASIDE_ENGINE_URL": f"http://127.0.0.1:{world.proxies[ENGINE].port}",
            "ASIDE_VAULT_KEY_FILE": str(self._folder / "vault.key"),
            "ASIDE_WORKER_LEASE_S": f"{LEASE_S:g}",
            "ASIDE_WORKER_DRAIN_S": "3",
            "ASIDE_WEBCHAT_ENABLED": "false",
            "ASIDE_TERMINAL_ENABLED": "false",
        }
        part = self._part(name, "tests.chaos.roles", role, "--data-dir", str(data), **env)
        await world.crew.start(part)

    def _part(self, name: str, module: str, *argv: str, **env: str) -> Part:
        return Part(name=name, module=module, argv=argv, env=env, out=self._folder / f"{name}.out")

    async def _proxy(self, name: str, upstream: Upstream) -> Proxy:
        proxy = await self._stack.enter_async_context(Proxy(name, upstream).listening())
        self._world.proxies[name] = proxy
        return proxy


async def _until_it_listens(port: int) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                writer.close()
                return


def _quiet_port() -> int:
    """Find a port that nobody uses now and no outgoing connection will take."""
    while True:
        port = random.randint(_FIRST_PORT, _LAST_PORT)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
