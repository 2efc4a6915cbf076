"""The real page server in this process, over a scripted engine: what every browser test looks at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.base import EngineNow, Platform
from adapters.records_memory import MemoryRecordStore
from adapters.webchat.adapter import WebchatAdapter
from adapters.webchat.settings import WebchatSettings
from bot.ingress.listening import listen
from bot.turns.tasks import end
from engine.base import Engine
from tests.fixtures.rig import Rig, open_rig

#: The name people mention.
ASSISTANT = "assistant"


@dataclass(kw_only=True)
class EngineFace:
    """An `EngineWatch` that a test holds in its hands."""

    state: EngineNow = field(default_factory=lambda: EngineNow(ready=True))

    async def now(self) -> EngineNow:
        return self.state


@dataclass(kw_only=True)
class World:
    """One running web chat, and what is behind it."""

    rig: Rig
    adapter: WebchatAdapter
    records: MemoryRecordStore
    engine_face: EngineFace
    _serving: asyncio.Future[None] | None = None

    @property
    def url(self) -> str:
        return self.adapter.address.rstrip("/")

    async def start(self) -> None:
        """Serve; after `stop` again, with what is stored, where it was."""
        self._serving = self.rig.run(self.adapter.run(self.rig.intake))
        async with asyncio.timeout(20):
            await self.adapter.listening.wait()

    async def stop(self) -> None:
        """Stop serving, as a server does that is restarted."""
        assert self._serving is not None
        await end({self._serving})
        # The pages know this address: the next start must not take any free port.
        self.adapter._settings = replace(self.adapter._settings, port=self.adapter.port)


def _adapter(records: MemoryRecordStore, face: EngineFace) -> WebchatAdapter:
    settings = WebchatSettings(port=0, assistant_names=(ASSISTANT,))
    return WebchatAdapter(settings, records, lambda: datetime.now(UTC), engine=face, listen=listen)


@asynccontextmanager
async def open_world(folder: Path, engine: Engine | None) -> AsyncIterator[World]:
    """Serve the page; without an engine nobody works on what is asked."""
    records, face = MemoryRecordStore(), EngineFace()
    adapter = _adapter(records, face)
    platform = Platform(adapter=adapter, source=adapter, live=adapter)
    async with open_rig(folder, platform=platform) as rig:
        world = World(rig=rig, adapter=adapter, records=records, engine_face=face)
        await world.start()
        if engine is not None:
            rig.start_worker(engine)
        yield world
