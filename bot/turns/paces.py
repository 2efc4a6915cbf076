"""What the workers wrote down of their pace, in SQL: it outlives an erased Redis, and every gateway reads it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, bindparam, delete, insert, select, update

from bot.clock import Clock
from bot.store.database import Database
from bot.store.tables import Base
from bot.turns.line import Pace

_paces: Table = Base.metadata.tables["worker_paces"]
#: A worker that reported since then is at work.
FRESH_S = 10.0
#: A worker that is gone is remembered for so long: after a restart its mean is the best guess there is.
KEPT = timedelta(days=1)

_CHANGE = update(_paces).where(_paces.c.worker_id == bindparam("worker"))
_ADD = insert(_paces)
_FORGET = delete(_paces).where(_paces.c.seen_at < bindparam("before"))
_KNOWN = select(_paces.c.slots, _paces.c.turn_s, _paces.c.seen_at).order_by(_paces.c.seen_at.desc())


class Paces:
    """Reports and reads paces. Every call raises `StoreUnavailable`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def report(self, worker_id: str, *, slots: int, turn_s: float | None) -> None:
        """Write down one worker's slots and the mean time of its turns."""
        now = self._clock.now()
        values = {"slots": slots, "turn_s": turn_s, "seen_at": now}
        # It means nothing once everybody has died: it need not outlive a loss of power.
        async with self._database.write(durable=False) as connection:
            if (await connection.execute(_CHANGE, {"worker": worker_id, **values})).rowcount:
                return
            await connection.execute(_ADD, [{"worker_id": worker_id, **values}])
            await connection.execute(_FORGET, {"before": now - KEPT})

    async def known(self) -> Pace:
        """Read how fast all workers at work are together."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_KNOWN)).all()
        return together(rows, self._clock.now())


def together(rows: Sequence[Row[Any]], now: datetime) -> Pace:
    """Add up the workers at work, newest report first; a mean that none of them has comes from who was last."""
    at_work = [row for row in rows if row.seen_at > now - timedelta(seconds=FRESH_S)]
    measured = [row for row in at_work if row.turn_s is not None]
    if measured:
        weight = sum(row.slots for row in measured)
        turn_s = sum(row.slots * row.turn_s for row in measured) / weight
    else:
        turn_s = next((row.turn_s for row in rows if row.turn_s is not None), None)
    return Pace(slots=sum(row.slots for row in at_work), turn_s=turn_s)
