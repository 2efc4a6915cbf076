"""Rooms: who makes them, who is in them, and who gets in."""

import asyncio

import pytest

from adapters.webchat.entries import Happening
from adapters.webchat.house import HouseRules, RefusalCode, Refused, RoomKind
from tests.fixtures.houses import HouseKit


@pytest.fixture
def kit() -> HouseKit:
    return HouseKit()


def refused(code: RefusalCode):
    return pytest.raises(Refused, check=lambda exc: exc.code is code and bool(exc.text))


async def happenings(kit: HouseKit, person, room) -> list[tuple[str, str]]:
    entries = await kit.house.latest(person.id, room.id, 99)
    return [(entry.what, entry.name) for entry in entries if entry.what]


async def test_a_group_has_its_maker_as_its_only_member(kit):
    anna = await kit.guest("Anna")
    room = await kit.house.create(anna.id, "  Garden   party 🌻 ", "c1")
    assert (room.kind, room.title, room.created_by) == (RoomKind.GROUP, "Garden party 🌻", anna.id)
    assert [member.name for member in room.members.values()] == ["Anna"]
    assert await happenings(kit, anna, room) == [(Happening.CREATED, "Anna")]


async def test_the_same_client_id_makes_one_group(kit):
    anna = await kit.guest("Anna")
    made = await asyncio.gather(*(kit.house.create(anna.id, "Garden", "c1") for _ in range(3)))
    assert len({room.id for room in made}) == 1
    assert (await kit.opened().create(anna.id, "Garden", "c1")).id == made[0].id
    assert len(await kit.house.rooms_of(anna.id)) == 1
    assert len(await happenings(kit, anna, made[0])) == 1


async def test_a_crash_while_making_a_group_is_mended_by_trying_again(kit):
    anna = await kit.guest("Anna")
    append, calls = kit.records.append, []

    async def failing(stream, key, body):
        calls.append(key)
        if key.startswith("joined"):
            raise RuntimeError("the process died here")
        return await append(stream, key, body)

    kit.records.append = failing
    with pytest.raises(RuntimeError):
        await kit.house.create(anna.id, "Garden", "c1")
    assert calls
    kit.records.append = append
    room = await kit.opened().create(anna.id, "Garden", "c1")
    assert list(room.members) == [anna.id]
    assert [each.room.id for each in await kit.house.rooms_of(anna.id)] == [room.id]


async def test_everything_is_as_it_was_after_a_restart(kit):
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    await kit.house.title(ben.id, room.id, "Allotment")
    await kit.house.mute(anna.id, room.id, on=True)
    await kit.house.rename(ben.id, "Benno", "red")
    before = (await kit.house.rooms_of(anna.id), await kit.house.rooms_of(ben.id))
    kit.opened()
    assert (await kit.house.rooms_of(anna.id), await kit.house.rooms_of(ben.id)) == before
    assert before[0][0].room.title == "Allotment"
    assert [member.name for member in before[0][0].room.members.values()] == ["Anna", "Benno"]


async def test_the_direct_room_is_one_and_stays(kit):
    anna = await kit.guest("Anna")
    room = await kit.house.direct(anna.id)
    assert (room.kind, list(room.members)) == (RoomKind.DIRECT, [anna.id])
    assert (await kit.opened().direct(anna.id)).id == room.id
    with refused(RefusalCode.FORBIDDEN):
        await kit.house.leave(anna.id, room.id)
    with refused(RefusalCode.FORBIDDEN):
        await kit.house.invite(anna.id, room.id)
    with refused(RefusalCode.FORBIDDEN):
        await kit.house.title(anna.id, room.id, "Mine")


async def test_two_people_who_know_each_other_have_one_pair(kit):
    anna = await kit.guest("Anna")
    _, (ben,) = await kit.group(anna, "Ben")
    rooms = await asyncio.gather(kit.house.pair(anna.id, ben.id), kit.house.pair(ben.id, anna.id))
    assert len({room.id for room in rooms}) == 1
    assert set(rooms[0].members) == {anna.id, ben.id}
    assert (rooms[0].title_for(anna.id), rooms[0].title_for(ben.id)) == ("Ben", "Anna")
    for person in (anna, ben):
        assert rooms[0].id in [each.room.id for each in await kit.house.rooms_of(person.id)]
    with refused(RefusalCode.FORBIDDEN):
        await kit.house.invite(anna.id, rooms[0].id)


async def test_strangers_cannot_be_written_to(kit):
    anna, ben = await kit.guest("Anna"), await kit.guest("Ben")
    with refused(RefusalCode.NOT_FOUND):
        await kit.house.pair(anna.id, ben.id)
    with refused(RefusalCode.MALFORMED):
        await kit.house.pair(anna.id, anna.id)


async def test_nobody_is_fetched_back_into_a_pair(kit):
    anna = await kit.guest("Anna")
    _, (ben,) = await kit.group(anna, "Ben")
    pair = await kit.house.pair(anna.id, ben.id)
    await kit.house.leave(ben.id, pair.id)
    again = await kit.house.pair(anna.id, ben.id)
    assert set(again.members) == {anna.id}
    assert again.title_for(anna.id) == "Ben"
    assert set((await kit.house.pair(ben.id, anna.id)).members) == {anna.id, ben.id}


async def test_who_left_sees_nothing_and_may_come_back(kit):
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    link = await kit.house.invite(anna.id, room.id)
    await kit.house.leave(ben.id, room.id)
    assert await kit.house.rooms_of(ben.id) == []
    assert await kit.house.membership(ben.id, room.id) is None
    with refused(RefusalCode.NOT_MEMBER):
        await kit.house.latest(ben.id, room.id, 9)
    await kit.house.join(ben.id, link.code)
    assert [each.room.id for each in await kit.house.rooms_of(ben.id)] == [room.id]
    joined, left = Happening.JOINED, Happening.LEFT
    assert await happenings(kit, anna, room) == [
        (Happening.CREATED, "Anna"),
        (joined, "Ben"),
        (left, "Ben"),
        (joined, "Ben"),
    ]


async def test_a_group_that_everybody_left_is_dropped(kit):
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    link = await kit.house.invite(anna.id, room.id)
    await kit.say(anna, room, "hello")
    for person in (anna, ben):
        await kit.house.leave(person.id, room.id)
    assert await kit.house.place(room.id) is None
    assert await kit.records.latest(f"log/{room.id}", 9) == []
    assert await kit.records.latest(f"room/{room.id}", 9) == []
    with refused(RefusalCode.GONE):
        await kit.house.join(anna.id, link.code)


async def test_a_title_that_stands_is_not_told_again(kit):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    for _ in range(2):
        await kit.house.title(anna.id, room.id, "Allotment")
    assert await happenings(kit, anna, room) == [(Happening.CREATED, "Anna"), (Happening.TITLED, "Anna")]


@pytest.mark.parametrize(
    ("title", "code"),
    [
        pytest.param("", RefusalCode.NAME_BAD, id="empty"),
        pytest.param(" \n ", RefusalCode.NAME_BAD, id="blank"),
        pytest.param("x" * 65, RefusalCode.TOO_LONG, id="too long"),
        pytest.param("a\u202eb", RefusalCode.NAME_BAD, id="turns the direction"),
        pytest.param("a\x00b", RefusalCode.NAME_BAD, id="control character"),
        pytest.param("\u200d", RefusalCode.NAME_BAD, id="invisible"),
        pytest.param("\u3164", RefusalCode.NAME_BAD, id="invisible letter"),
        pytest.param("a\ud800", RefusalCode.NAME_BAD, id="half a character"),
    ],
)
async def test_titles_nobody_can_read_are_refused(kit, title, code):
    anna = await kit.guest("Anna")
    with refused(code):
        await kit.house.create(anna.id, title, "c1")
    assert await kit.house.rooms_of(anna.id) == []


async def test_one_person_is_in_so_many_rooms_only():
    kit = HouseKit(HouseRules(rooms_limit=2))
    anna, ben = await kit.guest("Anna"), await kit.guest("Ben")
    await kit.group(anna, title="One")
    room, _ = await kit.group(anna, title="Two")
    with refused(RefusalCode.TOO_MANY):
        await kit.house.create(anna.id, "Three", "c9")
    other, _ = await kit.group(ben)
    link = await kit.house.invite(ben.id, other.id)
    with refused(RefusalCode.TOO_MANY):
        await kit.house.join(anna.id, link.code)
    await kit.house.leave(anna.id, room.id)
    await kit.house.join(anna.id, link.code)


async def test_a_room_holds_so_many_people_only():
    kit = HouseKit(HouseRules(members_limit=2))
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna, "Ben")
    link = await kit.house.invite(anna.id, room.id, uses=1)
    with refused(RefusalCode.TOO_MANY):
        await kit.guest("Cleo", link.code)
    assert (await kit.house.invitations(anna.id, room.id))[-1].used == 0


async def test_five_hundred_people_in_a_room(kit):
    anna = await kit.guest("Anna")
    room, people = await kit.group(anna, *(f"Guest {_spelled(n)}" for n in range(499)))
    assert len((await kit.opened().room(anna.id, room.id)).members) == 500
    assert len(await kit.house.rooms_of(people[-1].id)) == 1


def _spelled(n: int) -> str:
    """Write a number in letters no two of which look alike."""
    return "".join("abcdefghkm"[int(digit)] for digit in f"{n:03}")
