"""The context cache on a real Valkey: unreadable, every damage a miss, every outage a named error."""

import logging
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.chat.context import Context
from bot.chat.memory_vault import EphemeralVault
from bot.chat.redis_context import RedisContext
from bot.errors import ContextUnavailable
from bot.store.redis_client import open_redis
from bot.telemetry.events import ContextDropped, Details
from bot.turns.model import Background, Summary
from tests.fixtures.remembered import a_chat, an_exchange
from tests.fixtures.valkey import RealServer

VAULT = EphemeralVault()
CHAT = a_chat(id="chat-canary", key=VAULT.new_key(), context_version=7)
CONTEXT = Context(
    version=7,
    context_from=0,
    exchanges=tuple(an_exchange(n, f"canary {n}", "canary") for n in range(3)),
    background=Background(card="canary", summary=Summary(ord=1, text="canary")),
)


def context_in(client: Redis) -> RedisContext:
    return RedisContext(client, vault=VAULT, names_key=b"k" * 32, ttl_s=60)


@pytest.fixture
async def store(valkey_client: Redis) -> RedisContext:
    store = context_in(valkey_client)
    await store.save(CHAT, CONTEXT)
    return store


async def _keys(client: Redis) -> dict[str, bytes]:
    """Find the chat's two keys, `head` and `log`."""
    keys = [key async for key in client.scan_iter("chat:*")]
    return {key.rsplit(b":", 1)[1].decode(): key for key in keys}


async def test_nothing_readable_is_stored(store: RedisContext, valkey_client: Redis):
    """Neither the chat's id nor a word of its exchanges is in any key or value."""
    await store.append(CHAT, an_exchange(9, "canary 9"), 8)
    keys = await _keys(valkey_client)
    head = await valkey_client.hgetall(keys["head"])
    stored = [*keys.values(), *head, *head.values(), *await valkey_client.lrange(keys["log"], 0, -1)]
    assert sorted(keys) == ["head", "log"]
    assert b"canary" not in b"".join(stored)


async def test_both_keys_expire(store: RedisContext, valkey_client: Redis):
    """Saving and appending give both keys their time to live."""
    for key in (await _keys(valkey_client)).values():
        await valkey_client.persist(key)
    await store.append(CHAT, an_exchange(9), 8)
    assert all([0 < await valkey_client.pttl(key) <= 60_000 for key in (await _keys(valkey_client)).values()])


async def _flip(client: Redis, keys: dict[str, bytes]) -> None:
    entry = bytearray(await client.lindex(keys["log"], 1))
    entry[-1] ^= 1
    await client.lset(keys["log"], 1, bytes(entry))


async def _swap(client: Redis, keys: dict[str, bytes]) -> None:
    first, second = await client.lrange(keys["log"], 0, 1)
    await client.lset(keys["log"], 0, second)
    await client.lset(keys["log"], 1, first)


async def _rename(client: Redis, keys: dict[str, bytes]) -> None:
    entry = await client.lindex(keys["log"], 2)
    await client.lset(keys["log"], 2, b"7" + entry[1:])


async def _lose_one(client: Redis, keys: dict[str, bytes]) -> None:
    await client.lpop(keys["log"])


async def _lose_log(client: Redis, keys: dict[str, bytes]) -> None:
    await client.delete(keys["log"])


async def _lose_field(client: Redis, keys: dict[str, bytes]) -> None:
    await client.hdel(keys["head"], "from")


async def _lose_background(client: Redis, keys: dict[str, bytes]) -> None:
    await client.hdel(keys["head"], "background")


async def _cut_background(client: Redis, keys: dict[str, bytes]) -> None:
    await client.hset(keys["head"], "background", (await client.hget(keys["head"], "background"))[:-1])


async def _take_an_entry_for_it(client: Redis, keys: dict[str, bytes]) -> None:
    entry = await client.lindex(keys["log"], 1)
    await client.hset(keys["head"], "background", entry.partition(b":")[2])


async def _garble(client: Redis, keys: dict[str, bytes]) -> None:
    await client.hset(keys["head"], "version", "x")


async def _retype(client: Redis, keys: dict[str, bytes]) -> None:
    await client.set(keys["log"], "x")


async def _retype_head(client: Redis, keys: dict[str, bytes]) -> None:
    await client.set(keys["head"], "x")


@pytest.mark.parametrize(
    "damage",
    [
        *(_flip, _swap, _rename, _lose_one, _lose_log, _lose_field, _garble, _retype, _retype_head),
        *(_lose_background, _cut_background, _take_an_entry_for_it),
    ],
    ids=lambda damage: damage.__name__.strip("_"),
)
async def test_damage_is_one_line_and_a_miss(store: RedisContext, valkey_client: Redis, caplog, damage):
    """Whatever is wrong with it, the entry is dropped, said once, and can be saved anew."""
    await damage(valkey_client, await _keys(valkey_client))
    with caplog.at_level(logging.WARNING):
        assert await store.load(CHAT) is None
        assert await store.load(CHAT) is None
    assert [record.getMessage().rpartition(":")[0] for record in caplog.records] == [
        "the cached context of chat chat-canary is dropped"
    ]
    assert await _keys(valkey_client) == {}
    await store.save(CHAT, CONTEXT)
    assert await store.load(CHAT) == CONTEXT


async def test_damage_is_one_event(valkey_client: Redis):
    events: list[Details] = []
    store = RedisContext(valkey_client, vault=VAULT, names_key=b"k" * 32, hooks=(events.append,))
    await store.save(CHAT, CONTEXT)
    await _flip(valkey_client, await _keys(valkey_client))
    assert [await store.load(CHAT) for _ in range(2)] == [None, None]
    assert events == [ContextDropped(chat_id=CHAT.id, error="SealBroken")]


async def test_a_log_that_lost_entries_takes_no_more(store: RedisContext, valkey_client: Redis):
    await _lose_one(valkey_client, await _keys(valkey_client))
    assert not await store.append(CHAT, an_exchange(9), 8)


async def test_another_chats_key_opens_nothing(store: RedisContext):
    """The same id under another data key is a miss, not somebody's words."""
    assert await store.load(replace(CHAT, key=VAULT.new_key())) is None


async def test_a_flushed_script_is_no_obstacle(store: RedisContext, valkey_client: Redis):
    await valkey_client.script_flush()
    assert await store.append(CHAT, an_exchange(9), 8)


@pytest.mark.parametrize("call", ["load", "save", "append", "drop"])
async def test_a_stopped_server_is_a_named_error(own_valkey: RealServer, call: str):
    async with open_redis(own_valkey.url) as client:
        store = context_in(client)
        await store.save(CHAT, CONTEXT)
        own_valkey.stop()
        calls = {
            "load": lambda: store.load(CHAT),
            "save": lambda: store.save(CHAT, CONTEXT),
            "append": lambda: store.append(CHAT, an_exchange(9), 8),
            "drop": lambda: store.drop(CHAT),
        }
        with pytest.raises(ContextUnavailable, match="Redis cannot be used now"):
            await calls[call]()
