"""Contexts in Redis: ciphertext, under names that do not tell the chat, with a time to live."""

import hmac
import logging
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.chat.context import Context
from bot.chat.context_entry import background_from_wire, background_to_wire, from_wire, to_wire
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import ContextUnavailable, SealBroken, WrittenByNewer
from bot.store.redis_errors import redis_call
from bot.telemetry.events import ContextDropped, Hooks, emit
from bot.turns.model import Background, Chat, Exchange

logger = logging.getLogger(__name__)

#: What redis-py takes as a field or value; its mappings are invariant.
_Scalar = bytes | bytearray | memoryview | str | int | float
#: Where the background is sealed; an exchange is sealed under its `ord`.
_BACKGROUND = "background"
_APPEND = Path(__file__).with_name("append_context.lua")


class RedisContext:
    """The `ContextStore` over one Redis or Valkey; it closes no client, and wants one that returns bytes.

    `chat:{h}:head` is a hash of version, beginning, number of exchanges, last `ord` and the sealed background.
    `chat:{h}:log` is a list with one sealed exchange an entry. `h` is a keyed hash of the chat's id. Nothing is
    retried here.
    """

    def __init__(
        self,
        client: Redis,
        *,
        vault: Vault,
        names_key: bytes,
        ttl_s: float = 86_400.0,
        call_timeout_s: float = 1.0,
        hooks: Hooks = (),
    ) -> None:
        """Keep the client; `names_key` is the key ring's `Subkey.CACHE_NAMES`."""
        self._client = client
        self._vault = vault
        self._names_key = names_key
        self._ttl_ms = int(ttl_s * 1000)
        self._call_timeout_s = call_timeout_s
        self._hooks = hooks
        self._append = client.register_script(_APPEND.read_text(encoding="utf-8"))

    async def load(self, chat: Chat) -> Context | None:
        """Return what is cached; what cannot be read is dropped, with one event and one line in the log."""
        try:
            head, log = await self._read(chat)
            return self._opened(chat, head, log) if head else None
        except (SealBroken, WrittenByNewer, ValueError, KeyError, ResponseError) as exc:
            logger.warning("the cached context of chat %s is dropped: %s", chat.id, type(exc).__name__)
            emit(self._hooks, ContextDropped(chat_id=chat.id, error=type(exc).__name__))
        await self.drop(chat)
        return None

    async def save(self, chat: Chat, context: Context) -> None:
        """Replace what is cached, in one transaction."""
        head, log = self._keys(chat)
        fields: dict[_Scalar, _Scalar] = {
            "version": context.version,
            "from": context.context_from,
            "count": len(context.exchanges),
            "last": context.exchanges[-1].ord if context.exchanges else -1,
            "background": self._sealed_background(chat, context.background),
        }
        entries = [self._sealed(chat, exchange) for exchange in context.exchanges]
        async with redis_call(ContextUnavailable, self._call_timeout_s), self._client.pipeline() as step:
            step.delete(head, log)
            step.hset(head, mapping=fields)
            step.pexpire(head, self._ttl_ms)
            if entries:
                step.rpush(log, *entries)
                step.pexpire(log, self._ttl_ms)
            await step.execute()

    async def append(self, chat: Chat, exchange: Exchange, version: int) -> bool:
        """Add an exchange to the version it follows, in one step on the server."""
        expected = (chat.context_version, chat.context_from)
        args = (*expected, version, exchange.ord, self._sealed(chat, exchange), self._ttl_ms)
        async with redis_call(ContextUnavailable, self._call_timeout_s):
            return bool(await self._append(keys=self._keys(chat), args=args))

    async def drop(self, chat: Chat) -> None:
        """Forget a chat."""
        async with redis_call(ContextUnavailable, self._call_timeout_s):
            await self._client.delete(*self._keys(chat))

    async def _read(self, chat: Chat) -> tuple[dict[bytes, bytes], list[bytes]]:
        head, log = self._keys(chat)
        async with redis_call(ContextUnavailable, self._call_timeout_s), self._client.pipeline() as step:
            step.hgetall(head)
            step.lrange(log, 0, -1)
            found: list[Any] = await step.execute()
        return found[0], found[1]

    def _opened(self, chat: Chat, head: dict[bytes, bytes], log: list[bytes]) -> Context:
        version, begins, count, last = (
            int(head[field]) for field in (b"version", b"from", b"count", b"last")
        )
        exchanges = tuple(self._exchange(chat, entry) for entry in log)
        ords = [begins - 1, *(exchange.ord for exchange in exchanges)]
        if count != len(exchanges) or ords != sorted(set(ords)) or (exchanges and ords[-1] != last):
            raise ValueError("exchanges are missing or out of order")
        background = self._background(chat, head[b"background"])
        return Context(version=version, context_from=begins, exchanges=exchanges, background=background)

    def _background(self, chat: Chat, blob: bytes) -> Background:
        return background_from_wire(self._vault.open(chat.key, blob, _place(chat, _BACKGROUND)))

    def _sealed_background(self, chat: Chat, background: Background) -> bytes:
        return self._vault.seal(chat.key, background_to_wire(background), _place(chat, _BACKGROUND))

    def _exchange(self, chat: Chat, entry: bytes) -> Exchange:
        # The ord stands before the seal in clear and in its associated data: an entry opens only as itself.
        position, _, blob = entry.partition(b":")
        exchange = from_wire(self._vault.open(chat.key, blob, _place(chat, str(int(position)))))
        if exchange.ord != int(position):
            raise ValueError("an exchange is not the one its entry names")
        return exchange

    def _sealed(self, chat: Chat, exchange: Exchange) -> bytes:
        blob = self._vault.seal(chat.key, to_wire(exchange), _place(chat, str(exchange.ord)))
        return b"%d:%b" % (exchange.ord, blob)

    def _keys(self, chat: Chat) -> tuple[str, str]:
        name = hmac.digest(self._names_key, chat.id.encode(), "sha256").hex()[:32]
        return f"chat:{{{name}}}:head", f"chat:{{{name}}}:log"


def _place(chat: Chat, item: str) -> Place:
    return Place(chat=chat.id, item=item, field=SealedField.CONTEXT)
