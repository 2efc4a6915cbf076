"""Rekeying: which key-encryption key wraps which data keys in the record, and wrapping them anew."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Column, LargeBinary, Table, bindparam, func, select, update

from bot.chat.aes_vault import key_id_of
from bot.chat.key_ring import KEY_ID_BYTES
from bot.errors import KeyMissing, SealBroken
from bot.store.database import Database
from bot.store.tables import Base

#: Data keys that one transaction reads and wraps anew; SQLite carries it out between two turns of the event loop.
_BATCH = 200
#: Data keys that one transaction counts: the database does it, and answers with a row for each key that wraps some.
_COUNTED = 10_000
#: Bytes at the beginning of a wrapped data key that name its version and what wraps it.
_HEAD_BYTES = 1 + KEY_ID_BYTES


class Rewrapper(Protocol):
    """Wraps data keys anew, by the current key."""

    def rewrapped(self, key: bytes) -> bytes:
        """Wrap a data key by the current key. Raises `KeyMissing` and `SealBroken`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one walk over all data keys did."""

    #: Data keys that another key wrapped before.
    rewrapped: int = 0
    #: By the id of the key that wraps them: data keys that could not be opened.
    stuck: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """A table whose rows hold a wrapped data key each."""

    table: Table
    name: Column[str]

    @property
    def page(self) -> Any:
        """Read the data keys behind a name, in order."""
        columns = select(self.name.label("name"), self.table.c.data_key)
        return columns.where(self.name > bindparam("behind")).order_by(self.name).limit(bindparam("most"))

    @property
    def counts(self) -> Any:
        """Count the data keys behind a name, by their beginning and their length, and name the last one of each."""
        keys = self.page.subquery()
        head = func.substr(keys.c.data_key, 1, _HEAD_BYTES, type_=LargeBinary()).label("head")
        parts = select(head, func.length(keys.c.data_key).label("size"), keys.c.name).subquery()
        found = (func.max(parts.c.name).label("name"), func.count().label("number"))
        return select(parts.c.head, parts.c.size, *found).group_by(parts.c.head, parts.c.size)

    @property
    def swap(self) -> Any:
        """Put a data key in the place of exactly that one: it may have been changed meanwhile."""
        mine = (self.name == bindparam("of"), self.table.c.data_key == bindparam("old"))
        return update(self.table).where(*mine).values(data_key=bindparam("new"))


_CHATS = Base.metadata.tables["chats"]
_ADAPTERS = Base.metadata.tables["adapter_keys"]
_STREAMS = Base.metadata.tables["adapter_stream_keys"]
_HOLDERS = (
    _Holder(table=_CHATS, name=_CHATS.c.id),
    _Holder(table=_ADAPTERS, name=_ADAPTERS.c.adapter),
    _Holder(table=_STREAMS, name=_STREAMS.c.id),
)


class Rekeying:
    """Every wrapped data key of the record. Every call raises `StoreUnavailable`, and may raise `WrittenByNewer`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rewrap(self, vault: Rewrapper, current: str) -> Pass:
        """Wrap every data key anew that the current key does not wrap; safe to repeat, and to be killed in."""
        done, stuck = 0, Counter[str]()
        for holder in _HOLDERS:
            async for rows in self._pages(holder):
                swaps = []
                for row in rows:
                    key_id = key_id_of(row.data_key)
                    if key_id is None or key_id == current:
                        continue
                    try:
                        swaps.append((row.name, row.data_key, vault.rewrapped(row.data_key)))
                    except (KeyMissing, SealBroken):
                        stuck[key_id] += 1
                done += await self._swap(holder, swaps)
        return Pass(rewrapped=done, stuck=stuck)

    async def counted(self) -> Counter[str]:
        """Count, by the id of the key that wraps them, all data keys there are."""
        counts = Counter[str]()
        for holder in _HOLDERS:
            async for rows in self._counts(holder):
                for row in rows:
                    # Only the beginning and the length are looked at; an adapter's is empty where it seals nothing.
                    if row.size and (key_id := key_id_of(bytes(row.head).ljust(row.size))):
                        counts[key_id] += row.number
        return counts

    async def _pages(self, holder: _Holder) -> AsyncIterator[Sequence[Any]]:
        behind = ""
        while True:
            async with self._database.read() as connection:
                asked = {"behind": behind, "most": _BATCH}
                rows = (await connection.execute(holder.page, asked)).all()
            if not rows:
                return
            yield rows
            behind = rows[-1].name

    async def _counts(self, holder: _Holder) -> AsyncIterator[Sequence[Any]]:
        behind, number = "", _COUNTED
        while number == _COUNTED:
            async with self._database.survey() as connection:
                asked = {"behind": behind, "most": _COUNTED}
                rows = (await connection.execute(holder.counts, asked)).all()
            yield rows
            number = sum(row.number for row in rows)
            behind = max((row.name for row in rows), default=behind)

    async def _swap(self, holder: _Holder, swaps: Sequence[tuple[str, bytes, bytes]]) -> int:
        if not swaps:
            return 0
        binds = [{"of": name, "old": old, "new": new} for name, old, new in swaps]
        async with self._database.write() as connection:
            await connection.execute(holder.swap, binds)
        return len(swaps)
