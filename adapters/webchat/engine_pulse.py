"""Telling everybody how the engine fares, while it starts and when that changes."""

import asyncio
from typing import Any

from adapters.base import EngineNow, EngineWatch
from adapters.webchat.frames import event, framed
from adapters.webchat.hub import Hub

_WHILE_STARTING_S = 1.0
_WHILE_READY_S = 5.0


class EnginePulse:
    """Asks the engine's watch as long as somebody is connected."""

    def __init__(self, watch: EngineWatch, hub: Hub) -> None:
        self._watch = watch
        self._hub = hub
        self._known: EngineNow | None = None

    async def facts(self) -> dict[str, Any]:
        """Tell how it fares, for a page that opens."""
        if self._known is None or not self._known.ready:
            self._known = await self._watch.now()
        return _facts(self._known)

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self.tell()
            is_ready = self._known is not None and self._known.ready
            await asyncio.sleep(_WHILE_READY_S if is_ready else _WHILE_STARTING_S)

    async def tell(self) -> None:
        """Ask once, and tell everybody what changed."""
        if not self._hub.people:
            self._known = None
            return
        now = await self._watch.now()
        if now != self._known:
            self._known = now
            self._hub.tell_all(framed(event("engine", **_facts(now))))


def _facts(now: EngineNow) -> dict[str, Any]:
    return {"ready": now.ready, "text": now.text, "share": now.share}
