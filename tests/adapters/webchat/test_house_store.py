"""The house over the stores it is run on, and over one that fails."""

from collections.abc import AsyncIterator, Callable

import pytest

from adapters.records import RecordStore, RecordsUnavailable
from adapters.records_memory import MemoryRecordStore
from adapters.webchat.house import EntryKind, House
from bot.chat.memory_vault import EphemeralVault
from bot.store.database import Database
from bot.store.records import SqlRecordStore
from tests.fixtures.clocks import ManualClock
from tests.fixtures.houses import HouseKit, edit_op, send_op


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def records(
    request: pytest.FixtureRequest, clock: ManualClock, make_database: Callable
) -> AsyncIterator[RecordStore]:
    if request.param == "memory":
        yield MemoryRecordStore(clock.now)
        return
    async with Database(await make_database(request.param)) as database:
        yield SqlRecordStore(database, EphemeralVault(), "webchat", clock)


async def test_a_day_in_the_house(records: RecordStore, clock: ManualClock) -> None:
    kit = HouseKit(records=records)
    kit.clock = clock
    anna = await kit.opened().enter(None, "Anna", "blue")
    room, (ben,) = await kit.group(anna, "Ben")
    question = await kit.house.say(anna.id, room.id, "q" * 64, "@Aside warum? \U0001f600")
    sign = await kit.house.post(send_op(room.id, "o" * 64, reply_to=question.ref), "*Darum*", (question.ref,))
    await kit.house.revise(edit_op(room.id, sign.ref, "op2"), "**Darum**")
    await kit.house.edit(anna.id, room.id, question.ref, "e" * 64, "@Aside wieso?")
    await kit.house.react(
        ben.id, room.id, question.ref, "\U0001f468\u200d\U0001f469\u200d\U0001f467", on=True
    )
    await kit.house.rate(ben.id, room.id, sign.ref, "up")
    await kit.house.read(ben.id, room.id, sign.pos)
    await kit.house.keep_reads()
    await kit.house.mute(ben.id, room.id, on=True)
    before = (await kit.house.latest(ben.id, room.id, 99), await kit.house.rooms_of(ben.id))
    after = (await kit.opened().latest(ben.id, room.id, 99), await kit.house.rooms_of(ben.id))
    assert before == after
    written = {entry.kind: entry for entry in after[0]}
    assert written[EntryKind.SAID].text == "@Aside wieso?"
    assert list(written[EntryKind.SAID].reactions.values()) == [(ben.id,)]
    assert written[EntryKind.SENT].markdown == "**Darum**"
    assert (after[1][0].muted, after[1][0].read) == (True, sign.pos)
    assert [hit.entry.ref for hit in await kit.house.search(ben.id, "wieso")] == [question.ref]
    clock.advance(60)
    assert await kit.house.sweep(clock.now()) > 4
    assert await kit.house.latest(ben.id, room.id, 99) == []
    assert (await kit.house.say(anna.id, room.id, "q" * 64, "again")).pos > sign.pos


class Faulty(MemoryRecordStore):
    """A store whose next change is stored, or is not, and fails either way."""

    fails = ""

    async def append(self, stream: str, key: str, body: str):
        return await self._maybe(super().append, stream, key, body)

    async def put(self, stream: str, key: str, body: str):
        return await self._maybe(super().put, stream, key, body)

    async def amend(self, stream: str, key: str, body: str, **note: str):
        return await self._maybe(super().amend, stream, key, body, **note)

    async def _maybe(self, write: Callable, *args: str, **kwargs: str):
        fails, self.fails = self.fails, ""
        if fails == "before":
            raise RecordsUnavailable("the disk is full")
        record = await write(*args, **kwargs)
        if fails == "after":
            raise RecordsUnavailable("the answer was lost")
        return record


CHANGES = {
    "say": lambda h, p, r, m: h.say(p, r, "c9", "again"),
    "edit": lambda h, p, r, m: h.edit(p, r, m, "e9", "better"),
    "react": lambda h, p, r, m: h.react(p, r, m, "\U0001f44d", on=True),
    "withdraw": lambda h, p, r, m: h.withdraw(p, r, m),
    "title": lambda h, p, r, m: h.title(p, r, "Allotment"),
    "invite": lambda h, p, r, m: h.invite(p, r),
    "rename": lambda h, p, r, m: h.rename(p, "Anne", "red"),
    "mute": lambda h, p, r, m: h.mute(p, r, on=True),
    "create": lambda h, p, r, m: h.create(p, "Other", "c9"),
    "direct": lambda h, p, r, m: h.direct(p),
    "leave": lambda h, p, r, m: h.leave(p, r),
    "sent": lambda h, p, r, m: h.post(send_op(r, "op9"), "so", ()),
}


@pytest.mark.parametrize("fails", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_after_a_failure_the_house_knows_what_is_stored(change: Callable, fails: str) -> None:
    """What a house keeps at hand is what a fresh one reads, whether or not a lost answer had stored something."""
    store = Faulty()
    kit = HouseKit(records=store)
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    said = await kit.say(anna, room, "hello")
    store.fails = fails
    with pytest.raises(RecordsUnavailable):
        await change(kit.house, anna.id, room.id, said.ref)
    assert await _seen(kit.house, anna.id, ben.id, room.id) == await _seen(
        kit.opened(), anna.id, ben.id, room.id
    )


@pytest.mark.parametrize("fails", ["before", "after"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_failed_can_be_tried_again(change: Callable, fails: str) -> None:
    store = Faulty()
    kit = HouseKit(records=store)
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    said = await kit.say(anna, room, "hello")
    store.fails = fails
    with pytest.raises(RecordsUnavailable):
        await change(kit.house, anna.id, room.id, said.ref)
    if not (change is CHANGES["leave"] and fails == "after"):
        await change(kit.house, anna.id, room.id, said.ref)
    ends = await _seen(kit.house, anna.id, ben.id, room.id)
    assert ends == await _seen(kit.opened(), anna.id, ben.id, room.id)


async def _seen(house: House, anna: str, ben: str, room: str) -> tuple:
    return (
        await house.person(anna),
        await house.rooms_of(anna),
        await house.rooms_of(ben),
        await house.latest(ben, room, 99),
        await house.after(ben, room, 0, 99),
        await house.invitations(ben, room),
    )
