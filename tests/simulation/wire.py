"""Every call that leaves a process goes over the wire: it takes time, may meet a fault, may be its process's last."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable

from tests.simulation.schedule import Blow, Harm, Moment, Schedule, Seam, Spoil, Strike
from tests.simulation.virtual_loop import OUTSIDE, OWNER, Process, VirtualLoop

#: Seconds one way, mostly and sometimes.
_QUICK_S = {Seam.STORE: (0.0005, 0.004), Seam.SCHEDULE: (0.0003, 0.002)}
_SLOW_S = (0.02, 0.3)
_IS_SLOW = 0.03
#: Most answers come with the effect: what lies between the two is what strikes are for.
_IS_LATE = 0.2


class Wire:
    """Counts calls, delays them, and carries out what the schedule has for them."""

    def __init__(self, loop: VirtualLoop, schedule: Schedule, tell: Callable[[str], None]) -> None:
        self._loop = loop
        self._seed = schedule.seed
        self._tell = tell
        #: What the world does to a process that is killed here, and to the schedule that is erased.
        self.kill: Callable[[Process], None] = Process.kill
        self.erase: Callable[[], None] = lambda: None
        self._strikes: dict[tuple[str, Seam, int, Moment], Strike] = {
            (event.process, event.seam, event.call, event.moment): event
            for event in schedule.events
            if isinstance(event, Strike)
        }
        self._spoils = {
            (event.seam, event.call): event.harm for event in schedule.events if isinstance(event, Spoil)
        }
        #: Calls by process, over all its lives, and by seam.
        self._made: Counter[tuple[str, Seam]] = Counter()
        self._reached: Counter[Seam] = Counter()
        self._streams: dict[str, random.Random] = defaultdict(random.Random)
        self.away: Counter[Seam] = Counter()
        #: The run is over: nothing answers any more.
        self.closed = False

    def chance(self, name: str) -> random.Random:
        """Return the named stream of chance: what one part of the world draws changes nothing for another."""
        if name not in self._streams:
            self._streams[name].seed(f"{name} {self._seed}")
        return self._streams[name]

    def harm(self, seam: Seam) -> Harm | None:
        """Tell what the next call to a seam meets."""
        self._reached[seam] += 1
        if self.closed or self.away[seam]:
            return Harm.REFUSED
        return self._spoils.get((seam, self._reached[seam]))

    async def leave(self, seam: Seam, what: str) -> int:
        """Be on the way out of a process; return the call's number in it."""
        owner = OWNER.get()
        if owner is None or self.closed:
            return 0
        self._made[owner.name, seam] += 1
        number = self._made[owner.name, seam]
        await self._struck(owner, seam, number, Moment.BEFORE, what)
        await self._travel(seam, owner)
        return number

    async def come_back(self, seam: Seam, what: str, number: int) -> None:
        """Be on the way back into it."""
        owner = OWNER.get()
        if owner is None or self.closed:
            return
        await self._struck(owner, seam, number, Moment.AFTER, what)
        if self.chance(owner.name).random() < _IS_LATE:
            await self._travel(seam, owner)

    async def _struck(self, owner: Process, seam: Seam, number: int, moment: Moment, what: str) -> None:
        strike = self._strikes.pop((owner.name, seam, number, moment), None)
        if strike is None:
            return
        self._tell(f"{strike.blow} {moment} {what}, which is call {number} to the {seam}")
        match strike.blow:
            case Blow.KILL:
                self.kill(owner)
            case Blow.FREEZE:
                owner.freeze()
                self._loop.call_later(strike.for_s, owner.thaw, context=OUTSIDE)
            case Blow.ERASE:
                self.erase()
        await asyncio.sleep(0)  # which does not return before the process goes on

    async def _travel(self, seam: Seam, owner: Process) -> None:
        quick = _QUICK_S.get(seam)
        if quick is None:
            return
        chance = self.chance(owner.name)
        bounds = _SLOW_S if chance.random() < _IS_SLOW else quick
        await asyncio.sleep(chance.uniform(*bounds))
