"""What people read: pages, news behind a cursor, unread marks, search, and what retention leaves."""

import asyncio

import pytest

from adapters.webchat import reading, tail
from adapters.webchat.entries import EntryKind
from adapters.webchat.house import UNREAD_LIMIT, RefusalCode, Refused
from tests.fixtures.houses import HouseKit, send_op


@pytest.fixture
def kit() -> HouseKit:
    return HouseKit()


@pytest.fixture
async def anna(kit):
    return await kit.guest("Anna")


@pytest.fixture
async def room(kit, anna):
    return (await kit.group(anna, "Ben"))[0]


@pytest.fixture
def ben(room, anna):
    return next(member for member in room.members.values() if member.id != anna.id)


def texts(entries) -> list[str]:
    return [entry.text for entry in entries if entry.kind is EntryKind.SAID]


def keep_four_at_hand(monkeypatch) -> None:
    for module in ("tail", "log"):
        monkeypatch.setattr(f"adapters.webchat.{module}.KEPT", 4)


async def test_ten_thousand_messages_are_read_in_pages(kit, anna, room):
    for n in range(10_000):
        await kit.house.say(anna.id, room.id, f"m{n}", str(n))
    kit.opened()
    found = page = await kit.house.latest(anna.id, room.id, 100)
    while page := await kit.house.before(anna.id, room.id, page[0].pos, 100):
        found = [*page, *found]
    assert texts(found) == [str(n) for n in range(10_000)]
    assert [entry.pos for entry in found] == sorted({entry.pos for entry in found})


async def test_pages_hold_messages_and_not_the_news_of_them(kit, anna, room, monkeypatch):
    keep_four_at_hand(monkeypatch)
    said = [await kit.say(anna, room, str(n)) for n in range(6)]
    for n in range(20):
        await kit.house.react(anna.id, room.id, said[n % 6].ref, "\U0001f44d", on=n % 12 < 6)
    for house in (kit.house, kit.opened()):
        assert texts(await house.latest(anna.id, room.id, 4)) == ["2", "3", "4", "5"]
        assert texts(await house.before(anna.id, room.id, said[2].pos, 99)) == ["0", "1"]


async def test_behind_a_cursor_nothing_is_missing_and_nothing_is_twice(kit, anna, room, monkeypatch):
    keep_four_at_hand(monkeypatch)
    start = await kit.house.end(room.id)
    for n in range(30):
        await kit.say(anna, room, str(n))
    for house in (kit.house, kit.opened()):
        cursor, found = start, []
        while page := await house.after(anna.id, room.id, cursor, 7):
            found += page
            cursor = page[-1].pos
        assert texts(found) == [str(n) for n in range(30)]
        assert await house.since(room.id, start, 3) == found[:3]


async def test_a_page_of_nothing(kit, anna, room):
    assert await kit.house.latest(anna.id, room.id, 0) == []
    assert await kit.house.before(anna.id, room.id, 1, 9) == []
    assert await kit.house.after(anna.id, room.id, 10**9, 9) == []


async def test_messages_of_others_are_unread_until_they_are_read(kit, anna, ben, room):
    assert await kit.house.unread(ben.id, room.id) == 0
    await kit.say(ben, room, "mine")
    said = [await kit.say(anna, room, str(n)) for n in range(3)]
    await kit.reply(room, "and this", "op1")
    await kit.house.title(anna.id, room.id, "Allotment")
    assert await kit.house.unread(ben.id, room.id) == 4
    await kit.house.withdraw(anna.id, room.id, said[0].ref)
    assert await kit.house.unread(ben.id, room.id) == 3
    assert await kit.house.read(ben.id, room.id, said[1].pos)
    assert not await kit.house.read(ben.id, room.id, said[0].pos)
    glance = await kit.house.glance(ben.id, room.id)
    assert (glance.unread, glance.read, glance.last_pos) == (2, said[1].pos, await kit.house.end(room.id))
    assert glance.last.title == "Allotment"


async def test_unread_messages_are_counted_so_far_only(kit, anna, ben, room):
    for n in range(UNREAD_LIMIT + 50):
        await kit.say(anna, room, str(n))
    assert await kit.house.unread(ben.id, room.id) == UNREAD_LIMIT


async def test_counting_does_not_go_through_endless_reactions(kit, anna, ben, room, monkeypatch):
    monkeypatch.setattr(reading, "_UNREAD_LOOKED_AT", 10)
    for n in range(30):
        await kit.say(anna, room, str(n))
    assert await kit.house.unread(ben.id, room.id) == 10


async def test_who_comes_in_has_nothing_unread(kit, anna, room):
    await kit.say(anna, room, "before")
    link = await kit.house.invite(anna.id, room.id)
    cleo = await kit.guest("Cleo", link.code)
    assert await kit.house.unread(cleo.id, room.id) == 0
    await kit.say(anna, room, "after")
    assert await kit.house.unread(cleo.id, room.id) == 1


async def test_nobody_reads_what_is_not_there_yet(kit, anna, ben, room):
    await kit.house.read(ben.id, room.id, 10**9)
    await kit.say(anna, room, "news")
    assert await kit.house.unread(ben.id, room.id) == 1


async def test_read_marks_are_kept_in_one_go_and_survive_a_restart(kit, anna, ben, room):
    said = await kit.say(anna, room, "news")
    writes = len(kit.records._streams[f"person/{ben.id}"].records)
    await kit.house.read(ben.id, room.id, said.pos)
    assert len(kit.records._streams[f"person/{ben.id}"].records) == writes
    await asyncio.gather(kit.house.keep_reads(), kit.house.keep_reads())
    assert (await kit.opened().membership(ben.id, room.id)).read == said.pos
    assert await kit.house.unread(ben.id, room.id) == 0


async def test_a_mark_made_while_marks_are_stored_is_not_lost(kit, anna, ben, room):
    first, second = [await kit.say(anna, room, text) for text in ("one", "two")]
    await kit.house.read(ben.id, room.id, first.pos)
    put = kit.records.put

    async def slow(stream, key, body):
        await kit.house.read(ben.id, room.id, second.pos)
        return await put(stream, key, body)

    kit.records.put = slow
    await kit.house.keep_reads()
    kit.records.put = put
    assert (await kit.house.membership(ben.id, room.id)).read == second.pos
    await kit.house.keep_reads()
    assert (await kit.opened().membership(ben.id, room.id)).read == second.pos


async def test_search_finds_words_in_ones_rooms_as_they_stand(kit, anna, ben, room):
    said = await kit.say(anna, room, "Der Große Garten")
    await kit.say(anna, room, "nothing")
    kit.clock.advance(1)
    sent = await kit.reply(room, "A **great** garten", "op1")
    gone = await kit.say(anna, room, "garten, taken back")
    await kit.house.withdraw(anna.id, room.id, gone.ref)
    await kit.house.post(send_op(room.id, "op2", purpose="notice"), "garten notice", ())
    edited = await kit.say(anna, room, "garten")
    await kit.house.edit(anna.id, room.id, edited.ref, "e1", "something else")
    other = await kit.guest("Cleo")
    secret, _ = await kit.group(other, title="Secret")
    await kit.say(other, secret, "garten of others")
    for query, expected in {
        "GARTEN": [sent.ref, said.ref],
        "garten grosse": [said.ref],
        "something": [edited.ref],
        "garten nothing": [],
        "": [],
        "   ": [],
    }.items():
        for where in (None, room.id):
            hits = await kit.house.search(ben.id, query, where)
            assert [(hit.room, hit.entry.ref) for hit in hits] == [(room.id, ref) for ref in expected], query


async def test_search_gives_the_newest_of_many(kit, anna, room, monkeypatch):
    keep_four_at_hand(monkeypatch)
    for n in range(40):
        kit.clock.advance(1)
        await kit.say(anna, room, f"word {n}")
    hits = await kit.opened().search(anna.id, "word", limit=5)
    assert [hit.entry.text for hit in hits] == [f"word {n}" for n in range(39, 34, -1)]


async def test_search_lets_others_have_the_loop(kit, anna, room):
    for n in range(3000):
        await kit.say(anna, room, f"hay {n}")
    turns = 0

    async def beat():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beating = asyncio.create_task(beat())
    assert await kit.opened().search(anna.id, "needle") == []
    beating.cancel()
    assert turns > 10


async def test_retention_drops_what_is_old_and_positions_go_on(kit, anna, ben, room):
    old = await kit.say(anna, room, "old secret")
    sent = await kit.reply(room, "old answer", "op1")
    await kit.house.rate(anna.id, room.id, sent.ref, "up")
    kit.clock.advance(86_400)
    then = kit.clock.now()
    assert await kit.house.sweep(then) == 5
    assert await kit.house.latest(anna.id, room.id, 9) == []
    assert "secret" not in repr(kit.records._streams)
    assert await kit.records.latest(f"feedback/{room.id}", 9) == []
    new = await kit.opened().say(ben.id, room.id, "c1", "new")
    assert new.pos > sent.pos > old.pos
    assert await kit.house.after(anna.id, room.id, sent.pos, 9) == [new]
    assert [member.name for member in (await kit.house.room(anna.id, room.id)).members.values()] == [
        "Anna",
        "Ben",
    ]
    assert await kit.house.sweep(then) == 0


async def test_a_message_that_retention_took_cannot_be_changed(kit, anna, room):
    old = await kit.say(anna, room, "old")
    kit.clock.advance(60)
    await kit.house.sweep(kit.clock.now())
    with pytest.raises(Refused) as no:
        await kit.house.edit(anna.id, room.id, old.ref, "e1", "new")
    assert no.value.code is RefusalCode.NOT_FOUND


async def test_what_is_kept_at_hand_of_long_messages_is_bounded(kit, anna, room):
    for n in range(40):
        await kit.house.say(anna.id, room.id, f"m{n}", "x" * 20_000)
    kept = kit.house._log._tails.get(room.id)
    assert sum(len(entry.text) for entry in kept.newest_first()) <= 2 * tail.KEPT_CHARACTERS
    assert len(await kit.house.latest(anna.id, room.id, 40)) == 40
