"""Forgetting in the rooms: what was said goes, what others said stays, and open pages begin anew."""

import pytest

from adapters.base import Purpose
from adapters.webchat.entries import EntryKind
from adapters.webchat.history import RoomHistory
from adapters.webchat.ids import feedback_stream, log_stream
from adapters.webchat.refusals import Refused
from tests.fixtures.houses import HouseKit, edit_op, send_op

CANARY = "walrus"


@pytest.fixture
def kit() -> HouseKit:
    return HouseKit()


@pytest.fixture
async def anna(kit):
    return await kit.guest("Anna")


@pytest.fixture
async def ben(kit, anna):
    return (await kit.group(anna, "Ben"))[1][0]


@pytest.fixture
async def room(kit, anna, ben):
    [membership] = [one for one in await kit.house.rooms_of(ben.id) if one.room.title == "Garden"]
    return membership.room


async def texts(kit, room):
    """Read what a page would be shown of a room."""
    return [entry.text or entry.markdown for entry in await kit.house.since(room.id, 0, 99)]


async def stored(kit, room):
    """Read everything that is stored of a room's talk, as it is stored."""
    found = []
    for stream in (log_stream(room.id), feedback_stream(room.id)):
        found += [record.key + record.body for record in await kit.records.after(stream, 0, 999)]
    return "\n".join(found)


async def test_what_a_person_said_goes_with_its_answers_and_their_parts(kit, anna, ben, room):
    asked = await kit.say(ben, room, f"@Aside {CANARY}?")
    await kit.reply(room, f"{CANARY}!", "o1", reply_to=asked.ref)
    await kit.reply(room, f"more of {CANARY}", "o2")
    other = await kit.say(anna, room, "@Aside and me?")
    await kit.reply(room, "you too", "o3", reply_to=other.ref)
    await kit.reply(room, "more of it", "o4")
    await kit.house.forget_said(room.id, ben.id, kit.clock.now())
    assert CANARY not in await stored(kit, room)
    assert [text for text in await texts(kit, room) if text] == ["@Aside and me?", "you too", "more of it"]


async def test_edits_reactions_and_ratings_of_a_person_go(kit, anna, ben, room):
    mine = await kit.say(ben, room, "before")
    await kit.house.edit(ben.id, room.id, mine.ref, "e1", f"now {CANARY}")
    theirs = await kit.say(anna, room, "fine")
    answer = await kit.reply(room, "answered", "o1", reply_to=theirs.ref)
    await kit.house.react(ben.id, room.id, theirs.ref, "\U0001f44d", on=True)
    await kit.house.react(anna.id, room.id, theirs.ref, "\U0001f44d", on=True)
    await kit.house.rate(ben.id, room.id, answer.ref, "up")
    await kit.house.rate(anna.id, room.id, answer.ref, "down")
    await kit.house.forget_said(room.id, ben.id, kit.clock.now())
    standing = await kit.house.standing(room.id, theirs.ref)
    assert standing.reactions == {"\U0001f44d": (anna.id,)}
    kept = await stored(kit, room)
    assert CANARY not in kept
    assert f"{answer.ref}:{ben.id}" not in kept
    assert f"{answer.ref}:{anna.id}" in kept


async def test_what_comes_after_the_wish_stays_but_for_a_late_answer(kit, anna, ben, room):
    asked = await kit.say(ben, room, CANARY)
    then = kit.clock.now()
    kit.clock.advance(1)
    notice = send_op(room.id, "n1", purpose=Purpose.NOTICE, reply_to=asked.ref)
    await kit.house.post(notice, "Done: forgotten.", (asked.ref,))
    await kit.reply(room, f"late {CANARY}", "o1", reply_to=asked.ref)
    await kit.say(ben, room, "hello again")
    await kit.house.forget_said(room.id, ben.id, then)
    assert [text for text in await texts(kit, room) if text] == ["Done: forgotten.", "hello again"]
    assert CANARY not in await stored(kit, room)


async def test_all_of_a_room_goes_and_its_members_stay(kit, anna, ben, room):
    for person in (anna, ben):
        said = await kit.say(person, room, CANARY)
        await kit.reply(room, CANARY, f"o{person.id}", reply_to=said.ref)
    end = await kit.house.end(room.id)
    await RoomHistory(kit.house).forget_all(room.id, kit.clock.now())
    assert CANARY not in await stored(kit, room)
    assert {member.name for member in (await kit.house.room(ben.id, room.id)).members.values()} == {
        "Anna",
        "Ben",
    }
    assert (await kit.say(ben, room, "anew")).pos == end + 1


async def test_forgetting_twice_or_nothing_changes_nothing_more(kit, anna, ben, room):
    await kit.say(anna, room, "stays")
    await kit.say(ben, room, CANARY)
    history = RoomHistory(kit.house)
    for _ in range(2):
        await history.forget_person(room.id, ben.id, kit.clock.now())
    await history.forget_all("nowhere", kit.clock.now())
    assert [text for text in await texts(kit, room) if text] == ["stays"]


async def test_nothing_that_was_at_hand_comes_back(kit, anna, ben, room):
    said = await kit.say(ben, room, CANARY)
    answer = await kit.reply(room, CANARY, "o1", reply_to=said.ref)
    await kit.house.forget_said(room.id, ben.id, kit.clock.now())
    assert await kit.house.standing(room.id, said.ref) is None
    with pytest.raises(Refused):
        await kit.house.revise(edit_op(room.id, answer.ref, "o2"), "a late edit", ())
    assert await kit.house.search(anna.id, CANARY) == []


async def test_a_house_beside_the_one_that_has_it_at_hand_forgets_the_same(kit, anna, ben, room):
    first = kit.house
    await kit.say(ben, room, CANARY)
    await kit.say(anna, room, "stays")
    await kit.opened().forget_said(room.id, ben.id, kit.clock.now())
    await first.forget_said(room.id, ben.id, kit.clock.now())
    entries = await first.since(room.id, 0, 99)
    assert [entry.text for entry in entries if entry.kind is EntryKind.SAID] == ["stays"]


async def test_what_became_too_old_goes_in_one_room_alone(kit, anna, ben, room):
    _, [cid] = await kit.group(anna, "Cid")
    [other] = [each.room for each in await kit.house.rooms_of(cid.id) if each.room.id != room.id][:1]
    await kit.say(ben, room, CANARY)
    await kit.say(anna, other, CANARY)
    await texts(kit, room)
    kit.clock.advance(60)
    then = kit.clock.now()
    await kit.say(ben, room, "anew")
    assert await RoomHistory(kit.house).forget_older(room.id, then) > 0
    assert (await texts(kit, room), CANARY in await texts(kit, other)) == (["anew"], True)
