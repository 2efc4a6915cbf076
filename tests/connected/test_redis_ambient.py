"""Unaddressed messages on a real Valkey: unreadable, each with its own end, damage left out, outages named."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from bot.chat.ambient_redis import RedisAmbient
from bot.chat.memory_vault import EphemeralVault
from bot.errors import ContextUnavailable
from bot.store.redis_client import open_redis
from tests.contracts.test_ambient_contract import RECENT, heard
from tests.fixtures.remembered import a_chat
from tests.fixtures.valkey import RealServer

VAULT = EphemeralVault()
CHAT = a_chat(id="chat-canary", key=VAULT.new_key(), **RECENT)


@pytest.fixture
async def store(valkey_client: Redis) -> RedisAmbient:
    store = RedisAmbient(valkey_client, vault=VAULT)
    for number in range(3):
        await store.add(CHAT, replace(heard(number, f"canary {number}"), message=f"canary-{number}"))
    return store


async def _values(client: Redis) -> dict[bytes, bytes]:
    """Find the sealed messages, by their keys."""
    keys = [key async for key in client.scan_iter("chat:*:ambient:*")]
    return {key: await client.get(key) for key in keys}


async def _index(client: Redis) -> bytes:
    [key] = [key async for key in client.scan_iter("chat:*:ambient")]
    return key


async def test_nothing_readable_is_stored(store: RedisAmbient, valkey_client: Redis) -> None:
    """Neither the chat's id, nor who wrote, nor a word, nor a message's reference is in any key or value."""
    values, index = await _values(valkey_client), await _index(valkey_client)
    stored = [index, *values, *values.values(), *await valkey_client.zrange(index, 0, -1)]
    assert len(values) == 3
    assert not any(word in b"".join(stored) for word in (b"canary", b"Ann", b"p1"))


async def test_every_message_ends_by_itself(store: RedisAmbient, valkey_client: Redis) -> None:
    """A newer message does not keep an older one alive beyond the hours that the chat allows."""
    keys = [await _index(valkey_client), *await _values(valkey_client)]
    assert all([0 < await valkey_client.pttl(key) <= 2 * 3_600_000 for key in keys])
    old = next(iter(await _values(valkey_client)))
    await valkey_client.pexpire(old, 60_000)
    await store.add(CHAT, heard(9))
    assert await valkey_client.pttl(old) <= 60_000


async def test_a_message_that_ended_is_left_out(store: RedisAmbient, valkey_client: Redis) -> None:
    await valkey_client.delete(next(iter(await _values(valkey_client))))
    assert len(await store.read(CHAT)) == 2


async def test_an_edit_gives_no_more_time(store: RedisAmbient, valkey_client: Redis) -> None:
    for key in await _values(valkey_client):
        await valkey_client.pexpire(key, 60_000)
    await store.amend(CHAT, replace(heard(1), message="canary-1"))
    assert all([await valkey_client.pttl(key) <= 60_000 for key in await _values(valkey_client)])


async def test_a_damaged_message_and_one_in_anothers_place_are_left_out(
    store: RedisAmbient, valkey_client: Redis
) -> None:
    (first, one), (second, two), (third, _) = (await _values(valkey_client)).items()
    await valkey_client.set(first, two)
    await valkey_client.set(second, one[:-1] + bytes([one[-1] ^ 1]))
    [left] = await store.read(CHAT)
    await store.discard(CHAT, (left.message,))
    assert await valkey_client.get(third) is None


async def test_another_key_opens_nothing(store: RedisAmbient) -> None:
    """After forgetting a chat has another data key: what was heard before under the old one says nothing."""
    assert await store.read(replace(CHAT, key=VAULT.new_key())) == ()


async def test_dropping_leaves_no_key_but_the_mark(store: RedisAmbient, valkey_client: Redis) -> None:
    await store.drop(CHAT, deaf_s=5)
    [mark] = [key async for key in valkey_client.scan_iter("*")]
    assert mark.endswith(b":deaf")
    assert 0 < await valkey_client.pttl(mark) <= 5_000


@pytest.mark.parametrize("call", ["add", "amend", "read", "discard", "drop"])
async def test_a_stopped_server_is_a_named_error(own_valkey: RealServer, call: str) -> None:
    async with open_redis(own_valkey.url) as client:
        store = RedisAmbient(client, vault=VAULT)
        await store.add(CHAT, heard(1))
        own_valkey.stop()
        calls = {
            "add": lambda: store.add(CHAT, heard(1)),
            "amend": lambda: store.amend(CHAT, heard(1)),
            "read": lambda: store.read(CHAT),
            "discard": lambda: store.discard(CHAT, ("m1",)),
            "drop": lambda: store.drop(CHAT),
        }
        with pytest.raises(ContextUnavailable, match="Redis cannot be used now"):
            await calls[call]()
