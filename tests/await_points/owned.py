"""The platforms that only their owner sends on, over stores that announce every call: terminal and web chat."""

from dataclasses import replace

from sqlalchemy import text

from adapters.base import ConversationKind, Platform
from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.entries import entry_of
from adapters.terminal.rooms import direct_ref
from adapters.webchat.adapter import WebchatAdapter
from adapters.webchat.entries import EntryKind
from bot.additions import Ground
from bot.bootstrap import Core
from bot.bootstrap.platforms import built_in
from bot.store.records import SqlRecordStore
from tests.await_points.gate import Gate, Gated, GatedDatabase


def gated_stores(core: Core, gate: Gate) -> Core:
    """Make the same deployment with platforms whose stores announce every call."""

    def store(name: str) -> Gated:
        database = GatedDatabase(core.database, gate)
        return Gated(SqlRecordStore(database, core.vault, name, core.clock), gate, "records")

    ground = Ground(clock=core.clock, records=store)
    owned = built_in(core.settings, ground, core.engine_view)
    return replace(core, platforms={**core.platforms, **owned})


async def room_on(core: Core) -> tuple[str, str, ConversationKind]:
    """Have somebody come in; return the platform's name and the room in which they are alone with the assistant."""
    platform = _owned(core)
    if isinstance(platform.adapter, WebchatAdapter):
        house = platform.adapter._house
        ann = await house.enter(None, "Ann", "teal")
        return platform.adapter.name, (await house.direct(ann.id)).id, ConversationKind.DIRECT
    return platform.adapter.name, direct_ref("ann"), ConversationKind.DIRECT


async def shown(core: Core) -> list[str]:
    """Read what the assistant has said in the one room there is, as somebody reads it who comes in now."""
    async with core.database.read() as connection:
        room = (await connection.execute(text("SELECT conversation FROM chats"))).scalar_one()
    adapter = _owned(core).adapter
    if isinstance(adapter, WebchatAdapter):
        entries = await adapter._house.since(room, 0, 100)
        return [entry.markdown for entry in entries if entry.kind is EntryKind.SENT]
    assert isinstance(adapter, TerminalAdapter)
    records = SqlRecordStore(core.database, core.vault, adapter.name, core.clock)
    said = [entry_of(record) for record in await records.latest(room, 100)]
    return [entry.text for entry in said if entry.by_assistant]


def _owned(core: Core) -> Platform:
    return next(
        platform
        for platform in core.platforms.values()
        if isinstance(platform.adapter, TerminalAdapter | WebchatAdapter)
    )
