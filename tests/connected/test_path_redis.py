"""The whole path over a real Valkey that is erased, killed and started again: nothing lost, nothing twice (G8)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.base import Idempotency
from bot.bootstrap import Shared
from bot.chat.memory_context import MemoryContext
from bot.chat.memory_vault import EphemeralVault
from bot.store.redis_client import open_redis
from bot.telemetry.events import AttemptFailed, OutageBegan, OutageEnded
from bot.turns.live_redis import RedisLiveBus
from bot.turns.scheduler.redis import RedisScheduler
from engine.scripted import ScriptedEngine, steady
from tests.fixtures.rig import Rig, loopback, open_rig, saying
from tests.fixtures.valkey import RealServer

CHATS = 12


@asynccontextmanager
async def rig_on(server: RealServer, folder: Path) -> AsyncIterator[Rig]:
    async with open_redis(server.url) as client:
        shared = Shared(
            scheduler=RedisScheduler(client, call_timeout_s=0.5),
            bus=RedisLiveBus(client, EphemeralVault()),
            contexts=MemoryContext(),
            redis=client,
        )
        async with open_rig(
            folder, platform=loopback(Idempotency.NONE), shared=shared, lease_s=1.0, slots=4
        ) as rig:
            yield rig


async def everyone_asks(rig: Rig) -> None:
    for number in range(CHATS):
        await rig.say("what time is it?", conversation=f"room{number}")


def answers(rig: Rig) -> list[list[str]]:
    return [rig.loopback.texts(f"room{number}") for number in range(CHATS)]


async def test_an_erased_redis_under_load_loses_nothing(own_valkey: RealServer, tmp_path: Path) -> None:
    async with rig_on(own_valkey, tmp_path) as rig:
        rig.start_worker(ScriptedEngine(lambda request: "noon", pace=steady(first_s=0.05)))
        await everyone_asks(rig)
        await rig.until(lambda: any(answers(rig)))
        assert rig.core.shared.redis is not None
        await rig.core.shared.redis.flushall()
        await rig.settled()
        assert answers(rig) == [["noon"]] * CHATS
        assert not any(event.counted for event in rig.told(AttemptFailed))


async def test_redis_gone_and_back_is_told_once_and_loses_nothing(
    own_valkey: RealServer, tmp_path: Path
) -> None:
    async with rig_on(own_valkey, tmp_path) as rig:
        rig.start_worker(saying("noon"))
        own_valkey.kill()
        await everyone_asks(rig)
        await rig.until(lambda: bool(rig.told(OutageBegan)))
        await asyncio.to_thread(own_valkey.start)
        await rig.settled()
        assert answers(rig) == [["noon"]] * CHATS
        assert len(rig.told(OutageBegan)) == 1
        await rig.until(lambda: len(rig.told(OutageEnded)) == 1)
