"""Telling everybody at once: nobody slow delays anybody, and nobody who is no member hears anything."""

import asyncio
import json

import pytest

from adapters.base import LivePhase, LiveSnapshot
from adapters.webchat.catch_up import MOST_BEHIND
from adapters.webchat.close_codes import CloseCode
from adapters.webchat.history import RoomHistory
from adapters.webchat.hub import Hub
from adapters.webchat.pump import HIGH_WATER_BYTES, Pump, TooSlow
from tests.fixtures.houses import HouseKit

pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")


class Wire(asyncio.WriteTransport):
    """A connection whose reader a test stops and starts."""

    def __init__(self):
        super().__init__()
        self.frames = []
        self.unread_bytes = 0
        self.is_reading = True
        self.closed = None

    def write(self, data):
        self.frames.append(json.loads(data[data.index(b"{") :]))
        if not self.is_reading:
            self.unread_bytes += len(data)

    def get_write_buffer_size(self):
        return 0 if self.is_reading else self.unread_bytes

    def is_closing(self):
        return self.closed is not None

    def close_with(self, code, why):
        self.closed = code

    def positions(self, room):
        told = [frame for frame in self.frames if frame["event"] == "entries" and frame["room"] == room]
        return [entry["pos"] for frame in told for entry in frame["entries"]]


class World(HouseKit):
    """A house and its hub, with connections that a test holds in its hands."""

    def __init__(self):
        super().__init__()
        self.hub = Hub(
            self.house,
            lambda markdown: [["p", markdown]],
            lambda: lambda markdown: [["p", markdown]],
            write_timeout_s=30.0,
            monotonic=self.clock.monotonic,
        )

    async def connected(self, person, room, cursor=None):
        wire = Wire()
        pump = Pump(person.id, wire, wire.close_with)
        self.hub.add(pump)
        await self.hub.open(pump, room.id)
        end = await self.house.end(room.id)
        self.hub.seat(pump, room.id, end if cursor is None else cursor, end)
        return pump, wire

    async def said(self, person, room, text="hello"):
        entry = await self.say(person, room, text)
        self.hub.publish(room.id, entry)
        return entry.pos

    async def round(self):
        """Let everything that is under way come to its end."""
        for _ in range(20):
            await asyncio.sleep(0)
        await self.hub.hold_round()
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
async def world():
    world = World()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(world.hub.run())
        await asyncio.sleep(0)
        yield world
        running.cancel()


async def test_everybody_hears_everything_once_in_order(world):
    ann = await world.guest("Ann")
    room, (bob,) = await world.group(ann, "Bob")
    wires = [(await world.connected(person, room))[1] for person in (ann, ann, bob)]
    said = []
    for burst in (1, 5, 2):
        said += [await world.said(ann, room) for _ in range(burst)]
        await world.round()
    assert [wire.positions(room.id) for wire in wires] == [said] * 3


async def test_what_was_said_together_comes_in_one_frame(world):
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    _, wire = await world.connected(ann, room)
    await world.round()
    for _ in range(10):
        await world.said(ann, room)
    await world.hub.hold_round()
    assert [len(frame["entries"]) for frame in wire.frames if frame["event"] == "entries"] == [10]


async def test_nobody_hears_a_room_they_are_not_seated_in_or_no_member_of(world):
    ann, eve = await world.guest("Ann"), await world.guest("Eve")
    room, (bob,) = await world.group(ann, "Bob")
    _, eves = await world.connected(eve, room)
    bobs_pump, bobs = await world.connected(bob, room)
    await world.house.leave(bob.id, room.id)
    world.hub.rooms[room.id].state = await world.house.place(room.id)
    await world.said(ann, room)
    await world.round()
    world.hub.tell_room(world.hub.rooms[room.id], b'{"event":"x"}')
    assert eves.frames == bobs.frames == []
    assert bobs_pump.cursors


async def test_an_entry_that_was_missed_on_the_way_is_read_from_the_store(world):
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    _, wire = await world.connected(ann, room)
    await world.round()
    first = await world.say(ann, room, "never published")
    second = await world.said(ann, room)
    await world.round()
    await world.round()
    assert wire.positions(room.id) == [first.pos, second]


async def test_a_slow_reader_delays_nobody_is_sent_no_more_and_goes_on_where_it_was(world):
    ann = await world.guest("Ann")
    room, (bob,) = await world.group(ann, "Bob")
    pump, slow = await world.connected(bob, room)
    _, quick = await world.connected(ann, room)
    slow.is_reading = False
    said = []
    for _ in range(MOST_BEHIND - 10):
        said.append(await world.said(ann, room, "x" * 2_000))
        await world.round()
    assert quick.positions(room.id) == said
    assert HIGH_WATER_BYTES < slow.unread_bytes < HIGH_WATER_BYTES + 10_000
    slow.is_reading = True
    world.hub.look_at_slow()
    for _ in range(20):
        await world.round()
    assert slow.positions(room.id) == said
    assert pump.slow_since_s is None


async def test_a_reader_that_was_slow_for_too_many_entries_is_told_to_read_the_newest_page(world):
    ann = await world.guest("Ann")
    room, (bob,) = await world.group(ann, "Bob")
    _, slow = await world.connected(bob, room)
    slow.is_reading, slow.unread_bytes = False, HIGH_WATER_BYTES + 1
    for _ in range(MOST_BEHIND + 10):
        await world.said(ann, room)
    await world.round()
    slow.is_reading = True
    world.hub.look_at_slow()
    await world.round()
    last = await world.said(ann, room)
    await world.round()
    assert [frame["event"] for frame in slow.frames] == ["reset", "entries"]
    assert slow.positions(room.id) == [last]


@pytest.mark.parametrize(("waited_s", "code"), [(29, None), (31, CloseCode.TOO_SLOW)])
async def test_who_never_reads_is_let_go(world, waited_s, code):
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    _, wire = await world.connected(ann, room)
    wire.is_reading, wire.unread_bytes = False, HIGH_WATER_BYTES + 1
    await world.said(ann, room)
    await world.hub.hold_round()
    world.clock.advance(waited_s)
    world.hub.look_at_slow()
    assert wire.closed == code


async def test_waiting_for_a_reader_ends(world):
    wire = Wire()
    wire.is_reading, wire.unread_bytes = False, HIGH_WATER_BYTES + 1
    with pytest.raises(TooSlow):
        await Pump("p", wire, wire.close_with).drained(0.05)
    wire.closed = 1
    await Pump("p", wire, wire.close_with).drained(0.05)


async def test_a_room_with_nobody_in_it_is_let_go(world):
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    pump, _ = await world.connected(ann, room)
    await world.round()
    world.hub.drop(pump)
    assert not world.hub.rooms
    assert not world.hub.people


def snapshot(room, text, number, phase=LivePhase.STREAMING):
    return LiveSnapshot(
        turn_id="t",
        account="local",
        conversation=room.id,
        reply_to="m",
        phase=phase,
        text=text,
        number=number,
    )


async def test_a_growing_reply_is_shown_from_wherever_somebody_is_and_ends_for_all(world):
    ann = await world.guest("Ann")
    room, (bob,) = await world.group(ann, "Bob")
    _, early = await world.connected(ann, room)
    live = world.hub.rooms[room.id].live
    live.show(snapshot(room, "a", 1))
    world.hub.wake(room.id)
    await world.round()
    _, late = await world.connected(bob, room)
    live.show(snapshot(room, "a b", 2))
    world.hub.wake(room.id)
    await world.round()
    live.show(snapshot(room, "", 3, LivePhase.ENDED))
    world.hub.wake(room.id)
    await world.round()
    told = [[frame for frame in wire.frames if frame["event"] == "live"] for wire in (early, late)]
    assert [frame.get("blocks") for frame in told[0]] == [[["p", "a"]], [["p", "a b"]], None]
    assert [frame.get("blocks") for frame in told[1]][-2:] == [[["p", "a b"]], None]
    assert told[0][-1]["phase"] == told[1][-1]["phase"] == "ended"


async def test_the_stored_reply_comes_before_the_end_of_what_was_live(world):
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    _, wire = await world.connected(ann, room)
    live = world.hub.rooms[room.id].live
    live.show(snapshot(room, "a", 1))
    world.hub.wake(room.id)
    await world.round()
    live.settle(("m",), for_good=True)
    await world.said(ann, room)
    await world.round()
    assert [frame.get("phase", frame["event"]) for frame in wire.frames] == ["streaming", "entries", "ended"]


async def test_after_something_is_forgotten_everybody_begins_anew(world):
    ann = await world.guest("Ann")
    room, (bob,) = await world.group(ann, "Bob")
    (_, wire), (late, late_wire) = await world.connected(ann, room), await world.connected(bob, room)
    late_wire.is_reading = False
    late.write(b"x" * (HIGH_WATER_BYTES + 1) + b"{}")
    await world.said(bob, room, "walrus")
    shown = []
    world.hub.show_anew = shown.append
    history = RoomHistory(world.house, world.hub.begin_anew)
    await history.forget_person(room.id, bob.id, world.clock.now())
    late_wire.is_reading = True
    wire.frames.clear()
    late_wire.frames.clear()
    world.hub.begin_anew(room.id)
    position = await world.said(ann, room, "after")
    await world.round()
    assert shown == [room.id, room.id]
    for one in (wire, late_wire):
        assert one.frames[0] == {"event": "reset", "room": room.id}
        assert one.positions(room.id) == [position]
        assert "walrus" not in json.dumps(one.frames)
