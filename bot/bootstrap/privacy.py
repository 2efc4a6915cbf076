"""What lets words go, by age or on request: for a gateway that does it by itself, and for a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from adapters.terminal.settings import NAME as TERMINAL
from bot.bootstrap.core import Core
from bot.bootstrap.vault import open_vault
from bot.chat.ambient_redis import RedisAmbient
from bot.chat.context import ContextStore
from bot.chat.forgetting import Forgetter, Traces
from bot.chat.key_ring import Subkey
from bot.chat.redis_context import RedisContext
from bot.chat.retention import Elsewhere, Retention
from bot.chat.vault import Vault
from bot.clock import Clock, SystemClock
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.redis_client import open_redis
from bot.store.redis_scrubbing import rewrite_log
from bot.store.schema import require_current
from bot.store.scrubbing import scrub
from bot.turns.journal.forgetting import Forgetting
from bot.turns.journal.retaining import Retaining
from bot.turns.live_redis import RedisLiveBus


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a command needs to let words go, beside whatever runs."""

    retention: Retention
    retaining: Retaining
    forgetter: Forgetter
    forgetting: Forgetting


def make_retention(core: Core) -> Retention:
    """Build what sweeps away words that are too old."""
    return _retention(core.settings, core.database, core.vault, core.shared.contexts, core.clock)


def make_forgetter(core: Core) -> Forgetter:
    """Build what forgets on request."""
    shared = core.shared
    traces = Traces(
        contexts=shared.contexts,
        ambient=shared.ambient,
        live=shared.bus,
        scrub=partial(scrub, core.database),
        rewrite_log=partial(rewrite_log, shared.redis) if shared.redis else None,
        cheap=core.database.dialect == "sqlite",
    )
    return Forgetter(Forgetting(core.database, core.vault, core.clock), traces)


@asynccontextmanager
async def open_privacy(settings: Settings) -> AsyncIterator[Opened]:
    """Open retention and forgetting for a command. Raises `StartupError` and `StoreUnavailable`."""
    clock = SystemClock()
    async with Database(settings.database_url, lease_s=settings.worker.lease_s) as database:
        await require_current(database)
        keys, vault = await open_vault(settings, database)
        redis = open_redis(settings.redis_url or EmbeddedValkey(settings.data.valkey).url)
        contexts = RedisContext(redis, vault=vault, names_key=keys.derive(Subkey.CACHE_NAMES))
        traces = Traces(
            contexts=contexts,
            ambient=RedisAmbient(redis, vault=vault),
            live=RedisLiveBus(redis, vault),
            scrub=partial(scrub, database),
            rewrite_log=partial(rewrite_log, redis),
        )
        forgetting = Forgetting(database, vault, clock)
        try:
            yield Opened(
                retention=_retention(settings, database, vault, contexts, clock),
                retaining=Retaining(database, vault),
                forgetter=Forgetter(forgetting, traces),
                forgetting=forgetting,
            )
        finally:
            await redis.aclose()


def _retention(
    settings: Settings, database: Database, vault: Vault, contexts: ContextStore, clock: Clock
) -> Retention:
    # The web chat has a setting of its own for what its page shows.
    terminal = SqlRecordStore(database, vault, TERMINAL, clock)
    elsewhere = Elsewhere(
        drop_context=contexts.drop,
        scrub=partial(scrub, database),
        stores=(partial(terminal.forget_before, ""),),
    )
    return Retention(Retaining(database, vault), elsewhere, clock, days=settings.retention.days)
