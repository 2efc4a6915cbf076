"""A whole run: people speak while everything breaks, then it is quiet, then the verdict."""

import asyncio
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.breaker import Breaker
from tests.chaos.cast import Corner
from tests.chaos.ledger import Ledger
from tests.chaos.plan import LEASE_S, Plan
from tests.chaos.story import Promise
from tests.chaos.verdict import Verdict, misuse
from tests.chaos.world import World, running

#: Mentions unanswered in one conversation before somebody says more; a burst may go one further.
_MOST_WAITING = 2
#: Seconds for which nothing may change before it counts as quiet: a lease, and what follows its end.
_QUIET_S = LEASE_S + 1.5
#: Seconds without any change after which what is open stays open: longer than any claim or pause.
STUCK_S = 75.0
_ROUND_S = 0.02
_READ_EVERY_S = 0.1
_PROGRESS_EVERY_S = 5.0
_PAGE_ROWS = 500


@dataclass(slots=True)
class Run:
    """One run in progress."""

    plan: Plan
    world: World
    ledger: Ledger
    tell: Callable[[str], None]
    said: int = 0
    _began_s: float = field(default_factory=time.monotonic)
    _under_way: dict[str, int] = field(default_factory=dict)
    #: What will be taken back: when, on which platform, which mention.
    _regrets: list[tuple[float, str, str]] = field(default_factory=list)

    async def verdict(self) -> Verdict:
        """Carry it out."""
        async with asyncio.TaskGroup() as tasks:
            readers = [tasks.create_task(self._read(name)) for name in self.world.clouds]
            progress = tasks.create_task(self._progress())
            breaker = Breaker(self.plan, self.world, self.ledger)
            breaking = tasks.create_task(breaker.run())
            await self._speak()
            breaking.cancel()
            await asyncio.wait({breaking})
            dealt = ", ".join(f"{count} {blow.value}" for blow, count in breaker.dealt.items() if count)
            self.tell(
                f"said {self.said} in {self._elapsed_s:.0f} s; dealt {dealt or 'nothing'}; now it is calm"
            )
            await self._until_quiet()
            for task in (*readers, progress):
                task.cancel()
        return self.ledger.judge_all() + await self._misuse()

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began_s

    async def _speak(self) -> None:
        corners = [
            Corner(platform, index, self.plan.seed)
            for index in range(self.plan.corners // len(self.world.clouds))
            for platform in self.world.clouds
        ]
        while not self._has_said_all():
            for corner in corners:
                if self._has_said_all() or self.ledger.open >= self.plan.most_open:
                    break
                if self._may_speak(corner):
                    await self._say(corner)
            # Whoever was last is first in the next round.
            corners = corners[1:] + corners[:1]
            await self._take_back()
            self.ledger.forget()
            await asyncio.sleep(_ROUND_S)

    def _has_said_all(self) -> bool:
        late = self.plan.minutes is not None and self._elapsed_s > self.plan.minutes * 60
        return late or self.said >= self.plan.turns

    def _may_speak(self, corner: Corner) -> bool:
        if time.monotonic() < corner.silent_until_s:
            return False
        waiting = self.ledger.open_in(corner.platform, corner.conversation)
        return waiting < _MOST_WAITING + corner.in_burst

    async def _say(self, corner: Corner) -> None:
        self.said += 1
        line = corner.next(self.said)
        mention = await self.world.clouds[corner.platform].client.say(
            line.asked.text(),
            conversation=line.conversation,
            sender=line.sender,
            kind=line.kind,
            copies=line.copies,
            spread=line.spread,
            delay_s=line.delay_s,
        )
        self.ledger.said(corner.platform, line.conversation, mention)
        corner.silent_until_s = time.monotonic() + corner.pause_s()
        if line.regretted_s is not None:
            heapq.heappush(self._regrets, (time.monotonic() + line.regretted_s, corner.platform, mention))
        if corner.is_over:
            self.ledger.over(corner.platform, corner.conversation)
            corner.move_on()

    async def _take_back(self) -> None:
        """Withdraw what is due to be withdrawn."""
        while self._regrets and self._regrets[0][0] <= time.monotonic():
            _, platform, mention = heapq.heappop(self._regrets)
            await self.world.clouds[platform].client.withdraw(mention)

    async def _read(self, name: str) -> None:
        client, after = self.world.clouds[name].client, 0
        while True:
            page = await client.page(after, limit=_PAGE_ROWS, wait_s=1.0)
            self._under_way[name] = client.under_way
            self.ledger.take(name, page)
            after = page.next
            if not page.more:
                await asyncio.sleep(_READ_EVERY_S)

    async def _until_quiet(self) -> None:
        """Wait until nothing is due and nothing changes, or until nothing has changed for too long."""
        began = time.time()
        while (rested_s := time.time() - max(began, self.ledger.changed_at)) < STUCK_S:
            if not self.ledger.open and not any(self._under_way.values()) and rested_s > _QUIET_S:
                return
            await asyncio.sleep(_READ_EVERY_S)
        self.tell(f"{self.ledger.open} mentions are open and nothing has changed for {STUCK_S:g} s")

    async def _misuse(self) -> Verdict:
        """Ask the platforms what no correct client would have asked them for."""
        verdict = Verdict()
        for name, cloud in self.world.clouds.items():
            wrong = await cloud.client.violations()
            for why in dict.fromkeys(wrong):
                self.tell(f"{name} was asked wrongly: {why}")
            verdict += misuse(name, wrong)
        return verdict

    async def _progress(self) -> None:
        while True:
            await asyncio.sleep(_PROGRESS_EVERY_S)
            settled = self.said - self.ledger.open
            self.tell(
                f"{self._elapsed_s:4.0f} s  said {self.said}, settled {settled} ({settled / self._elapsed_s:.0f}/s)"
            )


async def carry_out(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Verdict:
    """Start a deployment, carry a run out on it, and end everything."""
    promises = {stage.name: Promise(stage.platform_class.value) for stage in plan.stages()}
    with (folder / "blows.log").open("a", encoding="utf-8") as log:
        ledger = Ledger(promises, tell, log)
        async with running(plan, folder, tell) as world:
            return await Run(plan, world, ledger, tell).verdict()
