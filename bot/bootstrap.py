"""The composition root: the only place where concrete classes are chosen. Settings in, a working assistant out."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from redis.asyncio import Redis

from adapters.base import Platform, SendsFrom
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.settings import TerminalSettings
from adapters.webchat.adapter import WebchatAdapter
from adapters.webchat.house import House, HouseRules
from adapters.webchat.settings import NAME as WEBCHAT
from adapters.webchat.settings import Create, WebchatSettings
from bot.additions import NONE, Additions, Ground
from bot.chat import key_file
from bot.chat.aes_vault import AesVault
from bot.chat.context import ContextStore
from bot.chat.keeper import ContextKeeper
from bot.chat.key_ring import KeyRing, Subkey
from bot.chat.memory_context import MemoryContext
from bot.chat.prompt import Persona
from bot.chat.redis_context import RedisContext
from bot.chat.salt import cache_salt
from bot.chat.vault import Vault
from bot.clock import Clock, SystemClock
from bot.engine_view import EngineView
from bot.errors import ScheduleUnavailable, StartupError
from bot.ingress.announcing import Announcer
from bot.ingress.bursts import Bursts
from bot.ingress.intake import Intake, IntakeSettings
from bot.ingress.listening import listen
from bot.ingress.policy import Rules
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.skills.answer import Answer, AnswerSettings
from bot.skills.base import SkillRunner
from bot.skills.spoken import EMBEDDED_NOTE, Spoken, greet_words, help_words, reset_words
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from bot.store.redis_check import check_server
from bot.store.redis_client import open_redis
from bot.store.schema import require_current
from bot.telemetry.events import Hooks
from bot.telemetry.logs import log_event
from bot.telemetry.metrics import Metrics
from bot.turns.acceptance import Caps, Quotas
from bot.turns.admitting import Admitting
from bot.turns.attempt import Attempt, AttemptSettings
from bot.turns.delays import Delays
from bot.turns.delivery import deliveries
from bot.turns.first_signs import FirstSigns
from bot.turns.journal import Journal
from bot.turns.journal.dead import DeadLetters
from bot.turns.line import Line
from bot.turns.line_watch import LineWatch
from bot.turns.live import LiveBus
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.live_redis import RedisLiveBus
from bot.turns.model import Chat, Skill
from bot.turns.notice_sending import NoticeSending
from bot.turns.notices import NoticeTask
from bot.turns.outage import ScheduleOutage
from bot.turns.outbox import Outbox
from bot.turns.pace import PaceMeter, PaceReport
from bot.turns.paces import Paces
from bot.turns.reconciler import Reconciler
from bot.turns.scheduler.base import Scheduler
from bot.turns.scheduler.memory import MemoryScheduler
from bot.turns.scheduler.redis import RedisScheduler
from bot.turns.send_policy import SendPolicy
from bot.turns.serving import Serving
from bot.turns.slots import Slots
from bot.turns.stopping import StopBoard
from bot.turns.takeover import LateEffects
from bot.turns.trouble import Trouble
from bot.turns.worker import Worker, WorkerSettings
from engine.base import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Where turns are scheduled, contexts cached and snapshots passed: in Redis, or within one process."""

    scheduler: Scheduler
    bus: LiveBus
    contexts: ContextStore
    #: None where all of it lives in this process.
    redis: Redis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every role stands on."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    hooks: Hooks
    keys: KeyRing
    vault: Vault
    database: Database
    journal: Journal
    shared: Shared
    reconciler: Reconciler
    platforms: Mapping[str, Platform]
    outage: ScheduleOutage
    #: What platforms with a face of their own see of the engine; a role attaches the engine once it has one.
    engine_view: EngineView
    delays: Delays = field(default_factory=Delays)
    #: What this process knows of the line; a role keeps it current.
    line: Line = field(default_factory=Line)


@asynccontextmanager
async def open_core(
    settings: Settings, redis_url: str | None, additions: Additions = NONE
) -> AsyncIterator[Core]:
    """Connect to the record and to Redis and refuse what cannot keep the promises.

    Without a Redis URL the schedule lives in this process. Raises `StartupError` and `VaultError`.
    """
    async with AsyncExitStack() as stack:
        keys = key_file.load_or_create(settings.vault_key_file)
        vault = AesVault(keys, organisation=settings.vault.organisation)
        database = await stack.enter_async_context(
            Database(settings.database_url, lease_s=settings.worker.lease_s)
        )
        await require_current(database)
        clock = SystemClock()
        shared = await stack.enter_async_context(_open_shared(settings, redis_url, keys, vault, clock))
        journal = Journal(database, vault, clock, _caps(settings))
        metrics = Metrics()
        hooks: Hooks = (metrics, log_event, *additions.hooks)
        engine_view = EngineView()
        ground = Ground(clock=clock, records=partial(SqlRecordStore, database, vault, clock=clock))
        platforms = _with(additions.platforms(ground), _platforms(settings, ground, engine_view))
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


@asynccontextmanager
async def _open_shared(
    settings: Settings, redis_url: str | None, keys: KeyRing, vault: Vault, clock: Clock
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
                redis, vault=vault, names_key=keys.derive(Subkey.CACHE_NAMES), ttl_s=settings.context.ttl_s
            ),
            redis=redis,
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


def _names(settings: Settings) -> tuple[str, ...]:
    return (settings.persona.name, *settings.persona.aliases)


def _with(added: Sequence[Platform], built_in: Mapping[str, Platform]) -> dict[str, Platform]:
    platforms = dict(built_in)
    for platform in added:
        name = platform.adapter.name
        if name in platforms:
            raise StartupError(f"two adapters are called {name}: give the added one another name")
        platforms[name] = platform
    return platforms


def _platforms(settings: Settings, ground: Ground, engine_view: EngineView) -> dict[str, Platform]:
    made: list[TerminalAdapter | WebchatAdapter] = []
    if settings.terminal.enabled:
        made.append(
            TerminalAdapter(
                TerminalSettings(socket_path=settings.terminal_socket, assistant_names=_names(settings)),
                ground.records("terminal"),
                ground.clock.now,
            )
        )
    if settings.webchat.enabled:
        made.append(
            WebchatAdapter(
                _webchat(settings),
                ground.records(WEBCHAT),
                ground.clock.now,
                engine=engine_view,
                listen=partial(
                    listen, behind_proxy=settings.webchat.behind_proxy, setting="webchat", what="the web chat"
                ),
                monotonic=ground.clock.monotonic,
            )
        )
    return {adapter.name: Platform(adapter=adapter, source=adapter, live=adapter) for adapter in made}


def _webchat(settings: Settings) -> WebchatSettings:
    section = settings.webchat
    return WebchatSettings(
        host=section.host,
        port=section.port,
        public_url=section.public_url,
        behind_proxy=section.behind_proxy,
        create=Create(section.create),
        sso_header=section.sso_header,
        sso_name_header=section.sso_name_header,
        retention_days=section.retention_days,
        assistant_names=_names(settings),
        caution=EMBEDDED_NOTE if settings.embedded_model_answers else "",
    )


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncIterator[House]:
    """Open the web chat's rooms for a command, beside the process that serves them.

    That process keeps rooms in memory: only what it has not read yet may be written here.
    """
    vault = AesVault(
        key_file.load_or_create(settings.vault_key_file), organisation=settings.vault.organisation
    )
    clock = SystemClock()
    async with Database(settings.database_url) as database:
        await require_current(database)
        yield House(
            SqlRecordStore(database, vault, WEBCHAT, clock), clock.now, _names(settings), HouseRules()
        )


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


def page_of(core: Core) -> WebchatAdapter | None:
    """Return the adapter that serves the page, if there is one."""
    webchat = core.platforms.get(WEBCHAT)
    return webchat.adapter if webchat and isinstance(webchat.adapter, WebchatAdapter) else None


def make_intake(core: Core) -> Intake:
    """Build the sink that every adapter hands its messages to."""
    settings = core.settings
    announcer = Announcer(
        core.shared.scheduler, core.shared.bus.ring, core.clock, core.hooks, outage=core.outage
    )
    return Intake(
        core.journal,
        announcer,
        core.shared.bus,
        IntakeSettings(
            rules=Rules(names=_names(settings), max_text_chars=settings.turns.max_text_chars),
            sends_from={name: platform.adapter.sends_from for name, platform in core.platforms.items()},
            deadline_s=settings.turns.deadline_s,
            direct_weight=settings.turns.direct_weight,
            group_weight=settings.turns.group_weight,
        ),
        core.hooks,
        load=core.line,
        bursts=Bursts(
            {name: platform.adapter.capabilities for name, platform in core.platforms.items()},
            core.clock.monotonic,
        ),
    )


def make_outboxes(core: Core) -> list[Outbox]:
    """Build what sends on the platforms whose connection this process holds."""
    return [
        Outbox(
            platform.adapter,
            platform.live,
            core.journal,
            core.shared.bus,
            poll_s=core.delays.outbox_s,
            hooks=core.hooks,
        )
        for platform in core.platforms.values()
        if platform.adapter.sends_from is SendsFrom.OWNER
    ]


def make_notices(core: Core) -> NoticeTask:
    """Build what sends notices and first signs on all other platforms."""
    sending = NoticeSending(
        core.platforms,
        core.journal,
        core.clock,
        core.delays,
        policy=_send_policy(core),
        hooks=core.hooks,
    )
    signs = FirstSigns(
        sending.adapters,
        core.journal,
        scheduler=core.shared.scheduler,
        line=core.line,
        clock=core.clock,
        delays=core.delays,
        name=core.settings.persona.name,
        policy=_send_policy(core),
    )
    return NoticeTask(sending, signs, core.delays)


def make_line_watch(core: Core) -> LineWatch:
    """Build what keeps this process's view of the line current; one runs in every gateway and every worker."""
    paces = Paces(core.database, core.clock)
    return LineWatch(core.line, core.shared.scheduler, paces, core.clock, tell=core.metrics.set_line)


def _send_policy(core: Core) -> SendPolicy:
    return SendPolicy(core.settings.turns.send_policy)


def make_worker(core: Core, engine: Engine, *, embedded: bool) -> tuple[Worker, StopBoard]:
    """Build a worker and the board on which it hears of stops."""
    shared, section = core.shared, core.settings.worker
    stops, slots, meter = StopBoard(), Slots(section.slots), PaceMeter(core.clock)
    hooks: Hooks = (*core.hooks, meter)
    trouble = Trouble(core.journal, core.clock, core.delays, hooks)
    keeper = ContextKeeper(store=shared.contexts, exchanges=core.journal.exchanges)
    attempt = Attempt(
        journal=core.journal,
        deliveries=deliveries(
            core.platforms,
            journal=core.journal,
            bus=shared.bus,
            late=LateEffects(core.journal, shared.scheduler, again_s=core.delays.not_now_s),
            clock=core.clock,
            policy=_send_policy(core),
            delays=core.delays,
            hooks=core.hooks,
        ),
        skills=_skills(core, engine, keeper, embedded=embedded),
        keeper=keeper,
        trouble=trouble,
        clock=core.clock,
        settings=AttemptSettings(most_attempts=core.settings.turns.attempts),
        usual_s=lambda: meter.turn_s,
        hooks=hooks,
    )
    settings = WorkerSettings(
        slots=section.slots,
        lease_ms=round(section.lease_s * 1000),
        drain_s=section.drain_s,
        idle_s=core.delays.idle_s,
    )
    pace = PaceReport(
        Paces(core.database, core.clock), meter, lambda: slots.limit, worker_id=secrets.token_hex(8)
    )
    serving = Serving(
        scheduler=shared.scheduler,
        journal=core.journal,
        attempt=attempt,
        trouble=trouble,
        stops=stops,
        clock=core.clock,
        lease_ms=settings.lease_ms,
        hooks=hooks,
    )
    worker = Worker(
        scheduler=shared.scheduler,
        serving=serving,
        reconciler=core.reconciler,
        outage=core.outage,
        settings=settings,
        slots=slots,
        companions=(Admitting(engine, slots).run, pace.run, partial(stops.look, core.journal)),
    )
    return worker, stops


def _skills(core: Core, engine: Engine, keeper: ContextKeeper, *, embedded: bool) -> dict[Skill, SkillRunner]:
    settings = core.settings
    persona, section = settings.persona, settings.engine
    return {
        Skill.ANSWER: Answer(
            engine=engine,
            keeper=keeper,
            salt=partial(_salt, core.keys.derive(Subkey.CACHE_SALT)),
            clock=core.clock,
            settings=AnswerSettings(
                persona=Persona(name=persona.name, character=persona.character, languages=persona.languages),
                max_reply_tokens=section.max_reply_tokens,
                budget_tokens=settings.context.budget_tokens,
                temperature=section.temperature,
                first_token_s=section.first_token_s,
                stall_s=section.stall_s,
            ),
            predicted_wait_s=core.line.predicted_wait_s,
            hooks=core.hooks,
        ),
        Skill.HELP: Spoken(help_words(persona.name, embedded=embedded)),
        Skill.RESET: Spoken(reset_words, resets_context=True),
        Skill.GREET: Spoken(greet_words(persona.name)),
    }


def _salt(key: bytes, chat: Chat) -> str:
    return cache_salt(key, chat.id)
