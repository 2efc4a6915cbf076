"""The seals of one adapter's records: opening what stands, sealing what is written."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from adapters.records import Record
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import SealBroken
from bot.store.stream_keys import keys_in


class RecordSeals:
    """Seals and opens the bodies of one adapter's records."""

    def __init__(self, vault: Vault, adapter: str) -> None:
        """Keep the vault, and whose records they are."""
        self._vault = vault
        self._adapter = adapter

    def seal(self, data_key: bytes, stream: str, key: str, body: str) -> bytes:
        """Seal a record's body. Raises `VaultError`."""
        return self._vault.seal(data_key, body, self._place(stream, key))

    def body(self, keys: Sequence[bytes], stream: str, row: Row[Any]) -> str:
        """Open a row's body by the first of some data keys that opens it. Raises `KeyMissing`, `WrittenByNewer`.

        And `SealBroken` where none does: the row is damaged.
        """
        place, broken = self._place(stream, row.key), SealBroken(f"stream {stream} has no data key")
        for data_key in keys:
            try:
                return self._vault.open(data_key, row.body_sealed, place)
            except SealBroken as exc:
                broken = exc
        raise broken

    def record(self, stream: str, row: Row[Any]) -> Record:
        """Open a row that was read with its keys. Raises as `body` does."""
        body = self.body(keys_in(row), stream, row)
        return Record(position=row.position, key=row.key, body=body, stored_at=row.stored_at)

    def is_damaged(self, stream: str, row: Row[Any]) -> bool:
        """Tell whether nobody can open a row that was read with its keys. Raises `KeyMissing`, `WrittenByNewer`."""
        try:
            self.body(keys_in(row), stream, row)
        except SealBroken:
            return True
        return False

    def _place(self, stream: str, key: str) -> Place:
        return Place(chat=f"{self._adapter}/{stream}", item=key, field=SealedField.RECORD)
