"""Privacy through real processes on a real Valkey: what is heard reaches the worker, what is off stays silent."""

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.skills.privacy_texts import introduction
from bot.store.redis_client import open_redis
from tests.fixtures.deployment import Deployment, Terminal, at_terminal, free_port
from tests.fixtures.eventually import eventually
from tests.fixtures.held_engine import HeldEngine, held_engine
from tests.fixtures.introduced import answer_of
from tests.fixtures.remembered import a_chat
from tests.fixtures.valkey import RealServer

CANARY = "the canary sings"


@pytest.fixture
async def engine() -> AsyncIterator[tuple[HeldEngine, str]]:
    async with held_engine() as (engine, url):
        engine.go_on()
        yield engine, url


@pytest.fixture
async def deployment(
    engine: tuple[HeldEngine, str], own_valkey: RealServer, make_database: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Deployment]:
    """A gateway and a worker, each a process of its own."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        deployment = Deployment(
            data_dir=Path(folder) / "var",
            env={
                "ASIDE_ENGINE_URL": engine[1],
                "ASIDE_DATABASE_URL": await make_database("sqlite"),
                "ASIDE_REDIS_URL": own_valkey.url,
                "ASIDE_GATEWAY_PORT": str(free_port()),
                "ASIDE_WEBCHAT_ENABLED": "false",
            },
        )
        try:
            await deployment.until_reachable(deployment.start("gateway"))
            deployment.start("worker")
            yield deployment
        finally:
            await asyncio.to_thread(deployment.end)


async def ask(terminal: Terminal, text: str) -> str:
    """Ask, and return the whole reply."""
    return (await terminal.reply_to(await terminal.say(text))).text


async def test_what_a_gateway_hears_reaches_the_worker(
    deployment: Deployment, engine: tuple[HeldEngine, str], own_valkey: RealServer
) -> None:
    async with at_terminal(deployment, "ann", "team") as ann, at_terminal(deployment, "bob", "team") as bob:
        first = await ask(ann, "@assistant /privacy recent 5 1")
        assert first.startswith(f"*{introduction('assistant', a_chat(), 30)}*")
        assert "is now `recent 5 1`" in answer_of(first)
        await eventually(lambda: _is_heard(bob, own_valkey))
        await ask(ann, "@assistant what is it?")
    assert f"‹recent from bob› {CANARY}" in engine[0].prompts()[-1]


async def _is_heard(bob: Terminal, server: RealServer) -> bool:
    """Say it, and look whether the gateway knows by now that it may be remembered."""
    await bob.say(CANARY)
    async with open_redis(server.url) as client:
        values = [await client.get(key) async for key in client.scan_iter("chat:*:ambient:*")]
    assert not any(CANARY.encode() in value for value in values)
    return bool(values)


async def test_what_is_off_stays_silent_until_it_is_switched_on(
    deployment: Deployment, engine: tuple[HeldEngine, str]
) -> None:
    async with at_terminal(deployment, "ann", "team") as ann:
        assert "Switched off" in await ask(ann, "@assistant /privacy off")
        # A gateway knows within five seconds; until then the worker says why it does not answer.
        await eventually(lambda: _is_ignored(ann, deployment))
        assert "is now `mentions`" in await ask(ann, "@assistant /privacy on")
    assert not engine[0].requests


async def _is_ignored(ann: Terminal, deployment: Deployment) -> bool:
    before = _turns(deployment)
    await ann.say("@assistant what time is it?")
    return _turns(deployment) == before


def _turns(deployment: Deployment) -> int:
    path = deployment.env["ASIDE_DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as record:
        [count] = record.execute("SELECT count(*) FROM turns").fetchone()
    return int(count)
