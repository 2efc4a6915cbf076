"""The vault over AES-256-GCM: every chat has a data key, wrapped by the current key-encryption key.

Wrapped key: version (1 byte), key id (8), nonce (12), ciphertext and tag (48). Blob: version (1), nonce (12),
ciphertext and tag. Nonces are random, so one data key is good for 2**32 seals (NIST SP 800-38D, 8.3). The next
version is told from damage, so that a rollout buries nothing: one flipped bit does not make it of this one.
"""

import hmac
from functools import lru_cache
from os import urandom

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.chat.key_ring import KEY_BYTES, KEY_ID_BYTES, Keys, Subkey
from bot.chat.vault import Place
from bot.errors import SealBroken, WrittenByNewer

_VERSION = b"\x01"
_NEXT_VERSION = b"\x02"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = 1 + KEY_ID_BYTES + _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_BLOB_LEAST_BYTES = 1 + _NONCE_BYTES + _TAG_BYTES
#: How many chats' unwrapped keys stay at hand.
_KEYS_AT_HAND = 1024


def _framed(*fields: str) -> bytes:
    """Encode strings so that no two different lists give the same bytes: each behind its length."""
    encoded = [field.encode("utf-8", "surrogatepass") for field in fields]
    return b"".join(len(field).to_bytes(4, "big") + field for field in encoded)


class AesVault:
    """Seals with AES-256-GCM; the seal binds organisation, chat, item and field (AAD)."""

    def __init__(self, keys: Keys, *, organisation: str) -> None:
        """Keep the keys; `organisation` separates deployments that came to share a key."""
        self._keys = keys
        self._wrap_aad = b"aside key 1\x00" + _framed(organisation)
        self._blob_aad = b"aside blob 1\x00" + _framed(organisation)
        self._digest_key = keys.derive(Subkey.TOMBSTONES)
        self._cipher = lru_cache(maxsize=_KEYS_AT_HAND)(self._cipher_of)

    def new_key(self) -> bytes:
        """Make a fresh data key, wrapped by the current key."""
        return self._wrapped(urandom(KEY_BYTES))

    def rewrapped(self, key: bytes) -> bytes:
        """Wrap a data key anew, by the current key; everything it sealed still opens.

        Raises `KeyMissing`, or `SealBroken` for a damaged wrapped key.
        """
        try:
            return self._wrapped(self._unwrapped(key))
        except (InvalidTag, ValueError) as exc:
            raise SealBroken("a data key was changed or cut, or belongs to another organisation") from exc

    def digest(self, *words: str) -> str:
        """Return 64 hex digits that stand for some words and that nobody without the keys can compute."""
        return hmac.digest(self._digest_key, _framed(*words), "sha256").hex()

    def seal(self, key: bytes, text: str, place: Place) -> bytes:
        """Encrypt text for one place. Raises `KeyMissing`, or `SealBroken` for a damaged wrapped key."""
        cipher, nonce = self._cipher_at(key, place), urandom(_NONCE_BYTES)
        # A platform's JSON may hold lone surrogates; they must come back as they came.
        plain = text.encode("utf-8", "surrogatepass")
        return _VERSION + nonce + cipher.encrypt(nonce, plain, self._aad(place))

    def open(self, key: bytes, blob: bytes, place: Place) -> str:
        """Decrypt a blob found at a place. Raises `KeyMissing`, `WrittenByNewer` or `SealBroken`.

        The last two name the place.
        """
        cipher = self._cipher_at(key, place)
        if blob[:1] == _NEXT_VERSION:
            raise WrittenByNewer(f"a newer version sealed {_where(place)}")
        if len(blob) < _BLOB_LEAST_BYTES or blob[:1] != _VERSION:
            raise _broken(place)
        nonce, sealed = blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
        try:
            plain = cipher.decrypt(nonce, sealed, self._aad(place))
        except InvalidTag as exc:
            raise _broken(place) from exc
        return plain.decode("utf-8", "surrogatepass")

    def _aad(self, place: Place) -> bytes:
        return self._blob_aad + _framed(place.chat, place.item, place.field.value)

    def _cipher_at(self, key: bytes, place: Place) -> AESGCM:
        if key[:1] == _NEXT_VERSION:
            raise WrittenByNewer(f"a newer version wrapped the data key of chat {place.chat}")
        try:
            return self._cipher(key)
        except (InvalidTag, ValueError) as exc:
            raise SealBroken(
                f"the data key of chat {place.chat} was changed or cut ({_where(place)})"
            ) from exc

    def _cipher_of(self, wrapped: bytes) -> AESGCM:
        return AESGCM(self._unwrapped(wrapped))

    def _wrapped(self, data_key: bytes) -> bytes:
        key_id, nonce = self._keys.current, urandom(_NONCE_BYTES)
        header = _VERSION + bytes.fromhex(key_id)
        wrapper = AESGCM(self._keys.key(key_id))
        return header + nonce + wrapper.encrypt(nonce, data_key, header + self._wrap_aad)

    def _unwrapped(self, wrapped: bytes) -> bytes:
        if len(wrapped) != _WRAPPED_BYTES or wrapped[:1] != _VERSION:
            raise ValueError("not a wrapped key of this version")
        header, rest = wrapped[: 1 + KEY_ID_BYTES], wrapped[1 + KEY_ID_BYTES :]
        wrapper = AESGCM(self._keys.key(header[1:].hex()))
        return wrapper.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header + self._wrap_aad)


def key_id_of(wrapped: bytes) -> str | None:
    """Name the key-encryption key that wrapped a data key; None for what is no wrapped key of this version.

    Raises `WrittenByNewer`.
    """
    if wrapped[:1] == _NEXT_VERSION:
        raise WrittenByNewer("a newer version wrapped a data key")
    if len(wrapped) != _WRAPPED_BYTES or wrapped[:1] != _VERSION:
        return None
    return wrapped[1 : 1 + KEY_ID_BYTES].hex()


def _where(place: Place) -> str:
    return f"{place.field.value} of item {place.item} in chat {place.chat}"


def _broken(place: Place) -> SealBroken:
    return SealBroken(f"the seal is broken: {_where(place)} was changed, cut or moved")
