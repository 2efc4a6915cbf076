"""What a command opens beside the processes that run."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from adapters.base import Platform
from adapters.webchat.house import House, HouseRules
from adapters.webchat.settings import NAME as WEBCHAT
from bot.bootstrap.core import open_core
from bot.bootstrap.platforms import assistant_names
from bot.bootstrap.vault import open_vault
from bot.clock import SystemClock
from bot.errors import ScheduleUnavailable
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.redis_client import open_redis
from bot.store.schema import require_current
from bot.turns.journal.dead import DeadLetters
from bot.turns.scheduler.redis import RedisScheduler


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the web chat's rooms for a command, beside the process that serves them.

    That process keeps rooms in memory: only what it has not read yet may be written here.
    """
    clock = SystemClock()
    async with Database(settings.database_url) as database:
        await require_current(database)
        _, vault = await open_vault(settings, database)
        yield House(
            SqlRecordStore(database, vault, WEBCHAT, clock),
            clock.now,
            assistant_names(settings),
            HouseRules(),
        )


@asynccontextmanager
async def open_platforms(settings: Settings) -> AsyncIterator[Mapping[str, Platform]]:
    """Make the configured platforms for a command, beside whatever runs; none of them takes anything in.

    Raises `StartupError`.
    """
    async with open_core(settings, None) as core:
        yield core.platforms


@asynccontextmanager
async def open_dead_letters(settings: Settings) -> AsyncIterator[DeadLetters]:
    """Open the dead letters for a command; no key is loaded, and nothing that people wrote can be read."""
    async with Database(settings.database_url, lease_s=settings.worker.lease_s) as database:
        await require_current(database)
        yield DeadLetters(database, SystemClock())


async def put_chats(settings: Settings, weights: Mapping[str, float]) -> bool:
    """Put chats from a command, or tell that the schedule is out of reach: the reconciler puts them then."""
    redis = open_redis(settings.redis_url or EmbeddedValkey(settings.data.valkey).url)
    try:
        await RedisScheduler(redis).put_many(dict(weights))
    except ScheduleUnavailable:
        return False
    finally:
        await redis.aclose()
    return True
