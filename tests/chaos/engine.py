"""The engine of a chaos run: answers every question by its marks, and breaks off at poison.

python -m tests.chaos.engine SOCKET
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.base import ChatRequest
from engine.errors import EngineFailed
from engine.scripted import ScriptedEngine, steady
from engine.scripted_server import serve
from tests.chaos.words import Asked, answer, asked

#: Seconds a piece takes, and its length: so few that no answer is ever cut for its length.
EACH_S = 0.015
_PIECE_CHARS = 60
#: Pieces of a poisoned answer before it breaks off.
_LEAST_SAID, _MOST_SAID = 0, 3


def wanted(request: ChatRequest) -> list[Asked]:
    """Read what the newest message of a prompt asks for."""
    return asked(request.messages[-1].content)


def script(request: ChatRequest) -> str:
    """Answer by the marks."""
    return answer(wanted(request))


class PoisonedEngine(ScriptedEngine):
    """A scripted engine that some questions break."""

    def __init__(self) -> None:
        super().__init__(script, pace=self._pace, history=10)
        self._steady = steady(first_s=EACH_S, each_s=EACH_S)

    def _pieces(self, request: ChatRequest) -> Iterator[str]:
        text = script(request)
        return (text[at : at + _PIECE_CHARS] for at in range(0, len(text), _PIECE_CHARS))

    async def _pace(self, request: ChatRequest, n: int) -> None:
        poisoned = any(one.poison for one in wanted(request))
        if poisoned and n >= random.randint(_LEAST_SAID, _MOST_SAID):
            raise EngineFailed("poison")
        await self._steady(request, n)


async def run(uds: Path) -> None:
    """Serve until ended."""
    async with serve(PoisonedEngine(), uds=uds):
        await asyncio.Event().wait()


def main() -> None:
    """Serve on the socket that is named."""
    asyncio.run(run(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
