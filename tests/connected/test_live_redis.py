"""What only the live bus over a real server can get wrong: secrecy, lost connections, garbage."""

import asyncio
import logging
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from adapters.base import ConversationKind, LivePhase, LiveSnapshot
from bot.chat.memory_vault import EphemeralVault
from bot.errors import VaultError
from bot.store.redis_client import open_redis
from bot.turns.live import StopSignal
from bot.turns.live_redis import RedisLiveBus
from bot.turns.live_wire import (
    Ring,
    SealedSnapshot,
    UnreadableLive,
    open_snapshot,
    read_live,
    seal_snapshot,
    stop_from_wire,
    stop_to_wire,
)
from bot.turns.model import Chat
from tests.fixtures.valkey import RealServer

VAULT = EphemeralVault()
CHAT = Chat(
    id="chat-1",
    adapter="terminal",
    account="here",
    conversation="family",
    kind=ConversationKind.GROUP,
    key=VAULT.new_key(),
    context_version=1,
    context_from=0,
)


def snapshot(number: int, text: str = "") -> LiveSnapshot:
    return LiveSnapshot(
        turn_id="turn-1",
        account="here",
        conversation="family",
        reply_to="m1",
        phase=LivePhase.STREAMING,
        text=text,
        number=number,
    )


async def test_redis_never_sees_what_is_said_or_where(valkey_client: Redis):
    bus = RedisLiveBus(valkey_client, VAULT)
    async with valkey_client.pubsub() as spy:
        await spy.psubscribe("*")
        await spy.get_message(timeout=5)
        await bus.publish(CHAT, snapshot(1, "canary-text"))
        heard = await spy.get_message(timeout=5)
    kept = await valkey_client.hgetall("{aside}:live:of:terminal:kept")
    assert kept
    for canary in (b"canary", b"family", b"here"):
        assert canary not in heard["data"]
        assert canary not in b"".join(kept.values())


async def test_what_is_kept_goes_with_time(valkey_client: Redis):
    await RedisLiveBus(valkey_client, VAULT).publish(CHAT, snapshot(1))
    keys = await valkey_client.keys()
    assert len(keys) == 2
    for key in keys:
        assert 0 < await valkey_client.pttl(key) <= 60_000


async def test_a_listener_outlives_a_restart_of_the_server(own_valkey: RealServer):
    """After it: a None, for rings may have been missed, what is kept, and then what is published."""
    async with open_redis(own_valkey.url) as client:
        bus = RedisLiveBus(client, VAULT)
        async with bus.snapshots("terminal") as snapshots, bus.stops() as stops:
            await bus.publish(CHAT, snapshot(1))
            assert await anext(snapshots) == snapshot(1)
            own_valkey.stop()
            await bus.publish(CHAT, snapshot(2))
            own_valkey.start()
            async with asyncio.timeout(20):
                assert await anext(snapshots) is None
                await bus.publish(CHAT, snapshot(3))
                assert await anext(snapshots) == snapshot(3)
                assert await _next_stop(bus, stops) == StopSignal(turn_id="turn-1")


async def _next_stop(bus: RedisLiveBus, stops):
    """Signal until it is heard: nobody tells when the worker's side is connected again."""
    heard = asyncio.ensure_future(anext(stops))
    while not heard.done():
        await bus.signal_stop("turn-1")
        await asyncio.wait([heard], timeout=0.05)
    return await heard


async def test_a_snapshot_published_while_a_listener_reconnects_is_not_lost(own_valkey: RealServer):
    async with open_redis(own_valkey.url) as client, open_redis(own_valkey.url) as other:
        bus = RedisLiveBus(client, VAULT)
        async with bus.snapshots("terminal") as snapshots:
            await other.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            await bus.publish(CHAT, snapshot(7))
            async with asyncio.timeout(20):
                assert snapshot(7) in [await anext(snapshots), await anext(snapshots)]


async def test_a_bus_without_a_server_drops_and_says_so_once(own_valkey: RealServer, caplog):
    own_valkey.stop()
    caplog.set_level(logging.INFO)
    async with open_redis(own_valkey.url) as client:
        bus = RedisLiveBus(client, VAULT)
        for number in range(3):
            await bus.publish(CHAT, snapshot(number))
        await bus.ring("terminal")
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        own_valkey.start()
        await bus.ring("terminal")
        await bus.ring("terminal")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_listening_can_begin_before_the_server(own_valkey: RealServer):
    own_valkey.stop()
    async with open_redis(own_valkey.url) as client:
        bus = RedisLiveBus(client, VAULT)
        async with bus.snapshots("terminal") as snapshots:
            own_valkey.start()
            await bus.publish(CHAT, snapshot(4))
            async with asyncio.timeout(20):
                assert snapshot(4) in [await anext(snapshots), await anext(snapshots)]


async def test_garbage_on_the_channel_is_dropped(valkey_client: Redis):
    bus = RedisLiveBus(valkey_client, VAULT)
    moved = SealedSnapshot(chat_id="chat-2", turn_id="turn-1", key=CHAT.key, blob=b"x" * 40).to_wire()
    async with bus.snapshots("terminal") as snapshots:
        for payload in (b"\xff\x00", b"[]", b'{"v": 9}', b'{"v": 1, "kind": "snapshot"}', moved):
            await valkey_client.publish("{aside}:live:of:terminal", payload)
        await bus.publish(CHAT, snapshot(1))
        assert await anext(snapshots) == snapshot(1)


def test_a_snapshot_opens_only_for_its_chat_and_turn():
    sealed = seal_snapshot(VAULT, CHAT, snapshot(1))
    moved = SealedSnapshot(chat_id="chat-2", turn_id=sealed.turn_id, key=sealed.key, blob=sealed.blob)
    with pytest.raises(VaultError):
        open_snapshot(VAULT, moved)


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])), number=st.integers(min_value=0, max_value=2**53)
)
def test_the_wire_gives_back_what_it_took(text, number):
    sealed = seal_snapshot(VAULT, CHAT, snapshot(number, text))
    read = read_live(sealed.to_wire())
    assert read == sealed
    assert open_snapshot(VAULT, sealed) == snapshot(number, text)
    assert read_live(Ring().to_wire()) == Ring()
    assert stop_from_wire(stop_to_wire(StopSignal(turn_id=text))) == StopSignal(turn_id=text)


@given(
    payload=st.one_of(
        st.binary(),
        st.text(st.characters(exclude_categories=["Cs"])).map(str.encode),
        st.from_regex(rb'\{"v": ?1, "kind": "[a-z]+"\}'),
    )
)
def test_no_payload_raises_anything_else(payload):
    for read in (read_live, stop_from_wire):
        with suppress(UnreadableLive):
            read(payload)
