"""The real path on a real Valkey and SQLite, with three platforms in memory, and ears everywhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from adapters.base import Idempotency, LiveOutput, Platform
from adapters.loopback.adapter import LoopbackAdapter
from bot.bootstrap import Shared
from bot.chat.aes_vault import AesVault
from bot.chat.ambient_redis import RedisAmbient
from bot.chat.key_ring import KeyRing, Subkey
from bot.chat.redis_context import RedisContext
from bot.store.redis_client import open_redis
from bot.telemetry.events import Details, TurnFinished
from bot.telemetry.logs import log_event, logging_to
from bot.telemetry.metrics import Metrics
from bot.turns.delays import Delays
from bot.turns.live_redis import RedisLiveBus
from bot.turns.scheduler.redis import RedisScheduler
from tests.fixtures.owner_platform import OwnerPlatform
from tests.fixtures.rig import Rig, loopback, open_rig
from tests.fixtures.valkey import RealServer
from tests.isolation.canaries import decoded
from tests.isolation.evidence import Evidence

#: No test waits for these; shorter ones would cost a thousand chats their processor.
_DELAYS = Delays(
    not_now_s=0.05,
    settle_s=0.0,
    backoff_s=(0.05,),
    operator_s=0.1,
    idle_s=0.2,
    outbox_s=0.2,
    notices_s=0.5,
    sign_look_s=2.0,
    notice_again_s=0.05,
    sign_poll_s=0.1,
    modes_s=0.5,
)
#: Changes of what the worker is built on, by which a test breaks it on purpose.
Break = Callable[[Rig], None]


class EditedPlatform(LoopbackAdapter):
    """A second platform that any worker may call, with drafts that are edited."""

    @property
    def name(self) -> str:
        """Name it unlike the first."""
        return "edited"


@dataclass(kw_only=True)
class Stage:
    """A deployment, and where its words could come out."""

    rig: Rig
    redis: Redis
    metrics: Metrics
    edited: EditedPlatform
    owned: OwnerPlatform
    folder: Path
    valkey: RealServer
    #: Everything that was published.
    published: list[bytes]
    #: The turns that have ended.
    finished: set[str]

    def texts(self, platform: str, conversation: str) -> list[str]:
        """Return all that people see in a conversation, and what they saw there before."""
        if platform == self.owned.name:
            snapshots = [one.text for one in self.owned.shown if one.conversation == conversation]
            return self.owned.texts(conversation) + snapshots
        adapter = self.edited if platform == self.edited.name else self.rig.loopback
        return [text for seen in adapter.messages(conversation) for text in (seen.text, *seen.earlier)]

    async def look(self, evidence: Evidence) -> None:
        """Note everything that stands in files and in Redis' memory at this moment."""
        evidence.keep_files("the database's files", self.folder / "data", "db/**/*")
        evidence.keep_files("Valkey's files", self.valkey._directory, "**/*")
        evidence.keep("Redis' memory", *[part async for part in _dumped(self.redis)])

    async def told(self, evidence: Evidence) -> None:
        """Note what operators and other programs are told."""
        evidence.keep("metrics", self.metrics.exposition())
        evidence.keep("events", *map(repr, self.rig.events))
        evidence.keep(
            "published", *self.published, *(one for part in self.published for one in decoded(part))
        )
        evidence.keep("status", json.dumps((await self.rig.journal.counts()).__repr__()))
        evidence.keep_files("logs", self.folder / "logs", "*")


#: How a key of each type is read whole.
_READ_ALL: dict[bytes, Callable[[Redis, bytes], Awaitable[Any]]] = {
    b"string": lambda redis, key: redis.get(key),
    b"hash": lambda redis, key: redis.hgetall(key),
    b"zset": lambda redis, key: redis.zrange(key, 0, -1),
    b"set": lambda redis, key: redis.smembers(key),
    b"list": lambda redis, key: redis.lrange(key, 0, -1),
    b"stream": lambda redis, key: redis.xrange(key),
    b"none": lambda redis, key: redis.get(key),
}


@asynccontextmanager
async def open_stage(valkey: RealServer, folder: Path) -> AsyncIterator[Stage]:
    """Open everything but the worker."""
    metrics, published, finished = Metrics(), list[bytes](), set[str]()

    def note(details: Details, /) -> None:
        if isinstance(details, TurnFinished):
            finished.add(details.turn_id)

    edited, owned = EditedPlatform(live=LiveOutput.EDIT, live_min_interval_s=0.0), OwnerPlatform()
    (folder / "logs").mkdir()
    (folder / "data").mkdir()
    async with AsyncExitStack() as stack:
        stack.enter_context(logging_to(folder / "logs", "worker", level="debug", stderr_level="critical"))
        redis = await stack.enter_async_context(open_redis(valkey.url))
        await redis.flushall()
        rig = await stack.enter_async_context(
            open_rig(
                folder / "data",
                platform=loopback(Idempotency.NONE, typing_lasts_s=5.0),
                more={"edited": Platform(adapter=edited), owned.name: owned.platform},
                make_shared=lambda keys, vault: _shared(redis, keys, vault),
                hooks=(metrics, log_event, note),
                lease_s=30.0,
                delays=_DELAYS,
            )
        )
        ear = await stack.enter_async_context(_listening(valkey.url, published))
        try:
            yield Stage(
                rig=rig,
                redis=redis,
                metrics=metrics,
                edited=edited,
                owned=owned,
                folder=folder,
                valkey=valkey,
                published=published,
                finished=finished,
            )
        finally:
            ear.cancel()


def _shared(redis: Redis, keys: KeyRing, vault: AesVault) -> Shared:
    return Shared(
        scheduler=RedisScheduler(redis),
        bus=RedisLiveBus(redis, vault),
        contexts=RedisContext(redis, vault=vault, names_key=keys.derive(Subkey.CACHE_NAMES)),
        # On a busy machine a call may take seconds, and what was overheard would then be lost, as it may be.
        ambient=RedisAmbient(redis, vault=vault, call_timeout_s=60.0),
        redis=redis,
    )


@asynccontextmanager
async def _listening(url: str, heard: list[bytes]) -> AsyncIterator["asyncio.Task[None]"]:
    """Hear everything that is published."""
    async with open_redis(url) as client, client.pubsub() as ear:
        await ear.psubscribe("*")

        async def listen() -> None:
            async for message in ear.listen():
                heard.extend(part for part in message.values() if isinstance(part, bytes))

        yield asyncio.ensure_future(listen())


async def _dumped(redis: Redis) -> AsyncIterator[bytes]:
    """Read every key and value there is, whatever its type."""
    async for key in redis.scan_iter(count=1000):
        yield key
        read = _READ_ALL[await redis.type(key)]
        # None of them hides a byte of a text: what cannot be printed is escaped.
        yield repr(await read(redis, key)).encode()
