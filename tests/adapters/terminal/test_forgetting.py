"""Forgetting in a terminal's rooms: what was said goes from the store, what others said stays."""

import pytest

from adapters.base import Edit, Person, Purpose, Send
from adapters.content import plain
from adapters.records_memory import MemoryRecordStore
from adapters.terminal.entries import entry_of
from adapters.terminal.history import History
from tests.fixtures.clocks import ManualClock

CANARY = "walrus"
ROOM = "group:garden"
ANN, BEN = Person(id="ann", name="Ann"), Person(id="ben", name="Ben")


class Kit:
    """A history over a store in memory."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.records = MemoryRecordStore(self.clock.now)
        self.history = History(self.records, "Aside", self.clock.now)
        self._numbers = iter(range(99))

    async def say(self, person: Person, text: str) -> str:
        said = await self.history.say(ROOM, person, f"c{next(self._numbers)}", text, reply_to=None)
        return said.key

    async def send(self, text: str, reply_to: str | None, purpose: Purpose = Purpose.REPLY) -> str:
        op = Send(
            op_id=f"o{next(self._numbers)}",
            account="local",
            conversation=ROOM,
            content=plain(text),
            purpose=purpose,
            reply_to=reply_to,
        )
        return (await self.history.send(op, text, (reply_to,) if reply_to else ())).key

    async def texts(self) -> list[str]:
        return [entry_of(record).text for record in await self.history.after(ROOM, 0, 99)]


@pytest.fixture
def kit() -> Kit:
    return Kit()


async def test_what_a_person_said_goes_with_its_answer_and_every_older_text_of_it(kit: Kit) -> None:
    asked = await kit.say(BEN, f"{CANARY}?")
    answer = await kit.send(f"{CANARY}!", asked)
    edit = Edit(
        op_id="e",
        account="local",
        conversation=ROOM,
        message=answer,
        content=plain("x"),
        purpose=Purpose.REPLY,
    )
    await kit.history.edit(edit, f"{CANARY}!!", (asked,))
    await kit.send(f"and {CANARY}", None)
    other = await kit.say(ANN, "me?")
    await kit.send("you", other)
    await kit.send("and more", None)
    await kit.history.withdraw(ROOM, await kit.say(BEN, f"taken back {CANARY}"))
    await kit.history.forget_person(ROOM, BEN.id, kit.clock.now())
    assert await kit.texts() == ["me?", "you", "and more"]


async def test_the_notice_that_tells_of_it_stays_and_a_late_answer_does_not(kit: Kit) -> None:
    asked = await kit.say(BEN, CANARY)
    then = kit.clock.now()
    kit.clock.advance(1)
    await kit.send("Done: forgotten.", asked, Purpose.NOTICE)
    await kit.send(CANARY, asked)
    await kit.history.forget_all(ROOM, then)
    assert await kit.texts() == ["Done: forgotten."]


async def test_a_room_goes_on_behind_what_it_forgot(kit: Kit) -> None:
    await kit.say(ANN, CANARY)
    await kit.say(BEN, CANARY)
    for _ in range(2):
        await kit.history.forget_all(ROOM, kit.clock.now())
    assert await kit.texts() == []
    kit.clock.advance(1)
    await kit.say(ANN, "anew")
    [record] = await kit.history.after(ROOM, 2, 9)
    assert record.position == 3


async def test_a_room_that_is_not_there_has_nothing_to_forget(kit: Kit) -> None:
    await kit.history.forget_all("group:nowhere", kit.clock.now())
    assert await kit.texts() == []


async def test_what_became_too_old_goes_in_one_room(kit: Kit) -> None:
    await kit.say(ANN, CANARY)
    kit.clock.advance(60)
    then = kit.clock.now()
    await kit.say(BEN, "anew")
    assert (await kit.history.forget_older(ROOM, then), await kit.texts()) == (1, ["anew"])
