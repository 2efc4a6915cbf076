"""The whole path in one process, for benches: real Valkey, SQLite, intake, worker and live bus, on a bench's engine."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.base import (
    AdapterState,
    Addressed,
    Capabilities,
    Conversation,
    ConversationKind,
    Edit,
    Idempotency,
    Inbound,
    LivePhase,
    LiveSnapshot,
    Person,
    Platform,
    Send,
    SendsFrom,
    Sent,
)
from bot.bootstrap import make_intake, make_outboxes, make_worker, open_core
from bot.ingress.intake import Intake
from bot.long_lived import spare_the_collector
from bot.servers.valkey import EmbeddedValkey
from bot.settings import Settings
from bot.settings.sections import EngineSection, TerminalSection, WorkerSection
from bot.store.schema import migrate
from engine.base import Engine

NAME = "bench"


class Stopwatch:
    """A platform that only notes when the first words of a reply are shown, and when the reply has arrived."""

    name = NAME
    sends_from = SendsFrom.OWNER
    state = AdapterState.CONNECTED

    def __init__(self) -> None:
        self.first_words: dict[str, asyncio.Future[float]] = {}
        self.replies: dict[str, asyncio.Future[float]] = {}

    def expect(self, message: str) -> None:
        """Get ready for a message's reply."""
        loop = asyncio.get_running_loop()
        self.first_words[message] = loop.create_future()
        self.replies[message] = loop.create_future()

    def capabilities(self, conversation: str) -> Capabilities:
        """Allow everything."""
        return Capabilities(text_limit=1_000_000, idempotency=Idempotency.KEYED)

    def split(self, markdown: str, conversation: str) -> list[str]:
        """Leave it whole."""
        return [markdown]

    async def show(self, snapshot: LiveSnapshot) -> None:
        """Note the first words."""
        if snapshot.phase is LivePhase.STREAMING and snapshot.text:
            _note(self.first_words[snapshot.reply_to])

    async def send(self, op: Send) -> Sent:
        """Note the reply."""
        if op.reply_to is not None:
            _note(self.first_words[op.reply_to])
            _note(self.replies[op.reply_to])
        return Sent(message=op.op_id)

    async def edit(self, op: Edit) -> Sent:
        """Do nothing: nothing is edited here."""
        return Sent(message=op.message)

    async def delete(self, account: str, conversation: str, message: str) -> None:
        """Keep nothing, so take nothing back."""

    async def find(self, op_id: str, account: str, conversation: str) -> Sent | None:
        """Know nothing: this is a keyed platform."""
        return None


@asynccontextmanager
async def whole_path(
    engine: Engine, *, max_reply_tokens: int, slots: int = 16
) -> AsyncIterator[tuple[Intake, Stopwatch]]:
    """Run everything but the engine, as `aside up` composes it, on a data directory that goes when this ends."""
    with tempfile.TemporaryDirectory(prefix="aside-") as folder:
        settings = Settings(
            data_dir=Path(folder),
            engine=EngineSection(max_reply_tokens=max_reply_tokens),
            worker=WorkerSection(slots=slots),
            terminal=TerminalSection(enabled=False),
        )
        settings.data.create()
        await migrate(settings.database_url)
        stopwatch = Stopwatch()
        async with (
            EmbeddedValkey(settings.data.valkey) as valkey,
            open_core(settings, valkey.url) as opened,
        ):
            core = replace(opened, platforms={NAME: Platform(adapter=stopwatch, live=stopwatch)})
            worker, stops = make_worker(core, engine, embedded=True)
            await core.reconciler.put_all()
            async with make_intake(core) as intake, asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(work)
                    for work in (
                        worker.run(),
                        stops.listen(core.shared.bus),
                        core.reconciler.run(),
                        *(outbox.run() for outbox in make_outboxes(core)),
                    )
                ]
                spare_the_collector()
                try:
                    yield intake, stopwatch
                finally:
                    for task in running:
                        task.cancel()


def mention(text: str, number: int) -> Inbound:
    """Make a mention of somebody else each time, in a chat of its own."""
    return Inbound(
        adapter=NAME,
        account="main",
        event_key=f"event-{number}",
        conversation=Conversation(ref=f"room-{number}", kind=ConversationKind.GROUP),
        message=f"message-{number}",
        sender=Person(id=f"person-{number}", name="Ann"),
        text=text,
        addressed=Addressed.MENTION,
        mentions_known=True,
        sent_at=datetime.now(UTC),
    )


def _note(when: "asyncio.Future[float]") -> None:
    if not when.done():
        when.set_result(time.perf_counter())
