"""Taking the words of turns out of the record; what stays says that there was a turn, not what it was about."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, Table, bindparam, delete, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.chat.tombstones import Digester, ends_at, tombstone
from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.journal.rows import ON_THE_LIST, dead_letters, inbounds, reply_parts, turns

tombstones: Table = Base.metadata.tables["tombstones"]
memories: Table = Base.metadata.tables["memories"]
episodes: Table = Base.metadata.tables["episodes"]
ratings: Table = Base.metadata.tables["ratings"]

_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_EVENTS = select(inbounds.c.adapter, inbounds.c.account, inbounds.c.event_key, inbounds.c.accepted_at).where(
    inbounds.c.turn_id.in_(_THESE)
)
_DROP_MESSAGES = delete(inbounds).where(inbounds.c.turn_id.in_(_THESE))
_DROP_RATINGS = delete(ratings).where(ratings.c.turn_id.in_(_THESE))
_DROP_PARTS = delete(reply_parts).where(reply_parts.c.turn_id.in_(_THESE))
_EMPTY = (
    update(turns)
    .where(turns.c.id.in_(_THESE))
    .values(prompt_sealed=null(), reply_sealed=null(), sender_id="")
)
# Without its words a turn cannot be tried once more.
_OFF_THE_LIST = (
    update(dead_letters)
    .where(dead_letters.c.turn_id.in_(_THESE), ON_THE_LIST)
    .values(discarded_at=bindparam("now"))
)
_ADD_TOMBSTONES = {
    "sqlite": sqlite.insert(tombstones).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(tombstones).on_conflict_do_nothing(),
}
#: Turns named in one statement.
_AT_ONCE = 100


async def bury_words(
    connection: Transaction, digester: Digester, turn_ids: Sequence[str], now: datetime
) -> None:
    """Drop everything that was said in some turns, and who said it; events that may come again leave a tombstone."""
    for first in range(0, len(turn_ids), _AT_ONCE):
        these = {"ids": list(turn_ids[first : first + _AT_ONCE])}
        await _leave_tombstones(connection, digester, (await connection.execute(_EVENTS, these)).all(), now)
        for statement in (_DROP_MESSAGES, _DROP_PARTS, _DROP_RATINGS, _EMPTY):
            await connection.execute(statement, these)
        await connection.execute(_OFF_THE_LIST, {**these, "now": now})
        # On SQLite nothing above lets anybody else run.
        await asyncio.sleep(0)


async def _leave_tombstones(
    connection: Transaction, digester: Digester, events: Sequence[Row[Any]], now: datetime
) -> None:
    stones = [
        {"digest": tombstone(digester, row.adapter, row.account, row.event_key), "ends_at": until}
        for row in events
        if (until := ends_at(row.accepted_at)) > now
    ]
    if stones:
        await connection.execute(_ADD_TOMBSTONES[connection.dialect.name], stones)
