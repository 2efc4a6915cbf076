"""Sealing what people write and the model answers: a data key per chat, wrapped by a key-encryption key."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class SealedField(StrEnum):
    """Which value of a chat a seal belongs to; part of the seal's associated data."""

    INBOUND = "inbound"
    PROMPT = "prompt"
    REPLY = "reply"
    CONTEXT = "context"
    SUMMARY = "summary"
    CARD = "card"
    MEMORY = "memory"
    AMBIENT = "ambient"
    LIVE = "live"
    RECORD = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed value lives; it opens nowhere else.

    `chat` is the chat's id (or an adapter's stream), `item` the turn, inbound or record id within it.
    """

    chat: str
    item: str
    field: SealedField


class Vault(Protocol):
    """Seals and opens text. Pure computation, safe to call from any task.

    A wrapped key is stored beside the chat and is useless without the key-encryption key.
    """

    def new_key(self) -> bytes:
        """Make a fresh data key, wrapped."""
        ...

    def digest(self, *words: str) -> str:
        """Return 64 hex digits that stand for some words and that nobody without the keys can compute."""
        ...

    def seal(self, key: bytes, text: str, place: Place) -> bytes:
        """Encrypt text for one place with a wrapped key. Raises `KeyMissing`."""
        ...

    def open(self, key: bytes, blob: bytes, place: Place) -> str:
        """Decrypt a blob found at a place. Raises `KeyMissing`, `WrittenByNewer` or `SealBroken`.

        The last two name the place.
        """
        ...
