"""The project's own path under `bench.prefix`: intake, journal, context, worker and summariser, on a bench's engine."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person, Platform, Quoted
from bench.prefix_meter import Metered
from bench.prefix_trace import Step, Upset
from bench.whole_path import NAME, Stopwatch
from bot.additions import Additions
from bot.bootstrap import make_intake, make_outboxes, make_worker, open_core
from bot.bootstrap.core import Core
from bot.ingress.intake import Intake
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.settings.sections import ContextSection, EngineSection, PrivacySection, TerminalSection
from bot.store.schema import migrate
from bot.telemetry.events import Hooks
from bot.turns.tasks import end

#: A turn that takes longer than this has gone wrong.
PATIENCE_S = 300.0
#: A pause in which whatever a reply leaves to be done begins; people take longer to type.
PAUSE_S = 0.05
_numbers = count(1)


class Ours:
    """Says a trace to the assistant, one message at a time, and upsets it where the trace says so."""

    def __init__(self, core: Core, engine: Metered, intake: Intake, stopwatch: Stopwatch) -> None:
        self._core = core
        self._engine = engine
        self._intake = intake
        self._stopwatch = stopwatch
        self._worker: set[asyncio.Future[Any]] = set()

    async def say(self, step: Step) -> None:
        """Hand a message in and wait for its reply, and for the summary it may have caused."""
        if step.upset is Upset.REDIS_ERASED:
            assert self._core.shared.redis is not None
            await self._core.shared.redis.flushall()
        elif step.upset is Upset.WORKER_RESTARTED:
            await self.restart()
        event = _inbound(step)
        self._stopwatch.expect(event.message)
        async with asyncio.timeout(PATIENCE_S):
            await self._intake.accept(event)
            await self._stopwatch.replies[event.message]
            await asyncio.sleep(PAUSE_S)
            await self._engine.quiet()

    async def restart(self) -> None:
        """Begin with a worker that remembers nothing, after ending the one there may be."""
        await self.stop()
        worker, stops = make_worker(self._core, self._engine, embedded=True)
        work: tuple[Coroutine[Any, Any, None], ...] = (worker.run(), stops.listen(self._core.shared.bus))
        self._worker = {asyncio.ensure_future(each) for each in work}

    async def stop(self) -> None:
        """End the worker."""
        await end(self._worker)


@asynccontextmanager
async def our_path(
    engine: Metered, *, window: int, reply_tokens: int, hooks: Hooks = ()
) -> AsyncIterator[Ours]:
    """Compose everything but the engine as `aside up` does, on a data directory that goes when this ends."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            engine=EngineSection(max_reply_tokens=reply_tokens, temperature=0.0),
            context=ContextSection(budget_tokens=window),
            terminal=TerminalSection(enabled=False),
            # The baselines see what is quoted, too.
            privacy=PrivacySection(mode="quoted"),
        )
        settings.data.create()
        await migrate(settings.database_url)
        stopwatch = Stopwatch()
        async with (
            EmbeddedValkey(settings.data.valkey) as valkey,
            open_core(settings, valkey.url, Additions(hooks=hooks)) as opened,
        ):
            core = replace(opened, platforms={NAME: Platform(adapter=stopwatch, live=stopwatch)})
            async with make_intake(core) as intake:
                beside = [core.reconciler.run(), *(outbox.run() for outbox in make_outboxes(core))]
                tasks = [asyncio.ensure_future(work) for work in beside]
                ours = Ours(core, engine, intake, stopwatch)
                try:
                    await ours.restart()
                    yield ours
                finally:
                    await ours.stop()
                    await end(tasks)


def _inbound(step: Step) -> Inbound:
    number = next(_numbers)
    quoted = None
    if step.quoted:
        author, text = step.quoted
        quoted = Quoted(ref=f"quoted-{number}", author=author, text=text, by_assistant=False)
    return Inbound(
        adapter=NAME,
        account="main",
        event_key=f"event-{number}",
        conversation=Conversation(ref=f"room-{step.chat}", kind=ConversationKind.GROUP),
        message=f"message-{number}",
        sender=Person(id=f"{step.chat}-{step.speaker}", name=step.speaker),
        text=step.text,
        addressed=Addressed.MENTION,
        mentions_known=True,
        sent_at=datetime.now(UTC),
        quoted=quoted,
    )
