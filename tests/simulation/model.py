"""The engine of a run: the scripted one, answering with the marks of what it was asked, at a virtual pace."""

import asyncio
import re
from collections.abc import Iterator
from itertools import count

from engine.base import ChatRequest, EngineState
from engine.errors import EngineFailed
from engine.scripted import ScriptedEngine
from tests.simulation.schedule import Say, Schedule, Seam
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.watching import Watch
from tests.simulation.wire import Wire

MARK = re.compile(r"#m(\d+)")
#: One part of a complete reply, in whatever it stands: its number, of how many, the marks, the generation.
FINAL = re.compile(r"part (\d) of (\d) for ((?:#m\d+ )+)take (\d+) end")
_FILLING = "x" * 150


class MarkedEngine(ScriptedEngine):
    """Answers `part 1 of 2 for #m3 #m4 take 7 end`: which parts, to what, and which generation it was."""

    def __init__(self, loop: VirtualLoop, schedule: Schedule, wire: Wire, watch: Watch) -> None:
        super().__init__()
        said = [event for event in schedule.events if isinstance(event, Say)]
        self._parts = {say.number: say.parts for say in said}
        self._poison = {say.number for say in said if say.poison}
        self._chance = wire.chance("engine")
        self._wire = wire
        self._watch = watch
        self._generations = count(1)
        self._fails: dict[str, bool] = {}
        self._pace = self._paced
        self._each_s: dict[str, float] = {}

    def away(self, *, is_away: bool) -> None:
        """Be out of reach, or back."""
        self.set_status(EngineState.DEAD if is_away else EngineState.READY, detail="the engine is away")

    def _pieces(self, request: ChatRequest) -> Iterator[str]:
        marks = _asked(request)
        self._fails[request.request_id] = self._wire.harm(Seam.ENGINE) is not None
        self._each_s[request.request_id] = self._chance.choice([0.02, 0.2, 0.5, 1.2])
        take, parts = next(self._generations), max(self._parts[mark] for mark in marks)
        named = "".join(f"#m{mark} " for mark in marks)
        self._watch.tell(f"generation {take} of {request.request_id} for {named}")
        filling = _FILLING if parts > 1 else ""
        for part in range(1, parts + 1):
            yield f"{filling} part {part} "
            yield f"of {parts} for {named}"
            yield f"take {take} end\n\n"

    async def _paced(self, request: ChatRequest, n: int) -> None:
        await asyncio.sleep(self._each_s[request.request_id])
        poison = self._poison.intersection(_asked(request))
        if n == 1 and (poison or self._fails[request.request_id]):
            for mark in poison:
                self._watch.broke_off[mark] = self._watch.broke_off.get(mark, 0) + 1
            raise EngineFailed("the engine broke off")


def _asked(request: ChatRequest) -> list[int]:
    """Read the marks of the newest message."""
    return [int(mark) for mark in MARK.findall(request.messages[-1].content)]
