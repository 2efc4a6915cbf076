"""The bodies of the two processes of a case: the one that stops itself, and the one that goes on."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from adapters.base import Addressed, Conversation, ConversationKind, Inbound, Person
from bot.bootstrap import Core, make_intake, make_notices, make_outboxes, make_worker, open_core
from bot.errors import StoreUnavailable
from bot.settings import Settings
from bot.settings.sections import (
    DatabaseSection,
    TerminalSection,
    TurnsSection,
    WebchatSection,
    WorkerSection,
)
from bot.telemetry.events import AmbiguousSend, Details
from bot.turns import notices
from bot.turns.delays import Delays
from bot.turns.worker import Worker
from engine.base import ChatRequest, Engine, EngineState
from engine.errors import EngineFailed
from engine.scripted import ScriptedEngine
from tests.await_points.gate import Gate, GatedEngine
from tests.await_points.owned import gated_stores, room_on, shown
from tests.await_points.scenes import FIRST_SAYS, SECOND_SAYS, Case, Scene
from tests.platforms.cloud_settings import CloudSettings
from tests.platforms.roles import additions

LEASE_S = 1.5
#: After a quiet while of this length a process that went on is taken to be idle.
QUIET_S = 0.3
#: The path's waits, short beside the lease.
QUICK = Delays(
    not_now_s=0.05,
    backoff_s=(0.05,),
    operator_s=0.1,
    idle_s=0.1,
    outbox_s=0.1,
    notices_s=0.05,
    notice_claim_s=2.0,
    notice_again_s=0.05,
    sign_poll_s=0.02,
    sign_claim_s=2.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a forked process is told."""

    case: Case
    is_first: bool
    data_dir: str
    database_url: str
    redis_url: str
    cloud: dict[str, Any]
    conversation: str
    #: The socket on which it reports.
    reports: str

    @property
    def name(self) -> str:
        """How it introduces itself."""
        return f"{self.conversation}/{'first' if self.is_first else 'second'}"

    @property
    def settings(self) -> Settings:
        """The deployment's settings, the same for both processes."""
        scene = self.case.scene
        # Too late from the first moment on, or longer than allowed.
        deadline_s = 0.001 if scene is Scene.EXPIRED else 600.0
        return Settings(
            data_dir=Path(self.data_dir),
            database=DatabaseSection(url=self.database_url),
            worker=WorkerSection(lease_s=LEASE_S),
            turns=TurnsSection(
                deadline_s=deadline_s,
                max_text_chars=5 if scene is Scene.NOTICE else 200_000,
                # What a starved machine does to a lease is no failure of these cases.
                attempts=20,
            ),
            terminal=TerminalSection(enabled=scene is Scene.TERMINAL),
            webchat=WebchatSection(enabled=scene is Scene.WEBCHAT, port=0),
        )


class Link:
    """The line to the test."""

    def __init__(self, role: Role) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(role.reports)
        self.tell({"name": role.name, "pid": os.getpid()})

    def tell(self, report: dict[str, Any]) -> None:
        """Report something, at once."""
        self._socket.sendall(json.dumps(report).encode() + b"\n")

    async def commands(self) -> AsyncIterator[str]:
        """Take orders; end at once when the test hangs up."""
        reader, _ = await asyncio.open_connection(sock=self._socket.dup())
        while line := await reader.readline():
            yield line.decode().strip()
        os._exit(0)  # nobody is there any more to whom a tidy end would matter


def run(role: Role) -> None:
    """Do what a process was forked for."""
    # One at a time: which of several claims a notice first would be a matter of chance.
    notices.AT_ONCE = 1
    link = Link(role)
    asyncio.run((_first if role.is_first else _second)(role, link))


async def _first(role: Role, link: Link) -> None:
    """Accept the mention, then work until stopped at the step."""
    gate = Gate(role.case.step, role.case.how, lambda at: link.tell({"at": at}))
    async with _core(role, []) as core:
        await core.reconciler.put_all()
        chat_id, record = await _say(core, role), core.journal

        async def cancel() -> None:
            await record.request_cancel(chat_id)

        scene = role.case.scene
        gated = gate.core(gated_stores(core, gate) if scene.owned else core)
        tasks: list[Coroutine[Any, Any, None]] = []
        engine = _first_engine(role, gate, cancel, tasks)
        worker = _worker(core if scene.owned else gated, engine, tasks) if scene.worked_on else None
        if scene.told_of:
            tasks.append(make_notices(gated).run())
        tasks.extend(outbox.run() for outbox in make_outboxes(gated))
        running = [asyncio.ensure_future(task) for task in tasks]
        async for command in link.commands():
            if command == "trace":
                link.tell({"trace": gate.trace})
            else:
                await _idle(gate, worker)
                link.tell({"idle": True})
        assert running


async def _second(role: Role, link: Link) -> None:
    """Do everything that is left to do, and tell when nothing is."""
    events: list[Details] = []
    async with _core(role, events) as core:
        tasks = [make_notices(core).run(), core.reconciler.run()]
        engine = ScriptedEngine(lambda _request: role.case.scene.answer(SECOND_SAYS))
        _worker(core, engine, tasks)
        tasks.extend(outbox.run() for outbox in make_outboxes(core))
        running = [asyncio.ensure_future(task) for task in tasks]
        async for _ in link.commands():
            await _settled(core)
            ambiguous = sum(isinstance(event, AmbiguousSend) for event in events)
            link.tell(
                {
                    "ambiguous": ambiguous,
                    "resent": await _resent_in_doubt(core),
                    "shown": await shown(core) if role.case.scene.owned else [],
                }
            )
        assert running


@asynccontextmanager
async def _core(role: Role, events: list[Details]) -> AsyncIterator[Core]:
    cloud = CloudSettings.from_wire("cloud", role.cloud)
    brought = replace(additions((cloud,)), hooks=(events.append,))
    async with open_core(role.settings, role.redis_url, brought) as core:
        early = 0.05 if role.case.scene is Scene.SIGN and role.is_first else QUICK.first_sign_s
        # A stop is noticed when the lease is renewed, not by chance some moments before.
        delays = replace(QUICK, first_sign_s=early, stop_look_s=10 * LEASE_S)
        yield replace(core, introduces=False, delays=delays)


def _worker(core: Core, engine: Any, tasks: list[Coroutine[Any, Any, None]]) -> Worker:
    worker, stops = make_worker(core, engine, embedded=False)
    tasks.extend((worker.run(), stops.listen(core.shared.bus)))
    return worker


def _first_engine(
    role: Role, gate: Gate, cancel: Callable[[], Awaitable[None]], tasks: list[Coroutine[Any, Any, None]]
) -> Engine:
    scene = role.case.scene

    async def pace(_request: ChatRequest, piece: int) -> None:
        """Let everything that happens beside the generation happen at a known place of it."""
        if scene is Scene.CANCELLED:
            await cancel()
            await asyncio.Event().wait()
        if scene is Scene.LIVE and piece == 1:
            await gate.until("after journal.placeholder_posted")
        if scene is Scene.LIVE and piece == 2:
            await gate.until("after platform.edit")
        if piece == 3 and not scene.owned:
            await gate.until("after journal.cancel_requested")

    engine = ScriptedEngine(lambda _request: scene.answer(FIRST_SAYS), pace=pace)
    if scene is Scene.FAILING:
        engine.fail_next(EngineFailed("the engine broke off"), after=2)
    if scene is Scene.STARTING:
        engine.set_status(EngineState.STARTING)
        tasks.append(_started_later(engine, gate))
    return engine if scene.owned else GatedEngine(engine, gate)


async def _say(core: Core, role: Role) -> str:
    adapter, room, kind = "cloud", role.conversation, ConversationKind.GROUP
    if role.case.scene.owned:
        adapter, room, kind = await room_on(core)
    inbound = Inbound(
        adapter=adapter,
        account="main",
        event_key=role.conversation,
        conversation=Conversation(ref=room, kind=kind),
        message=f"said-in-{role.conversation}",
        sender=Person(id="ann", name="Ann"),
        text="what do you say?",
        addressed=Addressed.MENTION,
        mentions_known=True,
        sent_at=datetime.now(UTC),
    )
    async with make_intake(core) as intake:
        receipt = await intake.accept(inbound)
    assert receipt.chat_id is not None
    return receipt.chat_id


async def _started_later(engine: ScriptedEngine, gate: Gate) -> None:
    await gate.until("after journal.release")
    engine.set_status(EngineState.READY)


async def _idle(gate: Gate, worker: Worker | None) -> None:
    """Wait until what was stopped, and went on, has come to its end."""
    while (worker is not None and worker._serves) or gate.quiet_s() < QUIET_S:
        await asyncio.sleep(0.01)


async def _settled(core: Core) -> None:
    while True:
        with suppress(StoreUnavailable):
            if await _is_settled(core):
                return
        await asyncio.sleep(0.02)


async def _is_settled(core: Core) -> bool:
    counts = await core.journal.counts()
    if counts.waiting or counts.unsent or await core.journal.unfinished():
        return False
    async with core.database.read() as connection:
        owed = await connection.execute(text("SELECT count(*) FROM notices WHERE state <> 'sent'"))
        return not owed.scalar_one()


async def _resent_in_doubt(core: Core) -> int:
    async with core.database.read() as connection:
        asked = text("SELECT coalesce(sum(resent_in_doubt), 0) FROM reply_parts")
        return int((await connection.execute(asked)).scalar_one())
