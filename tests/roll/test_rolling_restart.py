"""G7: every process is replaced, one after the other, while people go on talking: each answer comes once, uncharged."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from engine.scripted import ScriptedEngine, steady
from engine.scripted_server import serve
from tests.fixtures.eventually import eventually
from tests.fixtures.valkey import RealServer
from tests.platforms.client import Seen
from tests.platforms.deployment import Roles, roles
from tests.platforms.process import Cloud, running_cloud

#: Seconds between two mentions.
EVERY_S = 0.15
CHATS = 7


async def talk(cloud: Cloud, said: list[str], silence: asyncio.Event) -> None:
    """Say something now here, now there, until it is quiet."""
    while not silence.is_set():
        number = len(said)
        said.append(await cloud.client.say(f"number {number}", conversation=f"room-{number % CHATS}"))
        await asyncio.sleep(EVERY_S)


async def stop(process) -> None:
    """Stop a process as a rollout does."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        assert await asyncio.to_thread(process.wait) == 0


async def roll(deployment: Roles) -> None:
    """Start everything, and replace each process by a new one, the new one first."""
    gateways = [await deployment.start_gateway() for _ in range(2)]
    workers = [deployment.start("worker") for _ in range(2)]
    await deployment.told(gateways)
    for old in list(gateways):
        gateways.append(await deployment.start_gateway())
        gateways.remove(old)
        await deployment.told(gateways)
        await stop(old.process)
    for old in workers:
        deployment.start("worker")
        await stop(old)


def answered(seen: Seen) -> dict[str, int]:
    """Count the messages that stand under each mention."""
    replies = [message.reply_to for room in range(CHATS) for message in seen.visible(f"room-{room}")]
    return {mention: replies.count(mention) for mention in seen.mentions}


@pytest.mark.timeout(240)
async def test_a_rolling_restart_loses_nothing_and_counts_no_attempt(
    tmp_path: Path, own_valkey: RealServer, make_database: Callable[[str], Awaitable[str]]
) -> None:
    engine = ScriptedEngine(lambda request: "of course", pace=steady(first_s=0.2, each_s=0.05))
    url = await make_database("postgresql")
    async with (
        running_cloud(tmp_path, "A", live="edit") as cloud,
        serve(engine) as engine_url,
        roles(
            tmp_path / "data",
            [cloud],
            redis_url=own_valkey.url,
            engine_url=engine_url,
            database_url=url,
            # Nobody's lease may end: whoever stops gives back what it holds.
            lease_s=120.0,
            # Who talks so much must not be refused here.
            ASIDE_TURNS_PER_CHAT_WAITING="1000",
            ASIDE_TURNS_PERSON_WAITING="1000",
        ) as deployment,
    ):
        said: list[str] = []
        silence = asyncio.Event()
        async with asyncio.TaskGroup() as people:
            # The first words find no gateway yet: the platform delivers them again.
            people.create_task(talk(cloud, said, silence))
            await roll(deployment)
            silence.set()
        record = await asyncpg.connect(url)
        try:
            await eventually(lambda: _nothing_waits(record), within_s=60)
            turns = await record.fetch("SELECT state, attempts, count(*) FROM turns GROUP BY state, attempts")
        finally:
            await record.close()
        seen = await cloud.client.seen()
    assert len(said) > 20
    assert {(row["state"], row["attempts"]) for row in turns} == {("sent", 0)}
    assert set(answered(seen).values()) <= {0, 1}
    # A mention that joined another's turn has no answer of its own.
    assert sum(answered(seen).values()) == sum(row["count"] for row in turns)


async def _nothing_waits(record: asyncpg.Connection) -> bool:
    return not await record.fetchval(
        "SELECT count(*) FROM turns WHERE state IN ('waiting', 'replied', 'sending')"
    )
