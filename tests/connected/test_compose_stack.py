"""docker-compose.yml's own commands and environment, run as processes: gateway and worker apart, secrets in files."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from redis.exceptions import AuthenticationError

from adapters.base import LivePhase
from adapters.terminal.frames import Live
from bot.store.redis_client import open_redis
from engine.scripted import ScriptedEngine, steady
from tests.fixtures.compose_stack import Stack, open_stack
from tests.fixtures.deployment import Deployment, at_terminal
from tests.fixtures.introduced import answer_of

pytestmark = pytest.mark.timeout(300)

WORDS = [f"word{number} " for number in range(40)]


@pytest.fixture(scope="module")
def folder() -> AsyncIterator[Path]:
    """Give a folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="aside-") as name:
        yield Path(name)


@pytest.fixture
async def stack(folder: Path) -> AsyncIterator[Stack]:
    """Run both stores and an engine that streams for two seconds."""
    engine = ScriptedEngine(WORDS, pace=steady(first_s=0.05, each_s=0.05))
    async with open_stack(folder, engine) as opened:
        yield opened


async def test_a_mention_at_the_gateway_is_answered_by_the_worker_and_everybody_sees_it_grow(
    stack: Stack,
) -> None:
    early = await asyncio.to_thread(stack.run, "gateway")
    assert early.returncode == 1
    assert "aside migrate" in early.stderr
    migrated = await asyncio.to_thread(stack.run, "migrate")
    assert (migrated.returncode, migrated.stderr) == (0, "")
    for role in ("gateway", "worker"):
        stack.start(role)
    await asyncio.gather(stack.until_healthy("gateway"), stack.until_healthy("worker"))
    assert stack.healthy("postgres").returncode == 0

    people = Deployment(data_dir=stack.data_dir("gateway"))
    async with at_terminal(people, "ann", "team") as ann, at_terminal(people, "bob", "team") as bob:
        asked = await ann.say("@assistant tell us a story")
        replies = await asyncio.gather(ann.reply_to(asked), bob.reply_to(asked))
        assert [answer_of(reply.text) for reply in replies] == ["".join(WORDS).strip()] * 2
        for person in (ann, bob):
            grown = [
                len(frame.text)
                for frame in person.frames
                if isinstance(frame, Live) and frame.reply_to == asked and frame.phase is LivePhase.STREAMING
            ]
            assert len(set(grown)) > 2
            assert grown == sorted(grown)

        await _the_keys_are_changed(stack)
        again = await ann.say("@assistant tell us another")
        assert answer_of((await ann.reply_to(again)).text) == "".join(WORDS).strip()

    await _the_page_is_where_it_is_published(stack)
    await _stores_ask_for_their_passwords(stack)
    _nothing_secret_is_shown(stack)
    await _the_worker_ends_by_itself_and_is_missed(stack)


async def _the_keys_are_changed(stack: Stack) -> None:
    """The gateway's container may replace the key file; the worker's sees the new one."""
    before = stack.secret("keys/vault.key")
    rotated = await asyncio.to_thread(stack.run, "gateway", ["aside", "keys", "rotate", "--yes"])
    assert rotated.returncode == 0, rotated.stdout + rotated.stderr
    assert stack.secret("keys/vault.key") != before


async def _the_page_is_where_it_is_published(stack: Stack) -> None:
    public_url = stack.environment("gateway")["ASIDE_WEBCHAT_PUBLIC_URL"]
    async with aiohttp.ClientSession() as http, http.get(f"{public_url}/") as page:
        assert (page.status, page.content_type) == (200, "text/html")


async def _stores_ask_for_their_passwords(stack: Stack) -> None:
    where = stack.environment("worker")["ASIDE_DATABASE_URL"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(where, password="guessed")  # noqa: S106 - a wrong one
    connection = await asyncpg.connect(where, password=stack.secret("postgres_password"))
    try:
        assert (
            await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        )
    finally:
        await connection.close()
    async with open_redis(stack.environment("worker")["ASIDE_REDIS_URL"]) as client:
        with pytest.raises(AuthenticationError):
            await client.ping()


def _nothing_secret_is_shown(stack: Stack) -> None:
    names = ("valkey_password", "postgres_password", "postgres_admin_password", "engine_api_key")
    shown = stack.arguments() + "".join(stack.output(service) for service in stack.processes)
    shown += "".join(" ".join(stack.environment(service).values()) for service in ("gateway", "worker"))
    assert "valkey-server" in shown
    assert [name for name in names if stack.secret(name) in shown] == []


async def _the_worker_ends_by_itself_and_is_missed(stack: Stack) -> None:
    worker = stack.processes["worker"]
    worker.terminate()
    assert await asyncio.to_thread(worker.wait, 30) == 0
    missed = stack.healthy("worker")
    assert missed.returncode == 1
    assert "No worker runs" in missed.stdout
    assert stack.healthy("gateway").returncode == 0
