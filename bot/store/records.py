"""The adapters' own streams in the record's database, each sealed by a data key of its own."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from adapters.records import Record, RecordsUnavailable
from bot.chat.vault import Place, SealedField, Vault
from bot.clock import Clock
from bot.errors import SealBroken, StoreUnavailable
from bot.store.database import Database
from bot.store.stream_keys import STREAM_KEY, give_key, key_of, take_key
from bot.store.tables import Base
from bot.store.transaction import Transaction

_records: Table = Base.metadata.tables["adapter_records"]
_keys: Table = Base.metadata.tables["adapter_keys"]

# Built once: SQLAlchemy then finds each statement's compiled form without looking at its structure again.
# An UPDATE may not have binds that are called like its columns.
_MINE = (_records.c.adapter == bindparam("of_adapter"), _records.c.stream == bindparam("of_stream"))
_LAST = select(func.coalesce(func.max(_records.c.position), 0)).where(*_MINE)
_WITH_KEY = select(_records, STREAM_KEY.label("stream_key"))
_BY_KEY = _WITH_KEY.where(*_MINE, _records.c.key == bindparam("key"))
# The newest record of a stream, when it is forgotten, leaves its position behind, empty and without a key.
_HUSK = ""
_THERE = (*_MINE, _records.c.key != _HUSK)
_AFTER = (
    _WITH_KEY.where(*_THERE, _records.c.position > bindparam("position"))
    .order_by(_records.c.position)
    .limit(bindparam("most"))
)
_LATEST = _WITH_KEY.where(*_THERE).order_by(_records.c.position.desc()).limit(bindparam("most"))
_BEFORE = _LATEST.where(_records.c.position < bindparam("position"))
_ADD = insert(_records)
_DROP_KEY = delete(_records).where(*_MINE, _records.c.key == bindparam("old_key"))
_DROP_STREAM = delete(_records).where(*_MINE)
_AMEND = (
    update(_records)
    .where(*_MINE, _records.c.key == bindparam("old_key"))
    .values(body_sealed=bindparam("new_body"))
)
_STREAMS_WITH_OLD = (
    select(_records.c.stream)
    .distinct()
    .where(
        _records.c.adapter == bindparam("adapter"),
        func.substr(_records.c.stream, 1, bindparam("prefix_length")) == bindparam("prefix"),
        _records.c.key != _HUSK,
        _records.c.stored_at < bindparam("instant"),
    )
)
_OLD = (
    select(_records.c.position)
    .where(*_THERE, _records.c.stored_at < bindparam("instant"))
    .order_by(_records.c.position)
    .limit(bindparam("most"))
)
_DROP_POSITIONS = delete(_records).where(
    *_MINE, _records.c.position.in_(bindparam("positions", expanding=True))
)
_LEAVE_HUSK = (
    update(_records)
    .where(*_MINE, _records.c.position == bindparam("old_position"))
    .values(key=_HUSK, body_sealed=b"")
)
_ALL = select(_records.c.key, _records.c.position, _records.c.body_sealed).where(*_THERE)
#: Records sealed anew before others get their turn.
_REDACT_BATCH = 200
#: Records forgotten in one transaction: SQLite carries it out between two turns of the event loop.
_FORGET_BATCH = 500
_KEY = select(_keys.c.data_key).where(_keys.c.adapter == bindparam("adapter"))
_LOCK_KEY = _KEY.with_for_update()
_ADD_KEY = {
    "sqlite": sqlite.insert(_keys).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_keys).on_conflict_do_nothing(),
}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as exc:
        raise RecordsUnavailable(str(exc)) from exc


class SqlRecordStore:
    """One adapter's streams in SQL. Every call may also raise `VaultError`."""

    def __init__(self, database: Database, vault: Vault, adapter: str, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._adapter = adapter
        self._clock = clock

    async def append(self, stream: str, key: str, body: str) -> Record:
        """Store a record; the same key again changes nothing and returns what stands."""
        async with self._writing(stream) as (connection, data_key):
            found = await connection.execute(_BY_KEY, self._binds(stream, key=key))
            standing = found.one_or_none()
            if standing is not None:
                return self._open(data_key, stream, standing)
            return await self._add(connection, data_key, stream, key, body)

    async def put(self, stream: str, key: str, body: str) -> Record:
        """Store a record at the end, in place of the one of that key."""
        async with self._writing(stream) as (connection, data_key):
            return await self._put(connection, data_key, stream, key, body)

    async def amend(
        self, stream: str, key: str, body: str, *, note_key: str, note_body: str
    ) -> Record | None:
        """Replace a record's body where it stands and `put` a note of that at the end."""
        async with self._writing(stream) as (connection, data_key):
            sealed = self._vault.seal(data_key, body, self._place(stream, key))
            amended = await connection.execute(_AMEND, self._binds(stream, old_key=key, new_body=sealed))
            if amended.rowcount == 0:
                return None
            return await self._put(connection, data_key, stream, note_key, note_body)

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        return await self._read(stream, _AFTER, position=position, most=limit)

    async def before(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read the newest `limit` records below a position, oldest first."""
        return list(reversed(await self._read(stream, _BEFORE, position=position, most=limit)))

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        return list(reversed(await self._read(stream, _LATEST, most=limit)))

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        found = await self._read(stream, _BY_KEY, key=key)
        return found[0] if found else None

    async def redact(self, stream: str, bodies: Mapping[str, str | None]) -> None:
        """Put other bodies in the place of some records, by key, and drop those for which there is None.

        All that stays is sealed anew by another key: copies of what stood there open with none that is left.
        """
        async with self._writing(stream) as (connection, old_key):
            rows = (await connection.execute(_ALL, self._binds(stream))).all()
            gone = {row.position for row in rows if bodies.get(row.key, "") is None}
            stay = [row for row in rows if row.position not in gone]
            last = (await connection.execute(_LAST, self._binds(stream))).scalar_one()
            await self._drop(connection, stream, gone, last=last)
            new_key = await give_key(connection, self._vault, self._binds(stream))
            for first in range(0, len(stay), _REDACT_BATCH):
                some = stay[first : first + _REDACT_BATCH]
                await self._reseal(connection, stream, some, bodies, keys=(old_key, new_key))
                # On SQLite nothing above lets anybody else run.
                await asyncio.sleep(0)

    async def forget(self, stream: str) -> None:
        """Drop a stream."""
        with _translated():
            async with self._database.write() as connection:
                await self._adapters_key(connection)
                await connection.execute(_DROP_STREAM, self._binds(stream))
                await take_key(connection, self._binds(stream))

    async def forget_older(self, stream: str, instant: datetime) -> int:
        """Drop the records of one stream that were stored before an instant; how many that were."""
        dropped = 0
        while await self._has_old(stream, instant):
            dropped += await self._forget_some(stream, instant)
        return dropped

    async def forget_before(self, prefix: str, instant: datetime) -> int:
        """Drop the records stored before an instant in all streams whose name starts so; how many that were."""
        dropped = 0
        for stream in await self._streams_with_old(prefix, instant):
            while count := await self._forget_some(stream, instant):
                dropped += count
        return dropped

    async def _streams_with_old(self, prefix: str, instant: datetime) -> list[str]:
        binds = {
            "adapter": self._adapter,
            "prefix": prefix,
            "prefix_length": len(prefix),
            "instant": instant,
        }
        with _translated():
            async with self._database.survey() as connection:
                return list((await connection.execute(_STREAMS_WITH_OLD, binds)).scalars())

    async def _has_old(self, stream: str, instant: datetime) -> bool:
        """Look first: who only looks locks nothing, and makes no key."""
        with _translated():
            async with self._database.read() as connection:
                binds = self._binds(stream, instant=instant, most=1)
                return (await connection.execute(_OLD, binds)).first() is not None

    async def _forget_some(self, stream: str, instant: datetime) -> int:
        async with self._writing(stream) as (connection, _):
            last = (await connection.execute(_LAST, self._binds(stream))).scalar_one()
            binds = self._binds(stream, instant=instant, most=_FORGET_BATCH)
            old = list((await connection.execute(_OLD, binds)).scalars())
            await self._drop(connection, stream, old, last=last)
        return len(old)

    async def _drop(
        self, connection: Transaction, stream: str, positions: Collection[int], *, last: int
    ) -> None:
        """Drop records; the stream's last position stays as a husk, so that it is not given out again."""
        gone = [position for position in positions if position != last]
        for first in range(0, len(gone), _FORGET_BATCH):
            some = gone[first : first + _FORGET_BATCH]
            await connection.execute(_DROP_POSITIONS, self._binds(stream, positions=some))
        if last in positions:
            await connection.execute(_DROP_KEY, self._binds(stream, old_key=_HUSK))
            await connection.execute(_LEAVE_HUSK, self._binds(stream, old_position=last))

    async def _reseal(
        self,
        connection: Transaction,
        stream: str,
        rows: Sequence[Row[Any]],
        bodies: Mapping[str, str | None],
        *,
        keys: tuple[bytes, bytes],
    ) -> None:
        old_key, new_key = keys
        changes = []
        for row in rows:
            place, body = self._place(stream, row.key), bodies.get(row.key)
            with suppress(SealBroken):  # a damaged record stays one, and holds nobody else up
                kept = self._vault.open(old_key, row.body_sealed, place) if body is None else body
                sealed = self._vault.seal(new_key, kept, place)
                changes.append(self._binds(stream, old_key=row.key, new_body=sealed))
        if changes:
            await connection.execute(_AMEND, changes)

    @asynccontextmanager
    async def _writing(self, stream: str) -> AsyncIterator[tuple[Transaction, bytes]]:
        """Open a transaction that has the adapter's streams for itself, with the key that seals one of them."""
        with _translated():
            async with self._database.write() as connection:
                yield connection, await self._locked_key(connection, stream)

    async def _read(self, stream: str, query: Select[Any], **binds: Any) -> list[Record]:
        with _translated():
            async with self._database.read() as connection:
                rows = (await connection.execute(query, self._binds(stream, **binds))).all()
                if not rows:
                    return []
                data_key = (await connection.execute(_KEY, {"adapter": self._adapter})).scalar_one()
        return [self._open(row.stream_key or data_key, stream, row) for row in rows]

    async def _locked_key(self, connection: Transaction, stream: str) -> bytes:
        """Find or make a stream's key; one that was begun when streams had none is sealed by the adapter's."""
        adapters = await self._adapters_key(connection)
        binds = self._binds(stream)
        if (found := await key_of(connection, binds)) is not None:
            return found
        if (await connection.execute(_LAST, binds)).scalar_one():
            return adapters
        return await give_key(connection, self._vault, binds)

    async def _adapters_key(self, connection: Transaction) -> bytes:
        """Find or make the adapter's key; its row's lock gives out positions one at a time."""
        mine = {"adapter": self._adapter}
        if (found := (await connection.execute(_LOCK_KEY, mine)).scalar_one_or_none()) is not None:
            return bytes(found)
        new_key = {"adapter": self._adapter, "data_key": self._vault.new_key()}
        await connection.execute(_ADD_KEY[connection.dialect.name], new_key)
        return bytes((await connection.execute(_LOCK_KEY, mine)).scalar_one())

    async def _put(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str
    ) -> Record:
        """Store a record at the end; the position is found first, as the old record may hold the last one."""
        last = int((await connection.execute(_LAST, self._binds(stream))).scalar_one())
        await connection.execute(_DROP_KEY, self._binds(stream, old_key=key))
        return await self._insert(connection, data_key, stream, key, body, position=last + 1)

    async def _add(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str
    ) -> Record:
        last = int((await connection.execute(_LAST, self._binds(stream))).scalar_one())
        return await self._insert(connection, data_key, stream, key, body, position=last + 1)

    async def _insert(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str, *, position: int
    ) -> Record:
        assert key, "a record without a key is one that was forgotten"
        record = Record(position=position, key=key, body=body, stored_at=self._clock.now())
        row = {
            "adapter": self._adapter,
            "stream": stream,
            "position": position,
            "key": key,
            "body_sealed": self._vault.seal(data_key, body, self._place(stream, key)),
            "stored_at": record.stored_at,
        }
        await connection.execute(_ADD, [row])
        return record

    def _binds(self, stream: str, **more: Any) -> dict[str, Any]:
        return {"of_adapter": self._adapter, "of_stream": stream, **more}

    def _open(self, data_key: bytes, stream: str, row: Row[Any]) -> Record:
        body = self._vault.open(data_key, row.body_sealed, self._place(stream, row.key))
        return Record(position=row.position, key=row.key, body=body, stored_at=row.stored_at)

    def _place(self, stream: str, key: str) -> Place:
        return Place(chat=f"{self._adapter}/{stream}", item=key, field=SealedField.RECORD)
