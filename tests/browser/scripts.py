"""Engines for browser tests: what they answer, and when a test lets them go on."""

import asyncio
from collections.abc import Callable

from engine.base import ChatRequest
from engine.scripted import ScriptedEngine

WORDS = "One two three four five six seven eight nine ten."


class HeldEngine(ScriptedEngine):
    """Says a few pieces and waits for the test before each of the others."""

    def __init__(
        self, script: Callable[[ChatRequest], str] = lambda request: WORDS, *, free: int = 3
    ) -> None:
        super().__init__(script, pace=self._held)
        self._free = free
        self._gate = asyncio.Event()

    async def _held(self, request: ChatRequest, n: int) -> None:
        if n >= self._free:
            await self._gate.wait()

    def let_go(self) -> None:
        """Let every reply, and those to come, run to their end."""
        self._gate.set()

    def hold(self) -> None:
        """Hold replies again."""
        self._gate.clear()
