"""The adapters' own streams in the record's database, sealed by a data key per adapter."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row, Select, Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from adapters.records import Record, RecordsUnavailable
from bot.chat.vault import Place, SealedField, Vault
from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.tables import Base
from bot.store.transaction import Transaction

_records: Table = Base.metadata.tables["adapter_records"]
_keys: Table = Base.metadata.tables["adapter_keys"]

# Built once: SQLAlchemy then finds each statement's compiled form without looking at its structure again.
_MINE = (_records.c.adapter == bindparam("adapter"), _records.c.stream == bindparam("stream"))
_LAST = select(func.coalesce(func.max(_records.c.position), 0)).where(*_MINE)
_BY_KEY = select(_records).where(*_MINE, _records.c.key == bindparam("key"))
_AFTER = (
    select(_records)
    .where(*_MINE, _records.c.position > bindparam("position"))
    .order_by(_records.c.position)
    .limit(bindparam("most"))
)
_LATEST = select(_records).where(*_MINE).order_by(_records.c.position.desc()).limit(bindparam("most"))
_ADD = insert(_records)
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
        with _translated():
            async with self._database.write() as connection:
                data_key = await self._locked_key(connection)
                found = await connection.execute(_BY_KEY, self._binds(stream, key=key))
                standing = found.one_or_none()
                if standing is not None:
                    return self._open(data_key, stream, standing)
                return await self._add(connection, data_key, stream, key, body)

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        return await self._read(stream, _AFTER, position=position, most=limit)

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        return list(reversed(await self._read(stream, _LATEST, most=limit)))

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        found = await self._read(stream, _BY_KEY, key=key)
        return found[0] if found else None

    async def _read(self, stream: str, query: Select[Any], **binds: Any) -> list[Record]:
        with _translated():
            async with self._database.read() as connection:
                rows = (await connection.execute(query, self._binds(stream, **binds))).all()
                if not rows:
                    return []
                data_key = (await connection.execute(_KEY, {"adapter": self._adapter})).scalar_one()
        return [self._open(data_key, stream, row) for row in rows]

    async def _locked_key(self, connection: Transaction) -> bytes:
        """Find or make the adapter's key; its row's lock gives out positions one at a time."""
        mine = {"adapter": self._adapter}
        if (found := (await connection.execute(_LOCK_KEY, mine)).scalar_one_or_none()) is not None:
            return bytes(found)
        new_key = {"adapter": self._adapter, "data_key": self._vault.new_key()}
        await connection.execute(_ADD_KEY[connection.dialect.name], new_key)
        return bytes((await connection.execute(_LOCK_KEY, mine)).scalar_one())

    async def _add(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str
    ) -> Record:
        position = int((await connection.execute(_LAST, self._binds(stream))).scalar_one()) + 1
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
        return {"adapter": self._adapter, "stream": stream, **more}

    def _open(self, data_key: bytes, stream: str, row: Row[Any]) -> Record:
        body = self._vault.open(data_key, row.body_sealed, self._place(stream, row.key))
        return Record(position=row.position, key=row.key, body=body, stored_at=row.stored_at)

    def _place(self, stream: str, key: str) -> Place:
        return Place(chat=f"{self._adapter}/{stream}", item=key, field=SealedField.RECORD)
