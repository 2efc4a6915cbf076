"""The key-encryption keys of an organisation, one an epoch, and the keys that are derived from them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import KeyMissing

#: Bytes of a key (AES-256) and of a key's id.
KEY_BYTES = 32
KEY_ID_BYTES = 8


class Subkey(StrEnum):
    """What a derived key is for; each member gives an independent key."""

    #: Names a chat's keys in Redis without naming the chat.
    CACHE_NAMES = "cache names"
    #: Isolates the engine's KV cache per chat.
    CACHE_SALT = "cache salt"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Every key-encryption key at hand, by id (16 hex digits), and which of them wraps new data keys."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a ring that could not seal: raises ValueError, without naming any key's bytes."""
        if self.current not in self.keys:
            raise ValueError(f"the current key {self.current} is not among the keys")
        for key_id, key in self.keys.items():
            if len(bytes.fromhex(key_id)) != KEY_ID_BYTES or key_id != key_id.lower():
                raise ValueError(f"a key id must be {2 * KEY_ID_BYTES} lower-case hex digits, not {key_id!r}")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {key_id} has {len(key)} bytes instead of {KEY_BYTES}")

    @classmethod
    def fresh(cls) -> Self:
        """Make a ring with one new random key."""
        key_id = secrets.token_hex(KEY_ID_BYTES)
        return cls(current=key_id, keys={key_id: secrets.token_bytes(KEY_BYTES)})

    def key(self, key_id: str) -> bytes:
        """Return a key-encryption key. Raises `KeyMissing`."""
        try:
            return self.keys[key_id]
        except KeyError as exc:
            raise KeyMissing(key_id) from exc

    def derive(self, purpose: Subkey) -> bytes:
        """Derive a 32-byte key for a purpose from the current key (HKDF with SHA-256, RFC 5869).

        It changes with the epoch, so only what may start anew can depend on it: caches, never records.
        """
        info = b"aside subkey 1\x00" + purpose.value.encode()
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(self.key(self.current))
