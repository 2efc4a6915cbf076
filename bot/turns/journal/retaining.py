"""Retaining: which turns are older than their words may become, and what is left when the words have gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    String,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from bot.chat.tombstones import Digester
from bot.store.database import Database
from bot.store.tables import UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.journal.burying import bury_words, tombstones
from bot.turns.journal.exports import drop_exports
from bot.turns.journal.introducing import drop_old_introductions
from bot.turns.journal.memories import drop_all_memories
from bot.turns.journal.naming import drop_old_names
from bot.turns.journal.rows import CHAT_COLUMNS, FINISHED, chat_from, chats, inbounds, turns
from bot.turns.journal.sweeps import newest_instant, note_sweep
from bot.turns.model import Chat

#: Messages that one transaction looks at; SQLite carries it out between two turns of the event loop.
_BATCH = 200
_STONES = 500
#: Chats that keep their words for another time than the deployment.
HAS_ITS_OWN = text("chats.retention_days IS NOT NULL")

_BEFORE = bindparam("before", type_=UtcDateTime())
_CHAT = bindparam("chat", type_=String())
# What is emptied loses its messages: what is still to do is what has any. Identifiers sort by time.
_OVER = and_(
    inbounds.c.id < bindparam("bound", type_=String()),
    FINISHED,
    ~turns.c.restate,
    func.coalesce(turns.c.finished_at, turns.c.accepted_at, type_=UtcDateTime()) < _BEFORE,
)
_JOINED = inbounds.join(turns, turns.c.id == inbounds.c.turn_id)
_PAGE = (
    select(inbounds.c.id, inbounds.c.turn_id, turns.c.chat_id)
    .select_from(_JOINED)
    .where(inbounds.c.id > bindparam("behind", type_=String()), _OVER)
    .order_by(inbounds.c.id)
    .limit(bindparam("most"))
)
_PAGE_OF_CHAT = _PAGE.where(turns.c.chat_id == _CHAT).order_by(None).order_by(turns.c.chat_id, inbounds.c.id)
_LOCK = (
    select(chats.c.id)
    .where(chats.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(chats.c.id)
    .with_for_update()
)
_STILL = (
    select(turns.c.id, turns.c.chat_id, turns.c.ord)
    .where(turns.c.id.in_(bindparam("ids", expanding=True)), FINISHED, ~turns.c.restate)
    .with_for_update()
)
_UP_TO = bindparam("up_to", type_=BigInteger())
# A summary holds words of every turn since its beginning: it goes with the oldest of them. A card is a wish, and stays
# until it is taken back.
_OLD = and_(
    chats.c.summary_sealed.is_not(None), func.coalesce(chats.c.summary_from, literal_column("0")) <= _UP_TO
)
_NEXT_OLD = and_(
    chats.c.next_summary_sealed.is_not(None),
    func.coalesce(chats.c.next_summary_from, literal_column("0")) <= _UP_TO,
)
_FORGET_UP_TO = (
    update(chats)
    .where(chats.c.id == _CHAT)
    .values(
        context_version=chats.c.context_version + 1,
        context_from=case((chats.c.context_from > _UP_TO, chats.c.context_from), else_=_UP_TO + 1),
        # One that is being made of it now does not come back, and no prompt meets it in the engine's cache.
        salt_epoch=chats.c.salt_epoch
        + case((or_(_OLD, _NEXT_OLD), literal_column("1")), else_=literal_column("0")),
        summary_sealed=case((_OLD, None), else_=chats.c.summary_sealed),
        summary_ord=case((_OLD, None), else_=chats.c.summary_ord),
        summary_from=case((_OLD, None), else_=chats.c.summary_from),
        next_summary_sealed=case((_NEXT_OLD, None), else_=chats.c.next_summary_sealed),
        next_summary_ord=case((_NEXT_OLD, None), else_=chats.c.next_summary_ord),
        next_summary_from=case((_NEXT_OLD, None), else_=chats.c.next_summary_from),
    )
)
_READ = select(*CHAT_COLUMNS).where(chats.c.id.in_(bindparam("ids", expanding=True)))
_STRICTER = select(chats.c.id, chats.c.retention_days).where(
    HAS_ITS_OWN, chats.c.retention_days < bindparam("days", type_=BigInteger())
)
_STRICTER_OF = select(chats.c.conversation, chats.c.retention_days).where(
    HAS_ITS_OWN,
    chats.c.retention_days < bindparam("days", type_=BigInteger()),
    chats.c.adapter == bindparam("adapter"),
)
_COUNT = (
    select(
        func.count(turns.c.id.distinct()).label("turns"),
        func.count(turns.c.chat_id.distinct()).label("chats"),
    )
    .select_from(_JOINED.join(chats, chats.c.id == turns.c.chat_id))
    .where(_OVER)
)
_AS_THE_DEPLOYMENT = or_(
    chats.c.retention_days.is_(None), chats.c.retention_days >= bindparam("days", type_=BigInteger())
)
_SET_DAYS = update(chats).where(chats.c.id == _CHAT)
_ENDED = select(tombstones.c.digest).where(tombstones.c.ends_at <= bindparam("now")).limit(_STONES)
_DROP_ENDED = delete(tombstones).where(tombstones.c.digest.in_(_ENDED.with_for_update(skip_locked=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one transaction took away."""

    turns: int = 0
    #: Whose memory begins later now: what is cached of it is to be dropped.
    chats: tuple[Chat, ...] = ()
    #: Where the next one goes on; None where nothing is left.
    behind: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """How much is older than it may become."""

    turns: int
    chats: int


class Retaining:
    """The words that are too old. Every call raises `StoreUnavailable`; every change is one transaction."""

    def __init__(self, database: Database, digester: Digester) -> None:
        self._database = database
        self._digester = digester

    async def stricter(self, days: int) -> list[tuple[str, int]]:
        """Read the chats that keep their words for fewer days, and how many each."""
        async with self._database.survey() as connection:
            return [
                (row.id, row.retention_days) for row in await connection.execute(_STRICTER, {"days": days})
            ]

    async def stricter_of(self, adapter: str, days: int) -> list[tuple[str, int]]:
        """Read the conversations of an adapter that keep their words for fewer days, and how many each."""
        asked = {"adapter": adapter, "days": days}
        async with self._database.survey() as connection:
            found = await connection.execute(_STRICTER_OF, asked)
            return [(row.conversation, row.retention_days) for row in found]

    async def newest(self) -> datetime | None:
        """Tell when the newest message came whose words are kept, or a sweep was noted, if that was later."""
        async with self._database.read() as connection:
            return await newest_instant(connection)

    async def note_sweep(self, now: datetime) -> None:
        """Note that there is a sweep by a clock that is believed: the next start measures its own by that."""
        async with self._database.write() as connection:
            await note_sweep(connection, now)

    async def due(self, before: datetime, days: int) -> Due:
        """Count what ended before an instant, in chats that keep their words as long as the deployment."""
        asked = {"before": before, "bound": _bound(before), "days": days}
        return await self._count(_COUNT.where(_AS_THE_DEPLOYMENT), asked)

    async def due_of(self, chat_id: str, before: datetime) -> Due:
        """Count what ended before an instant in one chat."""
        asked = {"before": before, "bound": _bound(before), "chat": chat_id}
        return await self._count(_COUNT.where(turns.c.chat_id == _CHAT), asked)

    async def sweep(
        self, before: datetime, now: datetime, *, chat_id: str | None = None, behind: str = ""
    ) -> Swept:
        """Take away the words of some turns that ended before an instant: the oldest first, from behind a message on.

        Together with them goes what the chat remembers up to there. Safe to repeat, and to be killed in.
        """
        asked = {"before": before, "bound": _bound(before), "behind": behind, "most": _BATCH}
        query = _PAGE if chat_id is None else _PAGE_OF_CHAT
        async with self._database.write() as connection:
            page = (await connection.execute(query, asked | ({"chat": chat_id} if chat_id else {}))).all()
            if not page:
                return Swept()
            ids = sorted({row.chat_id for row in page})
            await connection.execute(_LOCK, {"ids": ids})
            still = (await connection.execute(_STILL, {"ids": sorted({row.turn_id for row in page})})).all()
            await bury_words(connection, self._digester, [row.id for row in still], now)
            touched = await _remember_less(connection, still)
            await drop_old_introductions(connection, [chat.id for chat in touched], before)
        more = page[-1].id if len(page) == _BATCH else None
        return Swept(turns=len(still), chats=touched, behind=more)

    async def drop_memories(self, chat_id: str | None = None) -> tuple[Chat, ...]:
        """Take away what some chats asked to have remembered, or one chat; returns them, none where nothing is left.

        For where nothing is kept: everywhere else a wish to have something remembered stands until it is taken back.
        """
        async with self._database.write() as connection:
            return await drop_all_memories(connection, most=_BATCH, chat_id=chat_id)

    async def drop_exports(self, before: datetime, now: datetime) -> int:
        """Empty some of what `/export` answered before an instant; how many turns that were, 0 where none is left."""
        async with self._database.write() as connection:
            return await drop_exports(connection, before=before, now=now)

    async def drop_names(self, before: datetime, now: datetime) -> bool:
        """Forget what some people were called who were last named before an instant; False where that was all."""
        async with self._database.write() as connection:
            return await drop_old_names(connection, self._digester, before, now, most=_BATCH)

    async def drop_tombstones(self, now: datetime) -> None:
        """Drop some tombstones of events that cannot be delivered again."""
        async with self._database.write() as connection:
            await connection.execute(_DROP_ENDED, {"now": now})

    async def set_days(self, chat_id: str, days: int | None) -> bool:
        """Have a chat keep its words for so many days, None as long as the deployment; False where there is none."""
        async with self._database.write() as connection:
            changed = await connection.execute(_SET_DAYS, {"chat": chat_id, "retention_days": days})
        return bool(changed.rowcount)

    async def _count(self, query: Select[int, int], asked: dict[str, Any]) -> Due:
        async with self._database.survey() as connection:
            row = (await connection.execute(query, asked)).one()
        return Due(turns=row.turns, chats=row.chats)


async def _remember_less(connection: Transaction, still: Sequence[Row[Any]]) -> tuple[Chat, ...]:
    last: dict[str, int] = {}
    for row in still:
        last[row.chat_id] = max(row.ord, last.get(row.chat_id, 0))
    if not last:
        return ()
    await connection.execute(
        _FORGET_UP_TO, [{"chat": chat_id, "up_to": ord_} for chat_id, ord_ in last.items()]
    )
    return tuple(chat_from(row) for row in await connection.execute(_READ, {"ids": sorted(last)}))


def _bound(before: datetime) -> str:
    """Name an identifier above those that were made before an instant: see `bot.store.ids`."""
    milliseconds = max(0, int(before.timestamp() * 1000) + 1)
    return f"{milliseconds << 16:016x}"
