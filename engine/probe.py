"""Asks whether an engine of ours is up yet, or still."""

from typing import Protocol

from engine.base import Engine, EngineState, EngineStatus
from engine.errors import EngineNotReady
from engine.listen import Listen


class HealthProbe(Protocol):
    """One way to ask an engine process for its health."""

    async def check(self) -> EngineStatus:
        """Return what the engine serves, within seconds; raise `EngineNotReady` where it does not answer well."""
        ...


class EngineProbe:
    """Asks through the engine's own client, once its place accepts connections at all.

    vLLM takes its address early and listens on it last, so a refused connection is the ordinary sign of loading.
    """

    def __init__(self, engine: Engine, listen: Listen) -> None:
        """Keep whom to ask, and where it will listen."""
        self._engine = engine
        self._listen = listen

    async def check(self) -> EngineStatus:
        """See `HealthProbe`."""
        if not self._listen.answers():
            raise EngineNotReady(f"nothing listens at {self._listen.url} yet")
        status = await self._engine.status()
        if status.state is not EngineState.READY:
            raise EngineNotReady(status.detail or f"the engine is {status.state.value}")
        return status
