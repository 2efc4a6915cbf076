"""Which engine answers: one that runs elsewhere, one another process supervises, or a child of this one."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.errors import StartupError
from bot.launching import require_launchable
from bot.settings import Settings
from bot.telemetry.events import EngineStateChanged, Hooks, emit
from engine.base import Engine, EngineStatus
from engine.client import EngineClient
from engine.errors import EngineSetupError
from engine.launch import Launch
from engine.listen import Listen
from engine.patience import Patience
from engine.probe import EngineProbe
from engine.supervised import SupervisedEngine
from engine.supervisor import EngineSupervisor

#: A start that takes this many times what is usual will not end by itself.
_STARTS = 4
OnChange = Callable[[EngineStatus], None]


@asynccontextmanager
async def open_engine(
    settings: Settings,
    hooks: Hooks,
    *,
    on_change: OnChange = lambda _: None,
    supervise: bool = True,
) -> AsyncIterator[Engine]:
    """Connect to the engine that is set, or supervise the embedded one, or use the one `aside engine` supervises."""
    section = settings.engine
    if not section.url and supervise:
        async with supervised(settings, hooks, on_change=on_change) as engine:
            yield engine
        return
    url = section.url or Listen.on_socket(settings.data.engine_socket).url
    key = section.api_key.get_secret_value() or None
    async with EngineClient(url, api_key=key, model=section.model or None) as client:
        on_change(await client.status())
        yield client


@asynccontextmanager
async def supervised(
    settings: Settings, hooks: Hooks = (), *, on_change: OnChange = lambda _: None
) -> AsyncIterator[Engine]:
    """Start vLLM as a child and keep it alive; returns at once, the engine becomes ready by itself."""
    launch = await asyncio.to_thread(require_launchable, settings)
    _make_way(launch)

    def changed(status: EngineStatus) -> None:
        emit(hooks, EngineStateChanged(state=status.state, detail=status.detail))
        on_change(status)

    async with EngineClient(launch.listen.url) as client:
        supervisor = EngineSupervisor(
            prepare=lambda: launch.command(os.environ),
            engine=client,
            probe=EngineProbe(client, launch.listen),
            usual_start_s=launch.profile.usual_start_s,
            patience=_patience(launch),
            on_change=changed,
        )
        async with supervisor:
            yield SupervisedEngine(client, supervisor)


def require_engine(settings: Settings) -> None:
    """Raise `StartupError`, with what to set, where there is no engine elsewhere and none can run here."""
    if not settings.engine.url:
        require_launchable(settings)


def _make_way(launch: Launch) -> None:
    try:
        launch.listen.make_way()
    except EngineSetupError as exc:
        raise StartupError(str(exc)) from exc


def _patience(launch: Launch) -> Patience:
    """Wait longer for a model that usually takes longer."""
    usual = Patience()
    return replace(usual, start_s=max(usual.start_s, _STARTS * launch.profile.usual_start_s))
