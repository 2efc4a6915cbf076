"""The key-encryption keys of an organisation, one an epoch, and the keys that are derived from them."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

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
    #: Names events that were forgotten, so that nobody can ask the record which.
    TOMBSTONES = "tombstones"
    #: Names conversations in what paces the calls of platforms.
    PACING = "pacing"


class Keys(Protocol):
    """The key-encryption keys as they stand at the moment of each call."""

    @property
    def current(self) -> str:
        """The id of the key that wraps new data keys."""
        ...

    def key(self, key_id: str) -> bytes:
        """Return a key-encryption key. Raises `KeyMissing`."""
        ...

    def derive(self, purpose: Subkey) -> bytes:
        """Derive a 32-byte key for a purpose; it stays the same over the epochs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """Every key-encryption key at hand, by id (16 hex digits), and which of them wraps new data keys."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    #: When each key was made, where that is known.
    made_at: Mapping[str, datetime] = field(default_factory=dict, repr=False)
    #: What subkeys are derived from, and no data key is wrapped by: it outlives the epochs. None derives it from
    #: the current key, as rings did that never had a second epoch.
    root: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse a ring that could not seal: raises ValueError, without naming any key's bytes."""
        if self.current not in self.keys:
            raise ValueError(f"the current key {self.current} is not among the keys")
        for key_id, key in self.keys.items():
            if len(bytes.fromhex(key_id)) != KEY_ID_BYTES or key_id != key_id.lower():
                raise ValueError(f"a key id must be {2 * KEY_ID_BYTES} lower-case hex digits, not {key_id!r}")
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {key_id} has {len(key)} bytes instead of {KEY_BYTES}")
        if self.root is not None and len(self.root) != KEY_BYTES:
            raise ValueError(f"the root has {len(self.root)} bytes instead of {KEY_BYTES}")

    @classmethod
    def fresh(cls, made_at: datetime | None = None) -> Self:
        """Make a ring with one new random key."""
        key_id = secrets.token_hex(KEY_ID_BYTES)
        return cls(
            current=key_id,
            keys={key_id: secrets.token_bytes(KEY_BYTES)},
            made_at={key_id: made_at} if made_at else {},
            root=secrets.token_bytes(KEY_BYTES),
        )

    @property
    def retiring(self) -> tuple[str, ...]:
        """The ids of the keys that wrap nothing new."""
        return tuple(key_id for key_id in self.keys if key_id != self.current)

    def with_next_epoch(self, made_at: datetime) -> Self:
        """Return a ring with a new current key; the others retire. What is derived stays as it was."""
        key_id = secrets.token_hex(KEY_ID_BYTES)
        return replace(
            self,
            current=key_id,
            keys={key_id: secrets.token_bytes(KEY_BYTES), **self.keys},
            made_at={key_id: made_at, **self.made_at},
            root=self._root(),
        )

    def without(self, key_ids: Collection[str]) -> Self:
        """Return a ring without some retired keys. Raises ValueError for the current one."""
        return replace(
            self,
            keys={key_id: key for key_id, key in self.keys.items() if key_id not in key_ids},
            made_at={key_id: made for key_id, made in self.made_at.items() if key_id not in key_ids},
            root=self._root(),
        )

    def key(self, key_id: str) -> bytes:
        """Return a key-encryption key. Raises `KeyMissing`."""
        try:
            return self.keys[key_id]
        except KeyError as exc:
            raise KeyMissing(key_id) from exc

    def derive(self, purpose: Subkey) -> bytes:
        """Derive a 32-byte key for a purpose (HKDF with SHA-256, RFC 5869); it stays the same over the epochs.

        So nothing whose secrecy must end with an epoch may depend on it: names and digests, never content.
        """
        return _derived(self._root(), b"aside subkey 1\x00" + purpose.value.encode())

    def _root(self) -> bytes:
        return self.root or _derived(self.key(self.current), b"aside root 1")


def _derived(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)
