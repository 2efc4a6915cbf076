"""The adapters' own streams in the record's database, sealed by a data key per adapter."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row, Select, Table, func, insert, select
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
                standing = (await connection.execute(self._of(stream, _records.c.key == key))).one_or_none()
                if standing is not None:
                    return self._open(data_key, stream, standing)
                return await self._add(connection, data_key, stream, key, body)

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        behind = self._of(stream, _records.c.position > position).order_by(_records.c.position).limit(limit)
        return await self._read(stream, behind)

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        newest = self._of(stream).order_by(_records.c.position.desc()).limit(limit)
        return list(reversed(await self._read(stream, newest)))

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        found = await self._read(stream, self._of(stream, _records.c.key == key))
        return found[0] if found else None

    async def _read(self, stream: str, query: Select[Any]) -> list[Record]:
        with _translated():
            async with self._database.read() as connection:
                rows = list(await connection.execute(query))
                if not rows:
                    return []
                data_key = (await connection.execute(self._key_query())).scalar_one()
        return [self._open(data_key, stream, row) for row in rows]

    async def _locked_key(self, connection: Transaction) -> bytes:
        """Find or make the adapter's key; its row's lock gives out positions one at a time."""
        query = self._key_query().with_for_update()
        if (found := (await connection.execute(query)).scalar_one_or_none()) is not None:
            return bytes(found)
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        await connection.execute(
            dialect.insert(_keys)
            .values(adapter=self._adapter, data_key=self._vault.new_key())
            .on_conflict_do_nothing()
        )
        return bytes((await connection.execute(query)).scalar_one())

    async def _add(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str
    ) -> Record:
        last = select(func.coalesce(func.max(_records.c.position), 0)).where(
            _records.c.adapter == self._adapter, _records.c.stream == stream
        )
        position = int((await connection.execute(last)).scalar_one()) + 1
        record = Record(position=position, key=key, body=body, stored_at=self._clock.now())
        row = {
            "adapter": self._adapter,
            "stream": stream,
            "position": position,
            "key": key,
            "body_sealed": self._vault.seal(data_key, body, self._place(stream, key)),
            "stored_at": record.stored_at,
        }
        await connection.execute(insert(_records), [row])
        return record

    def _key_query(self) -> Select[Any]:
        return select(_keys.c.data_key).where(_keys.c.adapter == self._adapter)

    def _of(self, stream: str, *where: Any) -> Select[Any]:
        return select(_records).where(
            _records.c.adapter == self._adapter, _records.c.stream == stream, *where
        )

    def _open(self, data_key: bytes, stream: str, row: Row[Any]) -> Record:
        body = self._vault.open(data_key, row.body_sealed, self._place(stream, row.key))
        return Record(position=row.position, key=row.key, body=body, stored_at=row.stored_at)

    def _place(self, stream: str, key: str) -> Place:
        return Place(chat=f"{self._adapter}/{stream}", item=key, field=SealedField.RECORD)
