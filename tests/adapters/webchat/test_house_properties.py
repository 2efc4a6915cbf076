"""What holds whatever people do, in whatever order: rooms, and a page that follows a log by its cursor."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.names import skeleton
from adapters.webchat.changes import edited, reacted, withdrawn
from adapters.webchat.entries import Entry, EntryKind, entry_of
from adapters.webchat.house import Happening, Refused
from adapters.webchat.room_events import Change, RoomEvent, event_of
from adapters.webchat.rooms import RoomKind, apply, fold
from tests.fixtures.houses import HouseKit

ROOM = "r" + "x" * 22
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
PEOPLE = ("p1", "p2", "p3")

events = st.builds(
    RoomEvent,
    what=st.sampled_from(Change),
    at=st.integers(0, 99).map(lambda n: START + timedelta(minutes=n)),
    by=st.sampled_from(PEOPLE),
    kind=st.just("group"),
    title=st.text(max_size=5),
    name=st.text(max_size=5),
    colour=st.sampled_from(["", "blue"]),
    invitation=st.sampled_from(["", "i1", "i2"]),
    uses=st.none() | st.integers(1, 3),
    expires_at=st.none() | st.just(START),
)


@given(st.lists(events, max_size=30))
def test_folding_is_one_event_after_the_other(happened):
    """A room read from its stream is the room that every change left."""
    numbered = list(enumerate(happened, 1))
    state = None
    for position, event in numbered:
        state = apply(ROOM, state, position, event)
    assert fold(ROOM, numbered) == state


@given(st.lists(events, max_size=30))
def test_a_room_is_the_sum_of_comings_and_goings(happened):
    state = fold(ROOM, enumerate(happened, 1))
    begun = next((n for n, event in enumerate(happened) if event.what is Change.CREATED), None)
    if begun is None:
        assert state is None
        return
    inside: set[str] = set()
    for event in happened[begun:]:
        if event.what is Change.JOINED:
            inside.add(event.by)
        elif event.what is Change.LEFT:
            inside.discard(event.by)
    assert state is not None
    assert set(state.members) == inside
    assert state.version == len(happened)
    assert all(id_ == member.id for id_, member in state.members.items())
    assert set(state.invitations) <= {event.invitation for event in happened}


@given(events)
def test_events_come_back_as_they_were_stored(event):
    record = asyncio.run(HouseKit().records.append("s", "k", event.to_body()))
    assert event_of(record) == event


entries = st.builds(
    Entry,
    kind=st.sampled_from(EntryKind),
    at=st.just(START),
    by=st.sampled_from(["", "p1"]),
    name=st.text(max_size=5),
    text=st.text(max_size=9),
    markdown=st.text(max_size=9),
    purpose=st.none() | st.sampled_from(["reply", "notice", "placeholder"]),
    reply_to=st.none() | st.text(max_size=5),
    answers=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    target=st.none() | st.text(max_size=5),
    emoji=st.sampled_from(["", "\U0001f44d"]),
    on=st.booleans(),
    what=st.none() | st.sampled_from(Happening),
    title=st.text(max_size=3),
    edited=st.booleans(),
    withdrawn=st.booleans(),
    reactions=st.dictionaries(st.text(min_size=1, max_size=2), st.just(("p1", "p2")), max_size=2),
    edit_ids=st.lists(st.text(max_size=3), max_size=2).map(tuple),
)


@given(entries)
def test_entries_come_back_as_they_were_stored(entry):
    record = asyncio.run(HouseKit().records.append("s", "k", entry.to_body()))
    back = entry_of(record)
    assert (back.pos, back.ref) == (1, "k")
    assert back.to_body() == entry.to_body()


@pytest.mark.parametrize("decode", [entry_of, event_of])
def test_what_another_version_wrote_is_not_guessed_at(decode):
    record = asyncio.run(HouseKit().records.append("s", "k", '{"v":2,"kind":"said"}'))
    with pytest.raises(ValueError, match="another version"):
        decode(record)


messages = st.builds(
    Entry,
    kind=st.just(EntryKind.SAID),
    at=st.just(START),
    by=st.just("p1"),
    name=st.just("A"),
    ref=st.just("said:p1:c"),
)
doings = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.sampled_from("abc"), st.sampled_from(["e1", "e2", "e3"])),
        st.tuples(st.just("react"), st.sampled_from(PEOPLE), st.booleans()),
        st.tuples(st.just("withdraw")),
    ),
    max_size=12,
)


@given(messages, doings)
def test_doing_the_same_twice_changes_nothing(message, done):
    for what in done:
        for attempt in range(2):
            changed = None
            with suppress(Refused):
                changed = _changed(message, what)
            assert not (attempt and changed)
            if changed:
                message = changed[0]
    assert not (message.withdrawn and (message.text or message.reactions))
    assert all(len(set(who)) == len(who) > 0 for who in message.reactions.values())


def _changed(message: Entry, what: tuple):
    match what:
        case ("edit", text, client_id):
            return edited(message, text, client_id, START)
        case ("react", person, on):
            return reacted(message, person, person, "\U0001f44d", on=on, at=START, limit=9)
        case _:
            return withdrawn(message, START)


class Page:
    """What a browser makes of a log: it loads the newest page once and then follows its cursor."""

    def __init__(self, entries: list[Entry]) -> None:
        self.cursor = max((entry.pos for entry in entries), default=0)
        self.shown = {entry.ref: [entry.text, entry.withdrawn, _sets(entry)] for entry in entries}

    def follow(self, entries: list[Entry]) -> None:
        for entry in entries:
            self.cursor = max(self.cursor, entry.pos)
            match entry.kind:
                case EntryKind.SAID:
                    self.shown[entry.ref] = [entry.text, entry.withdrawn, _sets(entry)]
                case EntryKind.EDIT:
                    self.shown[entry.target][0] = entry.text
                case EntryKind.WITHDRAW:
                    self.shown[entry.target] = ["", True, {}]
                case EntryKind.REACT:
                    self._react(entry)

    def _react(self, entry: Entry) -> None:
        text, gone, reactions = self.shown[entry.target]
        if gone:
            return
        people = reactions.get(entry.emoji, set()) - {entry.by} | ({entry.by} if entry.on else set())
        others = {emoji: who for emoji, who in reactions.items() if emoji != entry.emoji}
        self.shown[entry.target] = [text, gone, others | ({entry.emoji: people} if people else {})]


def _sets(entry: Entry) -> dict[str, set[str]]:
    return {emoji: set(people) for emoji, people in entry.reactions.items()}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("say")),
        st.tuples(st.just("say")),
        st.tuples(st.just("edit"), st.integers(0, 9), st.sampled_from("abc")),
        st.tuples(st.just("withdraw"), st.integers(0, 9)),
        st.tuples(st.just("react"), st.integers(0, 9), st.sampled_from("\U0001f44d\U0001f389"), st.booleans()),
        st.tuples(st.just("load")),
        st.tuples(st.just("follow"), st.integers(1, 5)),
        st.tuples(st.just("restart")),
    ),
    min_size=8,
    max_size=40,
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(steps)
def test_a_page_that_follows_its_cursor_shows_what_a_fresh_one_does(taken):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("adapters.webchat.tail.KEPT", 3)
        patched.setattr("adapters.webchat.log.KEPT", 3)
        patched.setattr("adapters.webchat.log._BATCH", 2)
        asyncio.run(_followed(taken))


async def _followed(taken: list[tuple]) -> None:
    kit = HouseKit()
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    said = [(await kit.say(anna, room, "first")).ref]
    page = Page(await kit.house.latest(anna.id, room.id, 99))
    for number, step in enumerate(taken):
        with suppress(Refused):
            page = await _step(kit, (anna, room, said), page, number, step)
    while news := await kit.house.after(anna.id, room.id, page.cursor, 4):
        page.follow(news)
    loaded = await kit.house.latest(anna.id, room.id, 99)
    fresh = await kit.opened().latest(anna.id, room.id, 99)
    assert page.shown == Page(fresh).shown
    assert loaded == fresh
    assert [entry.ref for entry in fresh if entry.kind is EntryKind.SAID] == said


async def _step(kit: HouseKit, inside: tuple, page: Page, number: int, step: tuple) -> Page:
    house, (anna, room, said) = kit.house, inside
    match step:
        case ("say",):
            said.append((await kit.say(anna, room, f"text {number}")).ref)
        case ("edit", n, text):
            await house.edit(anna.id, room.id, said[n % len(said)], f"e{number}", text)
        case ("withdraw", n):
            await house.withdraw(anna.id, room.id, said[n % len(said)])
        case ("react", n, emoji, on):
            await house.react(anna.id, room.id, said[n % len(said)], emoji, on=on)
        case ("load",):
            return Page(await house.latest(anna.id, room.id, 99))
        case ("follow", limit):
            page.follow(await house.after(anna.id, room.id, page.cursor, limit))
        case ("restart",):
            kit.opened()
    return page


moves = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "join",
                "join",
                "join",
                "leave",
                "leave",
                "rename",
                "rename",
                "title",
                "invite",
                "revoke",
                "restart",
            ]
        ),
        st.integers(0, 4),
        st.sampled_from(["Anna", "ANNA", "\u0410nna", "Ben", "B-en", "Cleo"]),
    ),
    min_size=8,
    max_size=40,
)


@settings(deadline=None, max_examples=100)
@given(moves)
def test_whatever_people_do_a_room_stays_in_order(made):
    asyncio.run(_in_order(made))


async def _in_order(made: list[tuple[str, int, str]]) -> None:
    kit = HouseKit()
    people = [await kit.guest(name) for name in ("Anna", "Ben", "Cleo", "Anna", "Ben")]
    keeper = await kit.guest("Keeper")
    room = await kit.house.create(keeper.id, "Garden", "c1")
    links = [await kit.house.invite(keeper.id, room.id, uses=2)]
    admitted: Counter[str] = Counter()
    for what, who, name in made:
        person, before = people[who].id, await kit.house.place(room.id)
        with suppress(Refused):
            await _move(kit, person, room.id, links, (what, name))
            admitted[links[-1].id] += what == "join" and person not in before.members
        await _check(kit, room.id, [*people, keeper])
        assert max(admitted.values(), default=0) <= 2


async def _move(kit: HouseKit, person: str, room: str, links: list, move: tuple[str, str]) -> None:
    what, name = move
    match what:
        case "join":
            await kit.house.join(person, links[-1].code)
        case "leave":
            await kit.house.leave(person, room)
        case "rename":
            await kit.house.rename(person, name, "red")
        case "title":
            await kit.house.title(person, room, name)
        case "invite":
            links.append(await kit.house.invite(person, room, uses=2))
        case "revoke":
            await kit.house.revoke(person, room, links[-1].id)
        case _:
            kit.opened()


async def _check(kit: HouseKit, room: str, people: list) -> None:
    state = await kit.house.place(room)
    assert state is not None
    assert state.kind is RoomKind.GROUP
    names = [skeleton(member.name) for member in state.members.values()]
    assert len(names) == len(set(names))
    assert all(each.uses is None or each.used <= each.uses for each in state.invitations.values())
    for person in people:
        seated = [each.room.id for each in await kit.house.rooms_of(person.id)]
        assert seated == ([room] if person.id in state.members else [])
    stored = await kit.records.after(f"room/{room}", 0, 999)
    assert fold(room, [(record.position, event_of(record)) for record in stored]) == state
