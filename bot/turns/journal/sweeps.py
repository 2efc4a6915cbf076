"""What the record knows of the time: when its newest message came, and when retention last believed its clock."""

from datetime import datetime

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.journal.rows import inbounds

_sweeps: Table = Base.metadata.tables["last_sweeps"]
_ONLY = "retention"
_NEWEST_MESSAGE = select(inbounds.c.accepted_at).order_by(inbounds.c.id.desc()).limit(1)
_LAST_SWEEP = select(_sweeps.c.swept_at).where(_sweeps.c.id == _ONLY)
_NOTE = update(_sweeps).where(_sweeps.c.id == _ONLY).values(swept_at=bindparam("now"))
_ADD = {
    "sqlite": sqlite.insert(_sweeps).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_sweeps).on_conflict_do_nothing(),
}


async def newest_instant(connection: Transaction) -> datetime | None:
    """Tell when the newest message came whose words are kept, or retention last swept, if that was later."""
    found = [
        (await connection.execute(query)).scalar_one_or_none() for query in (_NEWEST_MESSAGE, _LAST_SWEEP)
    ]
    return max((instant for instant in found if instant is not None), default=None)


async def note_sweep(connection: Transaction, now: datetime) -> None:
    """Note that retention sweeps, by a clock that it believes."""
    if (await connection.execute(_NOTE, {"now": now})).rowcount == 0:
        await connection.execute(_ADD[connection.dialect.name], {"id": _ONLY, "swept_at": now})
