"""What `/export` answered: a copy of words that are kept elsewhere, and must not outlive them."""

from datetime import datetime

from sqlalchemy import BindParameter, bindparam, delete, func, null, select, text, update

from bot.store.tables import UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.journal.rows import FINISHED, ON_THE_LIST, dead_letters, reply_parts, turns

_BATCH = 100
# Written out, not bound: both databases use a partial index only where its condition stands in the statement.
_EXPORTED = text("(turns.skill = 'export' AND turns.reply_sealed IS NOT NULL)")
_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_ENDED = (
    select(turns.c.id)
    .where(
        _EXPORTED,
        FINISHED,
        ~turns.c.restate,
        func.coalesce(turns.c.finished_at, turns.c.accepted_at, type_=UtcDateTime())
        <= bindparam("before", type_=UtcDateTime()),
    )
    .limit(_BATCH)
    .with_for_update(skip_locked=True)
)
_DROP_PARTS = delete(reply_parts).where(reply_parts.c.turn_id.in_(_THESE))
_EMPTY = update(turns).where(turns.c.id.in_(_THESE)).values(prompt_sealed=null(), reply_sealed=null())
# Without its words a turn cannot be tried once more.
_OFF_THE_LIST = (
    update(dead_letters)
    .where(dead_letters.c.turn_id.in_(_THESE), ON_THE_LIST)
    .values(discarded_at=bindparam("now"))
)


async def drop_exports(connection: Transaction, *, before: datetime, now: datetime) -> int:
    """Empty what `/export` answered in turns that ended before an instant, some of it; how many turns that were."""
    ended = list((await connection.execute(_ENDED, {"before": before})).scalars())
    if ended:
        for statement in (_DROP_PARTS, _EMPTY):
            await connection.execute(statement, {"ids": ended})
        await connection.execute(_OFF_THE_LIST, {"ids": ended, "now": now})
    return len(ended)
