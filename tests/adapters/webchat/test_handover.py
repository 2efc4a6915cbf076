"""Every message that stands is decided on by the core, whenever the process died; and the marks stay few."""

import asyncio
import json
from contextlib import suppress

import pytest

from adapters.base import Outcome, Receipt
from adapters.deciding import NoDecision
from adapters.records import RecordsUnavailable
from adapters.records_memory import MemoryRecordStore
from adapters.webchat.handover import QUIET_S, STREAM, Handover
from tests.fixtures.houses import HouseKit
from tests.fixtures.webchat import Chat, Refusal


class Sink:
    """The core's place: decides, or fails as long as it is told to."""

    def __init__(self):
        self.keys = []
        self.texts = []
        self.withdrawals = []
        self.failures = 0
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def _fail_if_told(self):
        await self.go_on.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("no commit")

    async def accept(self, event):
        await self._fail_if_told()
        known = event.event_key in self.keys
        self.keys.append(event.event_key)
        return Receipt(outcome=Outcome.DUPLICATE if known else Outcome.ACCEPTED, turn_id="t")

    async def stop(self, event):
        return Receipt(outcome=Outcome.DONE)

    async def edited(self, event):
        await self._fail_if_told()
        self.texts.append(event.inbound.text)
        return Receipt(outcome=Outcome.IGNORED)

    async def withdrawn(self, event):
        await self._fail_if_told()
        self.withdrawals.append(event.message)
        return Receipt(outcome=Outcome.DONE)


class DyingStore(MemoryRecordStore):
    """Records that are lost from the n-th write on, as for a process that is killed there."""

    writes_left = 10**9

    async def append(self, stream, key, body):
        self._count()
        return await super().append(stream, key, body)

    async def put(self, stream, key, body):
        self._count()
        return await super().put(stream, key, body)

    def _count(self):
        self.writes_left -= 1
        if self.writes_left < 0:
            raise RecordsUnavailable("killed")


class World(HouseKit):
    """A house with a handover, which can be started again."""

    def __init__(self, records=None):
        super().__init__(records=records)
        self.sink = Sink()
        self.decided = []
        self.handover = self.started()

    def started(self):
        """Start anew over the same records."""
        self.opened()
        self.handover = Handover(
            self.sink,
            self.records,
            self.house,
            lambda room, entry, receipt: self.decided.append(entry.ref),
            timeout_s=5,
            monotonic=self.clock.monotonic,
        )
        return self.handover

    async def hand_in(self, person, room, text="@assistant hi"):
        async with self.handover.saying(room.id):
            entry = await self.say(person, room, text)
            state = await self.house.room(person.id, room.id)
            await self.handover.accept(state, entry, None)
        return entry

    async def edit(self, person, room, ref, text):
        async with self.handover.saying(room.id) as after:
            await self.house.edit(person.id, room.id, ref, f"edit-{len(text)}", text)
            await self.handover.changed(room.id, ref, after)

    async def withdraw(self, person, room, ref):
        async with self.handover.saying(room.id) as after:
            await self.house.withdraw(person.id, room.id, ref)
            await self.handover.changed(room.id, ref, after)

    async def said(self, room):
        return [entry for entry in await self.house.since(room.id, 0, 1000) if entry.kind == "said"]

    async def marks(self):
        return {
            record.key: json.loads(record.body)["after"]
            for record in await self.records.after(STREAM, 0, 100)
        }

    def missed(self, room, entries):
        return [entry.text for entry in entries if f"{room.id}/{entry.ref}" not in self.sink.keys]


@pytest.mark.parametrize("writes", range(12))
async def test_whatever_write_the_process_died_at_no_message_that_stands_is_missed(writes):
    records = DyingStore()
    world = World(records)
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    records.writes_left = writes
    world.sink.failures = writes % 3
    for number in range(4):
        with suppress(NoDecision, RecordsUnavailable):
            await world.hand_in(ann, room, f"@assistant {number}")
        with suppress(RecordsUnavailable):
            await world.handover.sweep()
    records.writes_left, world.sink.failures = 10**9, 0
    await world.started()._caught_up()
    assert world.missed(room, await world.said(room)) == []


async def test_a_message_that_could_not_be_decided_on_is_handed_over_again_without_anybody_asking():
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    world.sink.failures = 2
    with pytest.raises(NoDecision):
        await world.hand_in(ann, room)
    assert not await world.handover._caught_up()
    assert await world.handover._caught_up()
    assert world.missed(room, await world.said(room)) == []
    assert len(world.sink.keys) == len(world.decided) == 1


async def test_only_the_first_message_of_a_quiet_room_costs_a_mark():
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    await world.hand_in(ann, room)
    first = (await world.records.latest(STREAM, 1))[0]
    for _ in range(5):
        await world.hand_in(ann, room)
    assert await world.records.latest(STREAM, 1) == [first]


async def test_a_mark_moves_up_to_what_is_decided_and_goes_when_the_room_is_quiet():
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    for _ in range(3):
        entry = await world.hand_in(ann, room)
    await world.handover.sweep()
    assert await world.marks() == {room.id: entry.pos}
    world.sink.failures = 1
    with pytest.raises(NoDecision):
        undecided = await world.hand_in(ann, room)
    world.clock.advance(QUIET_S + 1)
    await world.handover.sweep()
    undecided = (await world.said(room))[-1]
    assert await world.marks() == {room.id: undecided.pos - 1}
    await world.handover._caught_up()
    await world.handover.sweep()
    assert await world.marks() == {room.id: None}
    later = await world.hand_in(ann, room)
    assert await world.marks() == {room.id: later.pos - 1}


async def test_a_mark_stays_behind_a_message_on_its_way():
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    before = await world.house.end(room.id)
    async with world.handover.saying(room.id):
        await world.say(ann, room, "stored, not decided")
        world.clock.advance(QUIET_S + 1)
        await world.handover.sweep()
        assert await world.marks() == {room.id: before}


async def test_what_was_taken_back_is_not_handed_over_again():
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    world.sink.failures = 1
    with pytest.raises(NoDecision):
        await world.hand_in(ann, room)
    (entry,) = await world.said(room)
    await world.house.withdraw(ann.id, room.id, entry.ref)
    await world.started()._caught_up()
    assert world.sink.keys == []


@pytest.mark.parametrize("is_restarted", [False, True], ids=["same process", "restarted"])
@pytest.mark.parametrize("what", ["edit", "withdraw"])
async def test_a_change_that_the_core_could_not_take_is_told_again_by_itself(what, is_restarted):
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    ref = (await world.hand_in(ann, room, "@assistant one")).ref
    await world.handover.sweep()
    world.sink.failures = 1
    with pytest.raises(NoDecision):
        await (
            world.edit(ann, room, ref, "@assistant two") if what == "edit" else world.withdraw(ann, room, ref)
        )
    await world.handover.sweep()
    handover = world.started() if is_restarted else world.handover
    assert await handover._caught_up()
    assert (world.sink.texts, world.sink.withdrawals) == (
        (["@assistant two"], []) if what == "edit" else ([], [ref])
    )
    world.clock.advance(QUIET_S + 1)
    await handover.sweep()
    assert await world.marks() == {room.id: None}


async def test_a_withdrawal_while_the_message_is_on_its_way_is_told_after_it_and_keeps_nothing_open():
    world = World()
    ann = await world.guest("Ann")
    room, _ = await world.group(ann)
    world.sink.go_on.clear()
    world.sink.failures = 1
    saying = asyncio.create_task(world.hand_in(ann, room))
    while not (said := await world.said(room)):
        await asyncio.sleep(0)
    withdrawing = asyncio.create_task(world.withdraw(ann, room, said[0].ref))
    while not (await world.said(room))[0].withdrawn:
        await asyncio.sleep(0)
    world.sink.go_on.set()
    with pytest.raises(NoDecision):
        await saying
    await withdrawing
    assert await world.handover._caught_up()
    assert (world.sink.keys, world.sink.withdrawals) == ([], [said[0].ref])


async def test_after_a_restart_of_the_server_the_core_gets_what_it_could_not_take():
    chat = Chat()
    chat.sink.fails = True
    async with chat.running(), chat.guest("Ann") as ann:
        tab = await ann.open()
        room = tab.hello["rooms"][0]["id"]
        with pytest.raises(Refusal):
            await tab.say(room, "are you there?")
        await tab.close()
    chat.sink.fails = False
    async with chat.running(), asyncio.timeout(20):
        while not chat.sink.events:
            await asyncio.sleep(0.01)
    assert [event.text for event in chat.sink.events] == ["are you there?"]
