"""People: coming in, names that pose, invitations."""

import asyncio

import pytest

from adapters.webchat.house import HouseRules, RefusalCode, Refused
from tests.fixtures.houses import HouseKit


@pytest.fixture
def kit() -> HouseKit:
    return HouseKit()


def refused(code: RefusalCode):
    return pytest.raises(Refused, check=lambda exc: exc.code is code and bool(exc.text))


async def test_who_comes_in_is_known_after_a_restart(kit):
    anna = await kit.house.enter(None, "  Anna ", "blue")
    assert (anna.name, anna.colour, anna.invited) == ("Anna", "blue", False)
    assert await kit.opened().person(anna.id) == anna
    assert await kit.house.person("p" + "x" * 22) is None
    assert await kit.house.person("../secret") is None


async def test_an_id_nobody_has_becomes_the_persons(kit):
    mine = "p" + "y" * 22
    assert (await kit.house.enter(mine, "Anna", "blue")).id == mine
    assert (await kit.house.enter(mine, "Anne", "red")).name == "Anne"
    with refused(RefusalCode.MALFORMED):
        await kit.house.enter("../../secret", "Anna", "blue")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("", RefusalCode.NAME_BAD, id="empty"),
        pytest.param("x" * 33, RefusalCode.NAME_BAD, id="too long"),
        pytest.param("x" * 5000, RefusalCode.NAME_BAD, id="much too long"),
        pytest.param("a\u202eb", RefusalCode.NAME_BAD, id="turns the direction"),
        pytest.param("<b>Anna</b>", RefusalCode.NAME_BAD, id="markup"),
        pytest.param("@anna", RefusalCode.NAME_BAD, id="a mention"),
        pytest.param("Aside", RefusalCode.NAME_TAKEN, id="the assistant"),
        pytest.param("\u0410side", RefusalCode.NAME_TAKEN, id="the assistant in other letters"),
        pytest.param("as-sis.tant", RefusalCode.NAME_TAKEN, id="the assistant with signs"),
    ],
)
async def test_names_that_cannot_be_taken(kit, name, code):
    anna = await kit.guest("Anna")
    with refused(code):
        await kit.guest(name)
    with refused(code):
        await kit.house.rename(anna.id, name, "blue")
    assert (await kit.house.person(anna.id)).name == "Anna"


@pytest.mark.parametrize("colour", ["", "url(x)", "a" * 17, "red;", "RED"])
async def test_colours_nobody_knows_are_refused(kit, colour):
    with refused(RefusalCode.MALFORMED):
        await kit.house.enter(None, "Anna", colour)


@pytest.mark.parametrize("twin", ["Anna", "ANNA", "\u0410nna", "a-n-n-a", "\xc1nna"], ids=ascii)
async def test_nobody_in_a_room_can_pose_as_another(kit, twin):
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    link = await kit.house.invite(anna.id, room.id, uses=5)
    with refused(RefusalCode.NAME_TAKEN):
        await kit.guest(twin, link.code)
    with refused(RefusalCode.NAME_TAKEN):
        await kit.house.rename(ben.id, twin, "blue")
    elsewhere = await kit.guest(twin)
    with refused(RefusalCode.NAME_TAKEN):
        await kit.house.join(elsewhere.id, link.code)
    state = await kit.house.room(anna.id, room.id)
    assert sorted(member.name for member in state.members.values()) == ["Anna", "Ben"]
    assert (await kit.house.person(ben.id)).name == "Ben"


async def test_a_name_in_another_room_can_be_taken(kit):
    await kit.group(await kit.guest("Anna"))
    room, _ = await kit.group(await kit.guest("Anna"))
    assert len(room.members) == 1


async def test_of_many_who_take_a_name_at_once_one_has_it(kit):
    anna = await kit.guest("Anna")
    room, people = await kit.group(anna, "Ben", "Cleo", "Dora")
    link = await kit.house.invite(anna.id, room.id)
    stranger = await kit.guest("Emil")
    tries = [kit.house.rename(each.id, "Emil", "blue") for each in people]
    await asyncio.gather(*tries, kit.house.join(stranger.id, link.code), return_exceptions=True)
    state = await kit.opened().room(anna.id, room.id)
    names = [member.name for member in state.members.values()]
    assert len(names) == len(set(names))
    assert "Emil" in names


async def test_a_new_name_is_shown_in_all_rooms(kit):
    anna = await kit.guest("Anna")
    rooms = [await kit.house.create(anna.id, f"Room {n}", f"c{n}") for n in range(3)]
    await kit.house.rename(anna.id, "Anne", "red")
    for room in rooms:
        member = (await kit.house.room(anna.id, room.id)).members[anna.id]
        assert (member.name, member.colour) == ("Anne", "red")


async def test_a_crash_while_renaming_is_mended_by_trying_again(kit):
    anna = await kit.guest("Anna")
    room = await kit.house.create(anna.id, "Garden", "c1")
    put = kit.records.put

    async def failing(stream, key, body):
        if key.startswith("renamed"):
            raise RuntimeError("the process died here")
        return await put(stream, key, body)

    kit.records.put = failing
    with pytest.raises(RuntimeError):
        await kit.house.rename(anna.id, "Anne", "red")
    kit.records.put = put
    await kit.opened().rename(anna.id, "Anne", "red")
    assert (await kit.house.member(anna.id, room.id)).name == "Anne"


async def test_an_invitation_shows_its_room_and_opens_it(kit):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    link = await kit.house.invite(anna.id, room.id, uses=2, hours=1)
    preview = await kit.opened().look(link.code)
    assert (preview.title, preview.members) == ("Garden", 1)
    ben = await kit.guest("Ben", link.code)
    assert ben.invited
    assert set((await kit.house.room(ben.id, room.id)).members) == {anna.id, ben.id}


async def test_the_code_of_an_invitation_is_stored_nowhere(kit):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    link = await kit.house.invite(anna.id, room.id)
    assert len(link.code) == 22
    assert link.code not in repr(kit.records._streams)
    assert all(each.code == "" for each in await kit.house.invitations(anna.id, room.id))


async def test_an_invitation_for_one_admits_one_even_when_many_come_at_once(kit):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    link = await kit.house.invite(anna.id, room.id, uses=1)
    people = [await kit.guest(name) for name in ("Ben", "Cleo", "Dora")]
    results = await asyncio.gather(
        *(kit.house.join(each.id, link.code) for each in people), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in results) == ["Refused", "Refused", "RoomState"]
    with refused(RefusalCode.USED_UP):
        await kit.house.look(link.code)


async def test_who_is_in_uses_nothing_up(kit):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    link = await kit.house.invite(anna.id, room.id, uses=1)
    await kit.house.join(anna.id, link.code)
    ben = await kit.guest("Ben", link.code)
    assert (await kit.house.join(ben.id, link.code)).id == room.id
    assert (await kit.house.enter(ben.id, "Ben", "blue", link.code)).id == ben.id


async def test_an_invitation_runs_out(kit):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    link = await kit.house.invite(anna.id, room.id, hours=1)
    kit.clock.advance(3599)
    assert (await kit.house.look(link.code)).title == "Garden"
    kit.clock.advance(1)
    with refused(RefusalCode.EXPIRED):
        await kit.guest("Ben", link.code)
    assert link.id not in [each.id for each in await kit.house.invitations(anna.id, room.id)]


async def test_an_invitation_is_taken_back_by_any_member(kit):
    anna = await kit.guest("Anna")
    room, (ben,) = await kit.group(anna, "Ben")
    link = await kit.house.invite(anna.id, room.id)
    for _ in range(2):
        await kit.house.revoke(ben.id, room.id, link.id)
    with refused(RefusalCode.GONE):
        await kit.opened().look(link.code)
    with refused(RefusalCode.NOT_FOUND):
        await kit.house.revoke(ben.id, room.id, "unknown")


@pytest.mark.parametrize("code", ["", "x" * 22, "../secret", "x" * 5000, "ä"])
async def test_a_code_that_leads_nowhere(kit, code):
    for attempt in (kit.house.look(code), kit.guest("Anna", code)):
        with refused(RefusalCode.NOT_FOUND):
            await attempt


@pytest.mark.parametrize(
    ("uses", "hours"), [(0, None), (-1, None), (10_001, None), (None, 0), (None, -1.0), (None, 1e9)]
)
async def test_invitations_that_make_no_sense(kit, uses, hours):
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    with refused(RefusalCode.MALFORMED):
        await kit.house.invite(anna.id, room.id, uses, hours)


async def test_open_invitations_are_bounded():
    kit = HouseKit(HouseRules(invitations_limit=2))
    anna = await kit.guest("Anna")
    room = await kit.house.create(anna.id, "Garden", "c1")
    links = [await kit.house.invite(anna.id, room.id) for _ in range(2)]
    with refused(RefusalCode.TOO_MANY):
        await kit.house.invite(anna.id, room.id)
    await kit.house.revoke(anna.id, room.id, links[0].id)
    await kit.house.invite(anna.id, room.id)


async def test_a_closed_house_is_entered_by_invitation_or_vouching():
    kit = HouseKit(HouseRules(is_open=False))
    with refused(RefusalCode.FORBIDDEN):
        await kit.guest("Anna")
    boss = await kit.house.enter(None, "Boss", "blue", vouched=True)
    first = await kit.house.host("Hall")
    anna = await kit.guest("Anna", first.code)
    for person in (boss, anna):
        assert await kit.house.may_create(person.id)
        await kit.house.create(person.id, "Garden", "c1")
    with refused(RefusalCode.USED_UP):
        await kit.guest("Ben", first.code)


async def test_a_guest_from_open_days_makes_no_rooms_in_a_closed_house():
    kit = HouseKit(HouseRules(is_open=True))
    anna, ben = await kit.guest("Anna"), await kit.guest("Ben")
    room, _ = await kit.group(ben)
    link = await kit.house.invite(ben.id, room.id)
    kit.rules = HouseRules(is_open=False)
    kit.opened()
    assert not await kit.house.may_create(anna.id)
    with refused(RefusalCode.FORBIDDEN):
        await kit.house.create(anna.id, "Garden", "c1")
    await kit.house.enter(anna.id, "Anna", "blue", link.code)
    assert await kit.house.may_create(anna.id)


async def test_the_cookie_secret_is_made_once(kit):
    made = await asyncio.gather(*(kit.house.cookie_secret() for _ in range(3)))
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert await kit.opened().cookie_secret() == made[0]
