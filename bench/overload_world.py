"""The whole path under load: real Valkey and SQLite, gateway and worker, an engine that does so much and no more."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person
from adapters.base import Platform as Configured
from bench.overload_platform import NAME, WORD, Platform
from bot.bootstrap import make_intake, make_line_watch, make_notices, make_worker, open_core
from bot.ingress.intake import Intake
from bot.long_lived import spare_the_collector
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.settings.sections import EngineSection, TerminalSection, TurnsSection, WebchatSection, WorkerSection
from bot.store.schema import migrate
from bot.telemetry.events import Details, TurnTaken
from engine.base import ChatRequest
from engine.scripted import ScriptedEngine

#: What the engine does at once, and how fast: so many tokens a second in all.
CAPACITY = 8
TOKEN_S = 0.02
#: The worker could keep twice as many open: it has to find out.
SLOTS = 2 * CAPACITY
#: Tokens of an answer that nobody shortens, from and to.
LENGTHS = (60, 240)
MAX_REPLY_TOKENS = 240
DEADLINE_S = 60.0


@dataclass
class Engine:
    """A scripted engine of a fixed capacity that knows how much it said to whom."""

    seed: int
    #: Tokens by turn.
    tokens: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.real = ScriptedEngine(
            lambda _: "".join(f"{WORD}{n} " for n in range(chance.randint(*LENGTHS))),
            pace=self._pace,
            capacity=CAPACITY,
        )

    async def _pace(self, request: ChatRequest, n: int) -> None:
        await asyncio.sleep(TOKEN_S)
        self.tokens[request.request_id.rpartition("-")[0]] += 1


@dataclass
class World:
    """What a load is put on, and what was seen of it."""

    intake: Intake
    platform: Platform
    engine: Engine
    #: When each turn was taken, and which turn each mention became.
    taken_s: dict[str, float]
    turn_of: dict[str, str] = field(default_factory=dict)
    _numbers: int = 0

    async def say(self) -> None:
        """Say something in a chat of its own."""
        self._numbers += 1
        ref = self.platform.said(self._numbers)
        receipt = await self.intake.accept(_message(ref, "Tell me something long.", event=ref))
        self.turn_of[ref] = receipt.turn_id or ""

    async def stop_some(self, chance: random.Random, every_s: float = 3.0) -> None:
        """Have somebody who is not answered yet say stop, now and then: who is told a wait reckons with the others."""
        while True:
            await asyncio.sleep(every_s)
            waits = [ref for ref, mention in self.platform.mentions.items() if mention.is_open]
            if waits:
                ref = chance.choice(waits)
                self.platform.mentions[ref].stopped_s = time.monotonic()
                await self.intake.accept(_message(ref, "stop", event=f"stop of {ref}"))

    async def say_for(self, seconds: float, per_s: float, chance: random.Random) -> None:
        """Say things at random instants, so many a second on the average (a Poisson process)."""
        until_s = time.monotonic() + seconds
        async with asyncio.TaskGroup() as saying:
            at_s = time.monotonic()
            while (at_s := at_s + chance.expovariate(per_s)) < until_s:
                await asyncio.sleep(max(0.0, at_s - time.monotonic()))
                saying.create_task(self.say())
            await asyncio.sleep(max(0.0, until_s - time.monotonic()))


@asynccontextmanager
async def open_world(seed: int) -> AsyncIterator[World]:
    """Compose gateway and worker as the roles do, on a data directory that goes when this ends."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            engine=EngineSection(max_reply_tokens=MAX_REPLY_TOKENS),
            worker=WorkerSection(slots=SLOTS),
            turns=TurnsSection(deadline_s=DEADLINE_S),
            terminal=TerminalSection(enabled=False),
            webchat=WebchatSection(enabled=False),
        )
        settings.data.create()
        await migrate(settings.database_url)
        platform, engine = Platform(), Engine(seed)
        taken_s: dict[str, float] = {}

        def note(details: Details) -> None:
            if isinstance(details, TurnTaken):
                taken_s[details.turn_id] = time.monotonic()

        async with (
            EmbeddedValkey(settings.data.valkey) as valkey,
            open_core(settings, valkey.url) as opened,
        ):
            core = replace(
                opened,
                platforms={NAME: Configured(adapter=platform)},
                hooks=(*opened.hooks, note),
                # What answers are told from is how they begin.
                introduces=False,
            )
            worker, stops = make_worker(core, engine.real, embedded=True)
            await core.reconciler.put_all()
            work = (
                worker.run,
                core.reconciler.run,
                make_notices(core).run,
                make_line_watch(core).run,
                lambda: stops.listen(core.shared.bus),
            )
            async with make_intake(core) as intake, _running(work):
                spare_the_collector()
                yield World(intake, platform, engine, taken_s)


@asynccontextmanager
async def _running(work: "tuple[Callable[[], Coroutine[Any, Any, None]], ...]") -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each()) for each in work]
        try:
            yield
        finally:
            for task in running:
                task.cancel()


def _message(ref: str, text: str, *, event: str) -> Inbound:
    return Inbound(
        adapter=NAME,
        account="main",
        event_key=event,
        conversation=Conversation(ref=ref, kind=ConversationKind.DIRECT),
        message=ref,
        sender=Person(id=f"person of {ref}", name="Ann"),
        text=text,
        addressed=Addressed.DIRECT,
        sent_at=datetime.now(UTC),
    )
