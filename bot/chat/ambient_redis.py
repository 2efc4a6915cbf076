"""Unaddressed messages in Redis: ciphertext under names that do not tell the chat, each with its own time to live."""

import hmac
import logging
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bot.chat.ambient import Heard
from bot.chat.ambient_entry import from_wire, to_wire
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import ContextUnavailable, VaultError, WrittenByNewer
from bot.store.redis_errors import redis_call
from bot.turns.model import Chat

logger = logging.getLogger(__name__)

_HOUR_MS = 3_600_000
_ADD = Path(__file__).with_name("ambient_add.lua")


class RedisAmbient:
    """The `AmbientStore` over one Redis or Valkey; it closes no client, and wants one that returns bytes.

    `chat:{h}:ambient` is a sorted set of names by when they were heard, `chat:{h}:ambient:{name}` one sealed
    message, and `chat:{h}:deaf` stands while nothing is remembered. `h` is a hash of the chat's id, a name one of
    the message's reference under it: a gateway and a worker that were started in different key epochs must find
    the same. A message that is still in the set may have gone: its time was over.
    """

    def __init__(self, client: Redis, *, vault: Vault, call_timeout_s: float = 1.0) -> None:
        """Keep the client."""
        self._client = client
        self._vault = vault
        self._call_timeout_s = call_timeout_s
        self._add = client.register_script(_ADD.read_text(encoding="utf-8"))

    async def add(self, chat: Chat, heard: Heard) -> None:
        """Remember a message, in one step on the server."""
        name, index = _name(chat, heard.message), _index(chat)
        keys = (index, _deaf(chat), f"{index}:{name}")
        at_us = int(heard.at.timestamp() * 1_000_000)
        ttl_ms = chat.recent_hours * _HOUR_MS
        args = (name, at_us, self._sealed(chat, name, heard), chat.recent_messages, ttl_ms)
        async with redis_call(ContextUnavailable, self._call_timeout_s):
            if gone := await self._add(keys=keys, args=args):
                await self._client.delete(*(f"{index}:{one.decode()}" for one in gone))

    async def amend(self, chat: Chat, heard: Heard) -> None:
        """Give a message that is remembered another text; it keeps its place and its time to live."""
        name, index = _name(chat, heard.message), _index(chat)
        async with redis_call(ContextUnavailable, self._call_timeout_s):
            blob: Any = await self._client.get(f"{index}:{name}")
            before = self._opened(chat, name, blob) if blob is not None else None
            if before is None:
                return
            kept = Heard(
                message=heard.message,
                sender_id=heard.sender_id,
                sender_name=heard.sender_name,
                text=heard.text,
                at=before.at,
            )
            await self._client.set(f"{index}:{name}", self._sealed(chat, name, kept), xx=True, keepttl=True)

    async def read(self, chat: Chat) -> tuple[Heard, ...]:
        """Return what is remembered, oldest first."""
        index = _index(chat)
        async with redis_call(ContextUnavailable, self._call_timeout_s):
            names = await self._names(index)
            blobs: list[Any] = await self._client.mget([f"{index}:{name}" for name in names]) if names else []
        pairs = zip(names, blobs, strict=True)
        found = (self._opened(chat, name, blob) for name, blob in pairs if blob is not None)
        return tuple(one for one in found if one is not None)

    async def discard(self, chat: Chat, messages: tuple[str, ...]) -> None:
        """Forget some messages."""
        if not messages:
            return
        names, index = [_name(chat, message) for message in messages], _index(chat)
        async with redis_call(ContextUnavailable, self._call_timeout_s), self._client.pipeline() as step:
            step.zrem(index, *names)
            step.delete(*(f"{index}:{name}" for name in names))
            await step.execute()

    async def drop(self, chat: Chat, *, deaf_s: float = 0.0) -> None:
        """Forget all of a chat; the mark stands before anything is looked for, so that nothing slips in behind."""
        index = _index(chat)
        async with redis_call(ContextUnavailable, self._call_timeout_s):
            if deaf_s > 0:
                await self._client.set(_deaf(chat), b"1", px=int(deaf_s * 1000))
            names = await self._names(index)
            await self._client.delete(index, *(f"{index}:{name}" for name in names))

    async def _names(self, index: str) -> list[str]:
        names: list[Any] = await self._client.zrange(index, 0, -1)
        return [name.decode() for name in names]

    def _opened(self, chat: Chat, name: str, blob: bytes) -> Heard | None:
        try:
            return from_wire(self._vault.open(chat.key, blob, _place(chat, name)))
        except (VaultError, WrittenByNewer, ValueError) as exc:
            logger.warning("a remembered message of chat %s is left out: %s", chat.id, type(exc).__name__)
            return None

    def _sealed(self, chat: Chat, name: str, heard: Heard) -> bytes:
        return self._vault.seal(chat.key, to_wire(heard), _place(chat, name))


def _index(chat: Chat) -> str:
    return f"chat:{{{_hashed(chat, 'chat')}}}:ambient"


def _deaf(chat: Chat) -> str:
    return f"chat:{{{_hashed(chat, 'chat')}}}:deaf"


def _name(chat: Chat, message: str) -> str:
    return _hashed(chat, f"message {message}")


def _hashed(chat: Chat, text: str) -> str:
    encoded = text.encode("utf-8", "surrogatepass")
    return hmac.digest(chat.id.encode(), encoded, "sha256").hex()[:32]


def _place(chat: Chat, name: str) -> Place:
    return Place(chat=chat.id, item=name, field=SealedField.AMBIENT)
