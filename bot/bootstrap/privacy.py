"""What lets words go, by age or on request: for a gateway that does it by itself, and for a command."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from adapters.own_history import OwnHistory
from adapters.records import RecordsUnavailable
from adapters.terminal.history import History
from adapters.terminal.settings import NAME as TERMINAL
from adapters.webchat.history import RoomHistory
from adapters.webchat.house import House, HouseRules
from adapters.webchat.settings import NAME as WEBCHAT
from bot.bootstrap.core import Core
from bot.bootstrap.platforms import assistant_names
from bot.bootstrap.vault import open_vault
from bot.chat.ambient_redis import RedisAmbient
from bot.chat.context import ContextStore
from bot.chat.forgetting import Forgetter, Traces
from bot.chat.key_ring import Subkey
from bot.chat.own_histories import OwnHistories
from bot.chat.redis_context import RedisContext
from bot.chat.retention import Elsewhere, OwnStore, Retention
from bot.chat.vault import Vault
from bot.clock import Clock, SystemClock
from bot.errors import StoreUnavailable
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.redis_client import open_redis
from bot.store.redis_scrubbing import rewrite_log
from bot.store.schema import require_current
from bot.store.scrubbing import scrub, tidy
from bot.turns.journal.cleanings import Cleanings
from bot.turns.journal.forgetting import Forgetting
from bot.turns.journal.history_wishes import HistoryWishes
from bot.turns.journal.old_streams import OldStreams
from bot.turns.journal.retaining import Retaining
from bot.turns.live_redis import RedisLiveBus

#: Reading all tables through takes a while on PostgreSQL.
_TIDY_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a command needs to let words go, beside whatever runs."""

    retention: Retention
    retaining: Retaining
    forgetter: Forgetter
    forgetting: Forgetting


def make_retention(core: Core) -> Retention:
    """Build what sweeps away words that are too old."""
    return _retention(
        core.settings, core.database, core.vault, core.shared.contexts, core.clock, histories=_histories(core)
    )


def make_forgetter(core: Core) -> Forgetter:
    """Build what forgets on request."""
    shared = core.shared
    histories = _histories(core)
    traces = Traces(
        contexts=shared.contexts,
        ambient=shared.ambient,
        live=shared.bus,
        scrub=partial(scrub, core.database),
        rewrite_log=partial(rewrite_log, shared.redis) if shared.redis else None,
        cleanings=Cleanings(core.database, core.clock),
        histories=OwnHistories(HistoryWishes(core.database), histories),
    )
    return Forgetter(Forgetting(core.database, core.vault, core.clock, histories), traces)


async def renew_old_streams(core: Core) -> None:
    """Seal anew what rooms of an older version hold, until that is done; then there is nothing to do for ever."""
    await OldStreams(core.database, core.vault, core.clock).run()


@asynccontextmanager
async def open_privacy(settings: Settings) -> AsyncIterator[Opened]:
    """Open retention and forgetting for a command. Raises `StartupError` and `StoreUnavailable`."""
    clock = SystemClock()
    async with Database(settings.database_url, lease_s=settings.worker.lease_s) as database:
        await require_current(database)
        keys, vault = await open_vault(settings, database)
        redis = open_redis(settings.redis_url or EmbeddedValkey(settings.data.valkey).url)
        histories = _stored_histories(settings, database, vault, clock)
        contexts = RedisContext(redis, vault=vault, names_key=keys.derive(Subkey.CACHE_NAMES))
        traces = Traces(
            contexts=contexts,
            ambient=RedisAmbient(redis, vault=vault),
            live=RedisLiveBus(redis, vault),
            scrub=partial(scrub, database),
            rewrite_log=partial(rewrite_log, redis),
            cleanings=Cleanings(database, clock),
            histories=OwnHistories(HistoryWishes(database), histories, keeps=False),
        )
        forgetting = Forgetting(database, vault, clock, histories)
        try:
            yield Opened(
                retention=_retention(settings, database, vault, contexts, clock, histories=histories),
                retaining=Retaining(database, vault),
                forgetter=Forgetter(forgetting, traces),
                forgetting=forgetting,
            )
        finally:
            await redis.aclose()


def _retention(
    settings: Settings,
    database: Database,
    vault: Vault,
    contexts: ContextStore,
    clock: Clock,
    *,
    histories: Mapping[str, OwnHistory],
) -> Retention:
    days = {WEBCHAT: settings.webchat.retention_days}
    stores = (
        OwnStore(
            drop=partial(_drop, history),
            drop_in=partial(_drop_in, history),
            adapter=name,
            days=days.get(name, 0),
        )
        for name, history in histories.items()
    )
    elsewhere = Elsewhere(
        drop_context=contexts.drop,
        scrub=partial(tidy, database),
        scrub_every_s=0.0 if database.dialect == "sqlite" else _TIDY_EVERY_S,
        stores=tuple(stores),
    )
    return Retention(Retaining(database, vault), elsewhere, clock, days=settings.retention.days)


async def _drop(history: OwnHistory, before: datetime) -> int:
    try:
        return await history.forget_before(before)
    except RecordsUnavailable as exc:
        raise StoreUnavailable(str(exc)) from exc


async def _drop_in(history: OwnHistory, conversation: str, before: datetime) -> int:
    try:
        return await history.forget_older(conversation, before)
    except RecordsUnavailable as exc:
        raise StoreUnavailable(str(exc)) from exc


def _histories(core: Core) -> dict[str, OwnHistory]:
    """Find the adapters' own histories; what is switched off may have been on before."""
    found = _stored_histories(core.settings, core.database, core.vault, core.clock)
    for name, platform in core.platforms.items():
        if platform.history is not None:
            found[name] = platform.history
    return found


def _stored_histories(
    settings: Settings, database: Database, vault: Vault, clock: Clock
) -> dict[str, OwnHistory]:
    """Open the adapters' own histories where nobody looks on."""
    names = assistant_names(settings)
    house = House(SqlRecordStore(database, vault, WEBCHAT, clock), clock.now, names, HouseRules())
    terminal = History(SqlRecordStore(database, vault, TERMINAL, clock), names[0], clock.now)
    return {WEBCHAT: RoomHistory(house), TERMINAL: terminal}
