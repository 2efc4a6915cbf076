"""The roles a process can have: everything at once, gateway, worker, engine. Each runs until it is cancelled."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from adapters.errors import AdapterError
from bot.additions import NONE, Additions
from bot.bootstrap import (
    Core,
    make_intake,
    make_line_watch,
    make_notices,
    make_outboxes,
    make_worker,
    open_core,
    page_of,
)
from bot.bootstrap.keys import keep_rotating
from bot.bootstrap.privacy import make_forgetter, make_retention, renew_old_streams
from bot.engines import open_engine, require_engine, supervised
from bot.errors import AsideError, StartupError
from bot.greeting import Greeting
from bot.ingress.gateway import Gateway, GatewaySettings, make_app
from bot.long_lived import spare_the_collector
from bot.probing import make_probes
from bot.servers.platforms import embedded_servers_run_here
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.store.schema import migrate
from bot.telemetry.pulse import Pulse
from bot.turns.gauges import watch_queue
from engine.base import Engine


async def run_up(settings: Settings, additions: Additions = NONE) -> int:
    """Run everything in this process; its only children are Valkey and vLLM."""
    greeting = Greeting(settings)
    async with AsyncExitStack() as stack:
        with _one_cause():
            require_engine(settings)
            redis_url = await _redis(settings, greeting, stack)
            if not settings.database.url.get_secret_value():
                await migrate(settings.database_url)
            core = await stack.enter_async_context(open_core(settings, redis_url, additions))
            engine = await stack.enter_async_context(
                open_engine(settings, core.hooks, on_change=greeting.engine_changed)
            )
            async with _gateway(core, engine) as tasks:
                tasks.create_task(_announce(greeting, core))
                await _work(core, engine, tasks)
    return 0


async def run_gateway(settings: Settings, additions: Additions = NONE) -> int:
    """Receive messages, send what this process owns, answer health and metrics."""
    with _one_cause():
        async with (
            open_core(settings, _given_redis(settings), additions) as core,
            open_engine(settings, core.hooks, supervise=False) as engine,
            _gateway(core, engine),
        ):
            await asyncio.Event().wait()
    return 0


async def run_worker(settings: Settings, additions: Additions = NONE) -> int:
    """Answer turns."""
    with _one_cause():
        async with (
            open_core(settings, _given_redis(settings), additions) as core,
            open_engine(settings, core.hooks, supervise=False) as engine,
            asyncio.TaskGroup() as tasks,
        ):
            spare_the_collector()
            tasks.create_task(core.reconciler.run())
            tasks.create_task(make_line_watch(core).run())
            tasks.create_task(Pulse(settings.data.worker_pulse).run())
            await _work(core, engine, tasks)
    return 0


async def run_engine(settings: Settings) -> int:
    """Start and supervise the engine of the profile."""
    with _one_cause():
        async with supervised(settings):
            await asyncio.Event().wait()
    return 0


async def _redis(settings: Settings, greeting: Greeting, stack: AsyncExitStack) -> str | None:
    """Return the URL of the Redis to use, starting the embedded one where none is set; None keeps it in-process."""
    if url := settings.redis_url:
        return url
    if not embedded_servers_run_here():
        greeting.say(
            "There is no embedded Valkey for this system: the schedule stays in this process. Nothing accepted "
            "is lost by that. For several processes set ASIDE_REDIS_URL."
        )
        return None
    valkey = EmbeddedValkey(settings.data.valkey, log=settings.data.logs / "valkey.log")
    return (await stack.enter_async_context(valkey)).url


def _given_redis(settings: Settings) -> str:
    """Return the Redis of a deployment of several processes, which must be named."""
    if url := settings.redis_url:
        return url
    raise StartupError(
        "gateway and worker meet in Redis: set ASIDE_REDIS_URL (redis.url) to a Redis 7.0 or Valkey 8 server or "
        "newer, or run everything in one process with `aside up`"
    )


@asynccontextmanager
async def _gateway(core: Core, engine: Engine) -> AsyncIterator[asyncio.TaskGroup]:
    """Run intake, the HTTP side and everything that takes in and sends beside the workers."""
    core.engine_view.attach(engine)
    section = core.settings.gateway
    settings = GatewaySettings(host=section.host, port=section.port, behind_proxy=section.behind_proxy)
    forgetter = make_forgetter(core)
    async with make_intake(core, forgetter) as intake:
        webhooks = [webhook for platform in core.platforms.values() for webhook in platform.webhooks]
        app = make_app(webhooks, intake, make_probes(core, engine), settings)
        async with Gateway(app, settings), asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(core.reconciler.run()),
                tasks.create_task(make_notices(core).run()),
                tasks.create_task(make_line_watch(core).run()),
                tasks.create_task(watch_queue(core.journal, core.metrics)),
                tasks.create_task(keep_rotating(core)),
                tasks.create_task(make_retention(core).run()),
                tasks.create_task(forgetter.run()),
                tasks.create_task(renew_old_streams(core)),
                *(tasks.create_task(outbox.run()) for outbox in make_outboxes(core)),
                *(
                    tasks.create_task(platform.source.run(intake))
                    for platform in core.platforms.values()
                    if platform.source is not None
                ),
            ]
            spare_the_collector()
            try:
                yield tasks
            finally:
                for task in background:
                    task.cancel()


async def _work(core: Core, engine: Engine, tasks: asyncio.TaskGroup) -> None:
    """Run a worker until cancelled; it drains while everything around it still runs."""
    worker, stops = make_worker(core, engine, embedded=core.settings.embedded_model_answers)
    listening = tasks.create_task(stops.listen(core.shared.bus))
    try:
        await worker.run()
    finally:
        listening.cancel()


async def _announce(greeting: Greeting, core: Core) -> None:
    page = page_of(core)
    if page is not None:
        await page.listening.wait()
    greeting.started(os.getpid(), page.address if page else None)


@contextmanager
def _one_cause() -> Iterator[None]:
    """Let a task group that failed for one reason of ours fail with that reason alone."""
    try:
        yield
    except* (AsideError, AdapterError) as group:
        raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return StartupError(str(error)) if isinstance(error, AdapterError) else error
