"""The adapters' own streams in the record's database, each sealed by a data key of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select

from adapters.records import Record, RecordsUnavailable
from bot.chat.vault import Vault
from bot.clock import Clock
from bot.errors import SealBroken, StoreUnavailable
from bot.store import record_rows
from bot.store.database import Database
from bot.store.record_rows import HUSK
from bot.store.record_seals import RecordSeals
from bot.store.stream_keys import give_key, lock_adapter, locked_keys, take_key
from bot.store.transaction import Transaction

logger = logging.getLogger(__name__)

#: Records sealed anew before others get their turn.
_REDACT_BATCH = 200
#: Records forgotten in one transaction: SQLite carries it out between two turns of the event loop.
_FORGET_BATCH = 500


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
        self._seals = RecordSeals(vault, adapter)

    async def append(self, stream: str, key: str, body: str) -> Record:
        """Store a record; the same key again changes nothing and returns what stands."""
        async with self._writing(stream) as (connection, data_key):
            found = await connection.execute(record_rows.BY_KEY, self._binds(stream, key=key))
            standing = found.one_or_none()
            if standing is not None:
                return self._seals.record(stream, standing)
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
            sealed = self._seals.seal(data_key, stream, key, body)
            binds = self._binds(stream, old_key=key, new_body=sealed)
            amended = await connection.execute(record_rows.AMEND, binds)
            if amended.rowcount == 0:
                return None
            return await self._put(connection, data_key, stream, note_key, note_body)

    async def after(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read at most `limit` records behind a position, oldest first."""
        return await self._read(stream, record_rows.AFTER, position=position, most=limit)

    async def before(self, stream: str, position: int, limit: int) -> list[Record]:
        """Read the newest `limit` records below a position, oldest first."""
        return list(reversed(await self._read(stream, record_rows.BEFORE, position=position, most=limit)))

    async def latest(self, stream: str, limit: int) -> list[Record]:
        """Read the newest `limit` records, oldest first."""
        return list(reversed(await self._read(stream, record_rows.LATEST, most=limit)))

    async def by_key(self, stream: str, key: str) -> Record | None:
        """Read the record of a key, if there is one."""
        found = await self._read(stream, record_rows.BY_KEY, key=key)
        return found[0] if found else None

    async def redact(self, stream: str, bodies: Mapping[str, str | None]) -> None:
        """Put other bodies in the place of some records, by key, and drop those for which there is None.

        All that stays is sealed anew by another key: copies of what stood there open with none that is left.
        """
        async with self._writing(stream) as (connection, _):
            rows = (await connection.execute(record_rows.ALL, self._binds(stream))).all()
            gone = {row.position for row in rows if bodies.get(row.key, "") is None}
            stay = [row for row in rows if row.position not in gone]
            last = (await connection.execute(record_rows.LAST, self._binds(stream))).scalar_one()
            await self._drop(connection, stream, gone, last=last)
            new_key = await give_key(connection, self._vault, self._binds(stream))
            for first in range(0, len(stay), _REDACT_BATCH):
                some = stay[first : first + _REDACT_BATCH]
                await self._reseal(connection, stream, some, bodies, new_key)
                # On SQLite nothing above lets anybody else run.
                await asyncio.sleep(0)

    async def drop_damaged(self, stream: str) -> int:
        """Drop the records of a stream that nobody can open; how many that were."""
        gone: list[int] = []
        position = 0
        while page := await self._rows(stream, record_rows.AFTER, position=position, most=_REDACT_BATCH):
            if any(self._seals.is_damaged(stream, row) for row in page):
                gone += await self._drop_damaged(stream, position)
            position = page[-1].position
        if gone:
            logger.error(
                "records of stream %s of %s are damaged and were dropped: %s", stream, self._adapter, gone
            )
        return len(gone)

    async def forget(self, stream: str) -> None:
        """Drop a stream."""
        with _translated():
            async with self._database.write() as connection:
                await lock_adapter(connection, self._adapter)
                await connection.execute(record_rows.DROP_STREAM, self._binds(stream))
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
                return list((await connection.execute(record_rows.STREAMS_WITH_OLD, binds)).scalars())

    async def _has_old(self, stream: str, instant: datetime) -> bool:
        """Look first: who only looks locks nothing, and makes no key."""
        with _translated():
            async with self._database.read() as connection:
                binds = self._binds(stream, instant=instant, most=1)
                return (await connection.execute(record_rows.OLD, binds)).first() is not None

    async def _forget_some(self, stream: str, instant: datetime) -> int:
        async with self._writing(stream) as (connection, _):
            last = (await connection.execute(record_rows.LAST, self._binds(stream))).scalar_one()
            binds = self._binds(stream, instant=instant, most=_FORGET_BATCH)
            old = list((await connection.execute(record_rows.OLD, binds)).scalars())
            await self._drop(connection, stream, old, last=last)
        return len(old)

    async def _drop_damaged(self, stream: str, position: int) -> list[int]:
        """Look again with the streams for oneself, and drop what is damaged behind a position."""
        async with self._writing(stream) as (connection, _):
            asked = self._binds(stream, position=position, most=_REDACT_BATCH)
            rows = (await connection.execute(record_rows.AFTER, asked)).all()
            gone = [row.position for row in rows if self._seals.is_damaged(stream, row)]
            last = (await connection.execute(record_rows.LAST, asked)).scalar_one()
            await self._drop(connection, stream, gone, last=last)
        return gone

    async def _drop(
        self, connection: Transaction, stream: str, positions: Collection[int], *, last: int
    ) -> None:
        """Drop records; the stream's last position stays as a husk, so that it is not given out again."""
        gone = [position for position in positions if position != last]
        for first in range(0, len(gone), _FORGET_BATCH):
            some = gone[first : first + _FORGET_BATCH]
            await connection.execute(record_rows.DROP_POSITIONS, self._binds(stream, positions=some))
        if last in positions:
            await connection.execute(record_rows.DROP_KEY, self._binds(stream, old_key=HUSK))
            await connection.execute(record_rows.LEAVE_HUSK, self._binds(stream, old_position=last))

    async def _reseal(
        self,
        connection: Transaction,
        stream: str,
        rows: Sequence[Row[Any]],
        bodies: Mapping[str, str | None],
        new_key: bytes,
    ) -> None:
        changes = []
        for row in rows:
            body = bodies.get(row.key)
            with suppress(SealBroken):  # a damaged record stays one, and holds nobody else up
                kept = self._seals.record(stream, row).body if body is None else body
                sealed = self._seals.seal(new_key, stream, row.key, kept)
                changes.append(self._binds(stream, old_key=row.key, new_body=sealed))
        if changes:
            await connection.execute(record_rows.AMEND, changes)

    @asynccontextmanager
    async def _writing(self, stream: str) -> AsyncIterator[tuple[Transaction, bytes]]:
        """Open a transaction that has the adapter's streams for itself, with the key that seals one of them."""
        with _translated():
            async with self._database.write() as connection:
                own, *_ = await locked_keys(connection, self._vault, self._binds(stream))
                yield connection, own

    async def _read(self, stream: str, query: Select[Any], **binds: Any) -> list[Record]:
        return [self._seals.record(stream, row) for row in await self._rows(stream, query, **binds)]

    async def _rows(self, stream: str, query: Select[Any], **binds: Any) -> Sequence[Row[Any]]:
        with _translated():
            async with self._database.read() as connection:
                return (await connection.execute(query, self._binds(stream, **binds))).all()

    async def _put(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str
    ) -> Record:
        """Store a record at the end; the position is found first, as the old record may hold the last one."""
        last = int((await connection.execute(record_rows.LAST, self._binds(stream))).scalar_one())
        await connection.execute(record_rows.DROP_KEY, self._binds(stream, old_key=key))
        return await self._insert(connection, data_key, stream, key, body, position=last + 1)

    async def _add(
        self, connection: Transaction, data_key: bytes, stream: str, key: str, body: str
    ) -> Record:
        last = int((await connection.execute(record_rows.LAST, self._binds(stream))).scalar_one())
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
            "body_sealed": self._seals.seal(data_key, stream, key, body),
            "stored_at": record.stored_at,
        }
        await connection.execute(record_rows.ADD, [row])
        return record

    def _binds(self, stream: str, **more: Any) -> dict[str, Any]:
        return {"of_adapter": self._adapter, "of_stream": stream, **more}
