"""What every live bus promises: in memory and over real servers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from adapters.base import ConversationKind, LivePhase, LiveSnapshot
from bot.chat.memory_vault import EphemeralVault
from bot.turns.live import LiveBus, StopSignal
from bot.turns.live_memory import MemoryLiveBus
from bot.turns.live_redis import RedisLiveBus
from bot.turns.model import Chat
from tests.fixtures.clocks import ManualClock
from tests.fixtures.valkey import emptied

VAULT = EphemeralVault()
KEEP_S = 0.5


@dataclass
class Subject:
    """A bus, one that forgets sooner, and its clock."""

    bus: LiveBus
    forgetful: LiveBus
    clock: ManualClock

    async def pass_s(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(seconds)  # a server's clock moves by itself


@pytest.fixture(params=["memory", "valkey", "redis"])
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    clock = ManualClock()
    if request.param == "memory":
        yield Subject(MemoryLiveBus(clock), MemoryLiveBus(clock, keep_s=KEEP_S), clock)
        return
    async with emptied(request.getfixturevalue(f"{request.param}_server").url) as client:
        forgetful = RedisLiveBus(client, VAULT, shard="forgetful", keep_s=KEEP_S)
        yield Subject(RedisLiveBus(client, VAULT), forgetful, clock)


def chat(adapter: str = "terminal") -> Chat:
    return Chat(
        id="chat-1",
        adapter=adapter,
        account="here",
        conversation="family",
        kind=ConversationKind.GROUP,
        key=VAULT.new_key(),
        context_version=1,
        context_from=0,
    )


def snapshot(number: int, *, turn: str = "turn-1", phase: LivePhase = LivePhase.STREAMING) -> LiveSnapshot:
    return LiveSnapshot(
        turn_id=turn,
        account="here",
        conversation="family",
        reply_to="m1",
        phase=phase,
        text="Grüße, \x00 und 🙂" * number,
        number=number,
    )


async def receive(iterator: AsyncIterator, count: int) -> list:
    async with asyncio.timeout(10):
        return [await anext(iterator) for _ in range(count)]


async def received_until_ring(bus: LiveBus, iterator: AsyncIterator) -> list:
    """Everything that came before a ring sent now."""
    await bus.ring("terminal")
    found = []
    async with asyncio.timeout(10):
        async for item in iterator:
            if item is None:
                return found
            found.append(item)
    return found


async def test_a_snapshot_arrives_as_it_was_published(subject):
    async with subject.bus.snapshots("terminal") as snapshots:
        await subject.bus.publish(chat(), snapshot(1))
        assert await receive(snapshots, 1) == [snapshot(1)]


async def test_every_listener_gets_every_snapshot_in_order(subject):
    async with subject.bus.snapshots("terminal") as one, subject.bus.snapshots("terminal") as two:
        for number in range(1, 6):
            await subject.bus.publish(chat(), snapshot(number))
        expected = [snapshot(number) for number in range(1, 6)]
        assert await receive(one, 5) == expected
        assert await receive(two, 5) == expected


async def test_numbers_as_large_as_tokens_keep_their_order(subject):
    """Takes count on from their token, in microseconds since 1970."""
    large = 1_795_000_000_000_000
    async with subject.bus.snapshots("terminal") as snapshots:
        for number in (large, large + 1, large):
            await subject.bus.publish(chat(), _numbered(large, number))
        assert [item.number for item in await received_until_ring(subject.bus, snapshots)] == [
            large,
            large + 1,
        ]


def _numbered(_: int, number: int) -> LiveSnapshot:
    return LiveSnapshot(
        turn_id="t", account="a", conversation="c", reply_to="m", phase=LivePhase.STREAMING, number=number
    )


async def test_stale_numbers_are_dropped(subject):
    async with subject.bus.snapshots("terminal") as snapshots:
        for number in (2, 1, 2, 3):
            await subject.bus.publish(chat(), snapshot(number))
        assert await received_until_ring(subject.bus, snapshots) == [snapshot(2), snapshot(3)]


async def test_a_late_listener_gets_the_newest_of_each_turn_once(subject):
    for turn in ("turn-1", "turn-2"):
        for number in (1, 2, 3):
            await subject.bus.publish(chat(), snapshot(number, turn=turn))
    async with subject.bus.snapshots("terminal") as snapshots:
        found = await received_until_ring(subject.bus, snapshots)
    assert sorted(found, key=lambda item: item.turn_id) == [snapshot(3), snapshot(3, turn="turn-2")]


async def test_a_late_listener_gets_nothing_of_an_ended_turn(subject):
    await subject.bus.publish(chat(), snapshot(1))
    await subject.bus.publish(chat(), snapshot(2, phase=LivePhase.ENDED))
    await subject.bus.publish(chat(), snapshot(1))
    async with subject.bus.snapshots("terminal") as snapshots:
        assert await received_until_ring(subject.bus, snapshots) == []


async def test_snapshots_are_not_kept_for_ever(subject):
    """A turn that goes on does not keep the others alive."""
    await subject.forgetful.publish(chat(), snapshot(1))
    await subject.pass_s(KEEP_S * 1.5)
    await subject.forgetful.publish(chat(), snapshot(1, turn="turn-2"))
    async with subject.forgetful.snapshots("terminal") as snapshots:
        assert await received_until_ring(subject.forgetful, snapshots) == [snapshot(1, turn="turn-2")]


async def test_adapters_do_not_see_each_other(subject):
    async with subject.bus.snapshots("terminal") as snapshots:
        await subject.bus.publish(chat("webchat"), snapshot(1))
        await subject.bus.ring("webchat")
        assert await received_until_ring(subject.bus, snapshots) == []


async def test_a_ring_arrives_as_none(subject):
    async with subject.bus.snapshots("terminal") as snapshots:
        await subject.bus.ring("terminal")
        assert await receive(snapshots, 1) == [None]


async def test_stops_reach_every_worker(subject):
    async with subject.bus.stops() as one, subject.bus.stops() as two:
        await subject.bus.signal_stop("turn-9")
        assert await receive(one, 1) == [StopSignal(turn_id="turn-9")]
        assert await receive(two, 1) == [StopSignal(turn_id="turn-9")]


async def test_publishing_to_nobody_is_fine(subject):
    await subject.bus.publish(chat(), snapshot(1))
    await subject.bus.ring("terminal")
    await subject.bus.signal_stop("turn-9")


async def test_a_cancelled_listener_leaves_the_bus_usable(subject):
    async def listen() -> None:
        async with subject.bus.snapshots("terminal") as snapshots:
            listening.set()
            await receive(snapshots, 1)

    listening = asyncio.Event()
    task = asyncio.create_task(listen())
    await listening.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with subject.bus.snapshots("terminal") as snapshots:
        await subject.bus.publish(chat(), snapshot(1))
        assert await receive(snapshots, 1) == [snapshot(1)]


async def test_who_comes_late_gets_nothing_of_a_forgotten_turn(subject):
    """The others' snapshots stay; forgetting again, or what was never there, does no harm."""
    for turn in ("turn-1", "turn-2"):
        await subject.bus.publish(chat(), snapshot(1, turn=turn))
    await subject.bus.forget("terminal", ["turn-1", "turn-9"])
    await subject.bus.forget("terminal", ["turn-1"])
    await subject.bus.forget("terminal", [])
    async with subject.bus.snapshots("terminal") as snapshots:
        found = await received_until_ring(subject.bus, snapshots)
    assert [item.turn_id for item in found] == ["turn-2"]
