"""What every role stands on: the record, the schedule, the platforms."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from redis.asyncio import Redis

from adapters.base import Platform
from adapters.pacing import Pacer
from adapters.pacing_memory import MemoryPacer
from bot.additions import NONE, Additions, Ground, sole_lease
from bot.bootstrap.platforms import built_in, with_added
from bot.bootstrap.vault import open_vault
from bot.chat.ambient import AmbientStore
from bot.chat.ambient_memory import MemoryAmbient
from bot.chat.ambient_redis import RedisAmbient
from bot.chat.context import ContextStore
from bot.chat.key_ring import Keys, Subkey
from bot.chat.memory_context import MemoryContext
from bot.chat.redis_context import RedisContext
from bot.chat.vault import Vault
from bot.clock import Clock, SystemClock
from bot.engine_view import EngineView
from bot.ingress.polling_lease import RedisPollingLease
from bot.settings import Settings
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.redis_check import check_server
from bot.store.redis_client import open_redis
from bot.store.schema import require_current
from bot.telemetry.events import Hooks
from bot.telemetry.logs import log_event
from bot.telemetry.metrics import Metrics
from bot.turns.acceptance import Caps, Quotas
from bot.turns.delays import Delays
from bot.turns.journal import Journal
from bot.turns.line import Line
from bot.turns.live import LiveBus
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.live_redis import RedisLiveBus
from bot.turns.model import Chat
from bot.turns.outage import ScheduleOutage
from bot.turns.paced import paced
from bot.turns.pacing_redis import RedisPacer
from bot.turns.reconciler import Reconciler
from bot.turns.scheduler.base import Scheduler
from bot.turns.scheduler.memory import MemoryScheduler
from bot.turns.scheduler.redis import RedisScheduler
from bot.turns.send_policy import SendPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Where turns are scheduled, contexts cached and snapshots passed: in Redis, or within one process."""

    scheduler: Scheduler
    bus: LiveBus
    contexts: ContextStore
    #: None where all of it lives in this process.
    redis: Redis | None
    ambient: AmbientStore = field(default_factory=MemoryAmbient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every role stands on."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    hooks: Hooks
    keys: Keys
    vault: Vault
    database: Database
    journal: Journal
    shared: Shared
    reconciler: Reconciler
    platforms: Mapping[str, Platform]
    outage: ScheduleOutage
    #: What platforms with a face of their own see of the engine; a role attaches the engine once it has one.
    engine_view: EngineView
    #: A chat's first reply says that this is an AI, what it sees and what it keeps.
    introduces: bool = True
    delays: Delays = field(default_factory=Delays)
    #: What this process knows of the line; a role keeps it current.
    line: Line = field(default_factory=Line)

    @property
    def send_policy(self) -> SendPolicy:
        """What becomes of a send in doubt where the platform cannot help."""
        return SendPolicy(self.settings.turns.send_policy)


def kept_days(usual: int, chat: Chat) -> int:
    """Tell for how many days a chat's words are kept: as long as the deployment's, or less where it wants that."""
    return usual if chat.retention_days is None else min(usual, chat.retention_days)


@asynccontextmanager
async def open_core(
    settings: Settings, redis_url: str | None, additions: Additions = NONE
) -> AsyncIterator[Core]:
    """Connect to the record and to Redis and refuse what cannot keep the promises.

    Without a Redis URL the schedule lives in this process. Raises `StartupError` and `VaultError`.
    """
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database(settings.database_url, lease_s=settings.worker.lease_s)
        )
        await require_current(database)
        keys, vault = await open_vault(settings, database)
        clock, metrics = SystemClock(), Metrics()
        hooks: Hooks = (metrics, log_event, *additions.hooks)
        shared = await stack.enter_async_context(
            _open_shared(settings, redis_url, keys, vault, clock, hooks=hooks)
        )
        journal = Journal(database, vault, clock, _caps(settings))
        engine_view = EngineView()
        ground = Ground(
            clock=clock,
            records=partial(SqlRecordStore, database, vault, clock=clock),
            lease=sole_lease if shared.redis is None else partial(RedisPollingLease, shared.redis),
        )
        pacer = _pacer(shared, keys, clock)
        platforms = {
            name: paced(platform, pacer)
            for name, platform in with_added(
                additions.platforms(ground), built_in(settings, ground, engine_view)
            ).items()
        }
        for platform in platforms.values():
            if platform.lifetime is not None:
                await stack.enter_async_context(platform.lifetime)
        yield Core(
            settings=settings,
            clock=clock,
            metrics=metrics,
            hooks=hooks,
            keys=keys,
            vault=vault,
            database=database,
            journal=journal,
            shared=shared,
            reconciler=Reconciler(journal, shared.scheduler, clock),
            platforms=platforms,
            outage=ScheduleOutage(clock, hooks),
            engine_view=engine_view,
        )


def _pacer(shared: Shared, keys: Keys, clock: Clock) -> Pacer:
    """Make what paces the platforms' calls: for all processes where they share a Redis."""
    local = MemoryPacer(clock.monotonic)
    if shared.redis is None:
        return local
    return RedisPacer(shared.redis, local, clock.monotonic, secret=keys.derive(Subkey.PACING))


@asynccontextmanager
async def _open_shared(
    settings: Settings, redis_url: str | None, keys: Keys, vault: Vault, clock: Clock, *, hooks: Hooks
) -> AsyncIterator[Shared]:
    if redis_url is None:
        yield Shared(
            scheduler=MemoryScheduler(clock),
            bus=MemoryLiveBus(clock),
            contexts=MemoryContext(),
            redis=None,
        )
        return
    redis = open_redis(redis_url)
    try:
        await check_server(redis)
        yield Shared(
            scheduler=RedisScheduler(redis),
            bus=RedisLiveBus(redis, vault),
            contexts=RedisContext(
                redis,
                vault=vault,
                names_key=keys.derive(Subkey.CACHE_NAMES),
                ttl_s=settings.context.ttl_s,
                hooks=hooks,
            ),
            redis=redis,
            ambient=RedisAmbient(redis, vault=vault),
        )
    finally:
        await redis.aclose()


def _caps(settings: Settings) -> Caps:
    return Caps(
        per_chat=settings.turns.per_chat_waiting,
        per_direct_chat=settings.turns.direct_waiting,
        per_person=settings.turns.person_waiting,
        total=settings.turns.total_waiting,
        slots=settings.worker.slots,
        quotas=Quotas(
            person_hourly=settings.quota.person_hourly or None,
            person_daily=settings.quota.person_daily or None,
            chat_hourly=settings.quota.chat_hourly or None,
            chat_daily=settings.quota.chat_daily or None,
        ),
    )
