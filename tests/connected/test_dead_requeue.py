"""`aside dead requeue` beside running workers: the chat is put at once, and the turn is answered once."""

import asyncio
from pathlib import Path

import pytest

from adapters.base import Idempotency
from bot.__main__ import main
from bot.bootstrap import Shared
from bot.chat.memory_context import MemoryContext
from bot.chat.memory_vault import EphemeralVault
from bot.store.redis_client import open_redis
from bot.telemetry.events import NoticeSent
from bot.turns.live_redis import RedisLiveBus
from bot.turns.model import NoticeKind
from bot.turns.notice_texts import NOTICES
from bot.turns.scheduler.redis import RedisScheduler
from engine.errors import EngineFailed
from tests.fixtures.rig import loopback, open_rig, saying
from tests.fixtures.valkey import RealServer


async def test_two_operators_press_at_once_and_it_is_answered_once_without_the_reconciler(
    own_valkey: RealServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole round of the reconciler is half a minute away; the test's patience is shorter."""
    monkeypatch.setenv("ASIDE_REDIS_URL", own_valkey.url)
    async with open_redis(own_valkey.url) as client:
        shared = Shared(
            scheduler=RedisScheduler(client),
            bus=RedisLiveBus(client, EphemeralVault()),
            contexts=MemoryContext(),
            redis=client,
        )
        platform = loopback(Idempotency.NONE)
        async with open_rig(tmp_path, platform=platform, shared=shared, lease_s=3.0) as rig:
            engine = saying("noon")
            for _ in range(3):
                engine.fail_next(EngineFailed("gone"))
            rig.start_worker(engine)
            await rig.say("what time is it?")
            failed = NOTICES[NoticeKind.FAILED]
            await rig.until(lambda: bool(rig.told(NoticeSent)))
            assert rig.loopback.texts("room") == [failed]
            command = ["dead", "requeue", "--all", "--yes", "--data-dir", str(tmp_path)]
            pressed = await asyncio.gather(*(asyncio.to_thread(main, command) for _ in range(2)))
            assert pressed == [0, 0]
            assert await rig.texts(2) == [failed, "noon"]
            assert len(engine.requests) == 4
