"""Keeping a worker's slots at what the engine can use: its metrics are read, the pure controller decides."""

import asyncio
import logging

from bot.turns.slots import Slots
from engine.admission import Admission
from engine.base import Engine
from engine.errors import EngineError, EngineNotReady

logger = logging.getLogger(__name__)

#: Seconds between two looks at an engine that tells how busy it is, and at one that did not.
EVERY_S = 1.0
SELDOM_S = 30.0


class Admitting:
    """Reads the engine's load while there is something to decide, and resizes the slots."""

    def __init__(self, engine: Engine, slots: Slots, *, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._slots = slots
        self._every_s = every_s
        self._admission = Admission(slots.limit)
        self._most = slots.limit
        self._is_silent = False

    async def run(self) -> None:
        """Look and resize until cancelled. An engine that does not say how busy it is leaves the slots alone."""
        while True:
            wait_s = self._every_s
            # One request alone never waits, and with all slots free there is nothing to learn.
            if self._slots.taken > 1 or self._slots.usable < self._most:
                wait_s = await self._look()
            await asyncio.sleep(wait_s)

    async def _look(self) -> float:
        try:
            load = await self._engine.load()
        except EngineNotReady:
            return self._every_s  # its absence says nothing about how much it can do
        except EngineError as error:
            if not self._is_silent:
                logger.warning("the engine does not tell how busy it is, all slots stay open: %s", error)
            self._is_silent = True
            self._admission = Admission(self._most)
            self._resize(self._most)
            return SELDOM_S
        self._is_silent = False
        self._resize(self._admission.observe(load, self._slots.taken))
        return self._every_s

    def _resize(self, limit: int) -> None:
        if limit != self._slots.usable:
            logger.debug("the engine can use %d of %d slots now", limit, self._most)
            self._slots.resize(limit)
