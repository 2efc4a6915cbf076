"""An engine of our own as callers see it: the client, behind the supervisor's word on whether to send."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.base import ChatRequest, Delta, Engine, EngineLoad, EngineState, EngineStatus, Finish
from engine.errors import EngineNotReady
from engine.supervisor import EngineSupervisor


class SupervisedEngine:
    """Implements `Engine`: streams through the client while the supervisor says ready, and only then."""

    def __init__(self, client: Engine, supervisor: EngineSupervisor) -> None:
        """Keep both; their lifecycles are their owner's."""
        self._client = client
        self._supervisor = supervisor

    @asynccontextmanager
    async def stream(self, request: ChatRequest) -> AsyncIterator[AsyncIterator[Delta | Finish]]:
        """Start one generation; see `engine.base.Engine.stream`. Raise `EngineNotReady` unless ready."""
        status = self._supervisor.status()
        if status.state is not EngineState.READY:
            raise EngineNotReady(f"the engine is {status.state.value}: {status.detail}")
        async with self._client.stream(request) as events:
            yield events

    async def status(self) -> EngineStatus:
        """Tell what the supervisor knows."""
        return self._supervisor.status()

    async def load(self) -> EngineLoad:
        """Ask the engine."""
        return await self._client.load()
