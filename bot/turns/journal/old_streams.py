"""What adapters' own keys still seal, from before their streams had keys: sealed anew, and these keys destroyed.

Whoever has such a key, or a backup with it, opens everything that was ever said in an adapter's rooms; a key that was
given to a stream goes when something of that stream is forgotten.
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Row

from bot.chat.vault import Vault
from bot.clock import Clock
from bot.errors import AsideError, SealBroken
from bot.store import record_rows
from bot.store.database import Database
from bot.store.record_seals import RecordSeals
from bot.store.stream_keys import adapters_with_a_key, destroy_adapters_key, lock_adapter, locked_keys
from bot.store.transaction import Transaction
from bot.turns.journal.cleanings import owe

logger = logging.getLogger(__name__)

#: Records that one transaction seals anew, and seconds between two: people write to these streams meanwhile.
_BATCH = 200
_PAUSE_S = 0.02
#: Seconds after which what failed is tried again: at first, and at most.
_AGAIN_S = 5.0
_AGAIN_AT_MOST_S = 300.0


class OldStreams:
    """The streams of all adapters. Safe to run in several processes, and to be killed in: the next start goes on."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._vault = vault
        self._clock = clock

    async def run(self) -> None:
        """Renew until all is done; trouble is logged once."""
        trouble, again_s = False, _AGAIN_S
        while True:
            try:
                await self.renew()
            except AsideError as exc:
                if not trouble:
                    logger.warning("rooms of an older version keep the key of that version for now: %s", exc)
                trouble = True
                await asyncio.sleep(random.uniform(again_s / 2, again_s))  # noqa: S311 - jitter, no secret
                again_s = min(again_s * 2, _AGAIN_AT_MOST_S)
            else:
                return

    async def renew(self) -> None:
        """Seal anew what the adapters' keys still seal, and destroy them. Raises `StoreUnavailable`, `VaultError`.

        And `WrittenByNewer`. Whatever it raises, nothing is lost.
        """
        async with self._database.survey() as connection:
            adapters = await adapters_with_a_key(connection)
        for adapter in adapters:
            await self._renew(adapter)

    async def _renew(self, adapter: str) -> None:
        async with self._database.survey() as connection:
            streams = list((await connection.execute(record_rows.STREAMS, {"adapter": adapter})).scalars())
        renewed = 0
        for stream in streams:
            renewed += await self._renew_stream(adapter, stream)
        async with self._database.write() as connection:
            await lock_adapter(connection, adapter)
            await destroy_adapters_key(connection, adapter)
            # The key is still in the database's files.
            await owe(connection, self._clock, None)
        logger.info(
            "%s: %d records of an older version are sealed by keys of their streams", adapter, renewed
        )

    async def _renew_stream(self, adapter: str, stream: str) -> int:
        asked: dict[str, Any] = {"of_adapter": adapter, "of_stream": stream, "position": 0, "most": _BATCH}
        seals, renewed = RecordSeals(self._vault, adapter), 0
        while page := await self._page(asked):
            # Most streams have nothing of that: who only looks locks nothing.
            if any(not _is_renewed(seals, stream, row) for row in page):
                renewed += await self._renew_page(seals, asked)
            asked["position"] = page[-1].position
            await asyncio.sleep(_PAUSE_S)
        return renewed

    async def _page(self, asked: dict[str, Any]) -> Sequence[Row[Any]]:
        async with self._database.read() as connection:
            return (await connection.execute(record_rows.AFTER, asked)).all()

    async def _renew_page(self, seals: RecordSeals, asked: dict[str, Any]) -> int:
        async with self._database.write() as connection:
            own, *_ = await locked_keys(connection, self._vault, asked)
            rows = (await connection.execute(record_rows.AFTER, asked)).all()
            old = [row for row in rows if not _is_renewed(seals, asked["of_stream"], row)]
            return await self._reseal(connection, seals, asked, old, own)

    async def _reseal(
        self,
        connection: Transaction,
        seals: RecordSeals,
        asked: dict[str, Any],
        old: Sequence[Row[Any]],
        own: bytes,
    ) -> int:
        of = {"of_adapter": asked["of_adapter"], "of_stream": asked["of_stream"]}
        changes = []
        for row in old:
            with suppress(SealBroken):  # a damaged record stays one
                body = seals.record(of["of_stream"], row).body
                sealed = seals.seal(own, of["of_stream"], row.key, body)
                changes.append({**of, "old_key": row.key, "new_body": sealed})
        if changes:
            await connection.execute(record_rows.AMEND, changes)
        return len(changes)


def _is_renewed(seals: RecordSeals, stream: str, row: Row[Any]) -> bool:
    """Tell whether the stream's own key opens a row. Raises `KeyMissing` and `WrittenByNewer`."""
    if not row.stream_key:
        return False
    try:
        seals.body((bytes(row.stream_key),), stream, row)
    except SealBroken:
        return False
    return True
