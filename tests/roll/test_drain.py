"""What SIGTERM means, with real processes: nothing new is begun, what runs is ended or handed on, uncharged."""

import asyncio
import signal
import socket
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.eventually import eventually
from tests.fixtures.held_engine import REPLY, HeldEngine, held_engine
from tests.fixtures.valkey import RealServer
from tests.platforms.client import Seen
from tests.platforms.deployment import Gateway, Roles, roles
from tests.platforms.process import Cloud, running_cloud

#: So long that whoever waited for a lease to end would be found out.
LEASE_S = 120.0


@dataclass(kw_only=True)
class World:
    """One platform, one deployment, an engine in the test's hands."""

    cloud: Cloud
    roles: Roles
    engine: HeldEngine
    database: Path
    gateways: list[Gateway]

    async def asked(self, text: str, conversation: str = "room") -> str:
        """Say something; return when the engine has begun to answer it."""
        before = len(self.engine.requests)
        mention = await self.cloud.client.say(text, conversation=conversation)
        await self.engine.until(lambda: len(self.engine.requests) > before)
        return mention

    async def answered(self, *conversations: str) -> Seen:
        """Wait until the whole reply stands in each conversation."""
        return await self.cloud.client.until(
            lambda seen: all(REPLY in seen.texts(conversation) for conversation in conversations)
        )

    def turns(self) -> list[tuple[str, int]]:
        """Read every turn's state and attempts, in the order of acceptance."""
        with closing(sqlite3.connect(self.database)) as record:
            return record.execute("SELECT state, attempts FROM turns ORDER BY id").fetchall()

    async def settled(self) -> list[tuple[str, int]]:
        """Wait until every turn has ended; return them."""

        async def ended() -> bool:
            return all(state not in ("waiting", "replied", "sending") for state, _ in self.turns())

        await eventually(ended)
        return self.turns()


async def until_over(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process's exit status."""
    async with asyncio.timeout(30):
        return await asyncio.to_thread(process.wait)


@pytest.fixture
async def world(
    tmp_path: Path,
    own_valkey: RealServer,
    make_database: Callable[[str], Awaitable[str]],
    request: pytest.FixtureRequest,
) -> AsyncIterator[World]:
    """Class A with live edits; a worker is given as long to drain as the test's parameter says, 20 s without."""
    drain_s = getattr(request, "param", 20.0)
    url = await make_database("sqlite")
    async with (
        running_cloud(tmp_path, "A", live="edit") as cloud,
        held_engine() as (engine, engine_url),
        roles(
            tmp_path / "data",
            [cloud],
            redis_url=own_valkey.url,
            engine_url=engine_url,
            database_url=url,
            lease_s=LEASE_S,
            ASIDE_WORKER_DRAIN_S=str(drain_s),
        ) as deployment,
    ):
        gateways = [await deployment.start_gateway()]
        await deployment.told(gateways)
        database = Path(url.removeprefix("sqlite:///"))
        yield World(cloud=cloud, roles=deployment, engine=engine, database=database, gateways=gateways)


@pytest.mark.parametrize("world", [0.2], indirect=True, ids=["a short grace"])
async def test_a_turn_that_outlasts_the_grace_is_handed_on_uncharged(world: World) -> None:
    """The other worker takes it at once, goes on in the same message, and no attempt is counted."""
    first = world.roles.start("worker")
    await world.asked("what time is it?")
    first.send_signal(signal.SIGTERM)
    assert await until_over(first) == 0
    assert world.turns() == [("waiting", 0)]
    world.engine.go_on()
    world.roles.start("worker")
    seen = await world.answered("room")
    assert seen.texts("room") == [REPLY]
    assert await world.settled() == [("sent", 0)]
    assert len(world.engine.requests) == 2


async def test_a_turn_that_ends_within_the_grace_is_answered_by_the_worker_that_stops(world: World) -> None:
    """And nothing new is taken: what is said after the signal waits for the next worker."""
    first = world.roles.start("worker")
    await world.asked("what time is it?")
    first.send_signal(signal.SIGTERM)
    await world.cloud.client.say("and here?", conversation="other")
    await eventually(lambda: _has_turns(world, 2))
    world.engine.go_on()
    await world.answered("room")
    assert await until_over(first) == 0
    assert [attempts for _, attempts in world.turns()] == [0, 0]
    assert len(world.engine.requests) == 1
    world.roles.start("worker")
    await world.answered("room", "other")
    assert await world.settled() == [("sent", 0), ("sent", 0)]


async def _has_turns(world: World, number: int) -> bool:
    return len(world.turns()) >= number


@contextmanager
def held_file(database: Path) -> Iterator[None]:
    """Hold SQLite's write lock, so that whatever is to be committed waits."""
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield


async def test_a_webhook_in_progress_is_answered_by_the_gateway_that_stops(world: World) -> None:
    """It waits for its commit when the signal comes: it is committed and acknowledged at the first delivery."""
    gateway = world.gateways[0].process
    with held_file(world.database):
        mention = await world.cloud.client.say("what time is it?")
        await eventually(lambda: _is_under_way(world))
        gateway.send_signal(signal.SIGTERM)
        await eventually(lambda: _listens_no_more(world.gateways[0].url))
    assert await until_over(gateway) == 0
    seen = await world.cloud.client.until(lambda seen: seen.mentions[mention].acked_at is not None)
    assert seen.mentions[mention].statuses == (200,)
    assert len(world.turns()) == 1
    # Nobody put the chat: whoever comes next finds it in the record.
    world.engine.go_on()
    world.roles.start("worker")
    assert (await world.answered("room")).texts("room") == [REPLY]


async def test_what_is_said_while_the_only_gateway_is_replaced_is_answered_once(world: World) -> None:
    """The platform delivers again until somebody acknowledges."""
    world.engine.go_on()
    world.roles.start("worker")
    gateway = world.gateways[0]
    gateway.process.send_signal(signal.SIGTERM)
    assert await until_over(gateway.process) == 0
    mention = await world.cloud.client.say("what time is it?")
    await world.cloud.client.until(lambda seen: seen.mentions[mention].deliveries > 0)
    await gateway.restart()
    seen = await world.answered("room")
    assert seen.texts("room") == [REPLY]
    assert await world.settled() == [("sent", 0)]


async def _is_under_way(world: World) -> bool:
    await world.cloud.client.page()
    return world.cloud.client.under_way > 0


async def _listens_no_more(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0
