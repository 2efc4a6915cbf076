"""Messages: saying, changing, reacting, and the assistant's side of it."""

import asyncio
import json
from datetime import datetime

import pytest

from adapters.base import Purpose
from adapters.webchat.entries import EntryKind
from adapters.webchat.house import House, HouseRules, RefusalCode, Refused
from tests.fixtures.houses import HouseKit, edit_op, send_op


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


def refused(code: RefusalCode):
    return pytest.raises(Refused, check=lambda exc: exc.code is code and bool(exc.text))


def wire(entry) -> dict:
    """Write an entry as the page reads it."""
    return json.loads(json.dumps(entry.to_wire(lambda markdown: [["p", markdown]])))


async def test_a_message_is_stored_with_its_author(kit, anna, room):
    said = await kit.house.say(anna.id, room.id, "c1", "hello\r\nall \U0001f44b", None)
    assert wire(said) == {
        "pos": said.pos,
        "ref": f"said:{anna.id}:c1",
        "kind": "said",
        "at": kit.clock.now().isoformat(),
        "by": anna.id,
        "name": "Anna",
        "text": "hello\nall \U0001f44b",
    }
    assert await kit.opened().latest(anna.id, room.id, 1) == [said]


async def test_the_same_client_id_says_it_once(kit, anna, room):
    end = await kit.house.end(room.id)
    said = await asyncio.gather(*(kit.house.say(anna.id, room.id, "c1", "hello") for _ in range(4)))
    later = await kit.opened().say(anna.id, room.id, "c1", "hello")
    assert {entry.pos for entry in [*said, later]} == {end + 1}
    assert await kit.house.end(room.id) == end + 1


async def test_two_people_may_use_the_same_client_id(kit, anna, ben, room):
    said = [await kit.house.say(each.id, room.id, "c1", each.name) for each in (anna, ben)]
    assert [entry.text for entry in said] == ["Anna", "Ben"]


async def test_a_repeated_message_that_was_taken_back_stays_so(kit, anna, room):
    said = await kit.house.say(anna.id, room.id, "c1", "oops")
    await kit.house.withdraw(anna.id, room.id, said.ref)
    assert (await kit.house.say(anna.id, room.id, "c1", "oops")).withdrawn


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("", RefusalCode.MALFORMED, id="empty"),
        pytest.param(" \n\t ", RefusalCode.MALFORMED, id="blank"),
        pytest.param("\x00\x07", RefusalCode.MALFORMED, id="nothing that can be written"),
        pytest.param("x" * 20_001, RefusalCode.TOO_LONG, id="too long"),
    ],
)
async def test_messages_that_are_not_taken(kit, anna, room, text, code):
    said = await kit.say(anna, room, "fine")
    for attempt in (
        kit.house.say(anna.id, room.id, "c1", text),
        kit.house.edit(anna.id, room.id, said.ref, "e1", text),
    ):
        with refused(code):
            await attempt
    assert (await kit.house.latest(anna.id, room.id, 1)) == [said]


async def test_a_large_paste_is_told_in_numbers(kit, anna, room):
    with pytest.raises(Refused, match=r"100,000 characters.*20,000"):
        await kit.house.say(anna.id, room.id, "c1", "x" * 100_000)


async def test_half_characters_and_control_characters_do_not_reach_others(kit, anna, room):
    said = await kit.say(anna, room, "a\ud800b\x00c\x1b[1md\te")
    assert said.text == "a\ufffdbc[1md\te"


@pytest.mark.parametrize("client_id", ["", "a b", "x" * 65, "ä", "a/b", "a\n"])
async def test_client_ids_that_are_not_ours(kit, anna, room, client_id):
    for attempt in (
        kit.house.say(anna.id, room.id, client_id, "hello"),
        kit.house.create(anna.id, "Garden", client_id),
    ):
        with refused(RefusalCode.MALFORMED):
            await attempt


async def test_a_reply_names_what_it_replies_to(kit, anna, ben, room):
    question = await kit.say(anna, room, "when?")
    answer = await kit.say(ben, room, "at noon", question.ref)
    assert wire(answer)["reply_to"] == question.ref
    with refused(RefusalCode.NOT_FOUND):
        await kit.say(ben, room, "what?", "said:nobody:c9")
    with refused(RefusalCode.NOT_FOUND):
        await kit.say(ben, room, "what?", "x" * 5000)
    await kit.house.withdraw(anna.id, room.id, question.ref)
    with refused(RefusalCode.GONE):
        await kit.say(ben, room, "still?", question.ref)


async def test_an_edit_is_news_and_changes_the_message_where_it_stands(kit, anna, room):
    said = await kit.say(anna, room, "helo")
    await kit.say(anna, room, "next")
    news = await kit.house.edit(anna.id, room.id, said.ref, "e1", "hello")
    assert (news.kind, news.target, news.text) == (EntryKind.EDIT, said.ref, "hello")
    for house in (kit.house, kit.opened()):
        page = await house.latest(anna.id, room.id, 2)
        assert [(entry.pos, entry.text, entry.edited) for entry in page] == [
            (said.pos, "hello", True),
            (said.pos + 1, "next", False),
        ]
        assert await house.after(anna.id, room.id, said.pos + 1, 9) == [news]


async def test_of_many_edits_one_is_left_as_news(kit, anna, room):
    said = await kit.say(anna, room, "0")
    for n in range(1, 20):
        await kit.house.edit(anna.id, room.id, said.ref, f"e{n}", str(n))
    news = await kit.opened().after(anna.id, room.id, said.pos, 99)
    assert [entry.text for entry in news] == ["19"]


async def test_a_late_repetition_of_an_edit_undoes_nothing(kit, anna, room):
    said = await kit.say(anna, room, "one")
    await kit.house.edit(anna.id, room.id, said.ref, "e1", "two")
    await kit.house.edit(anna.id, room.id, said.ref, "e2", "three")
    assert await kit.house.edit(anna.id, room.id, said.ref, "e1", "two") is None
    assert (await kit.house.standing(room.id, said.ref)).text == "three"


async def test_a_message_taken_back_leaves_nothing_of_itself(kit, anna, room):
    said = await kit.say(anna, room, "my secret")
    await kit.house.edit(anna.id, room.id, said.ref, "e1", "my other secret")
    news = await kit.house.withdraw(anna.id, room.id, said.ref)
    assert wire(news)["target"] == said.ref
    assert "secret" not in repr(kit.records._streams)
    (shown,) = await kit.opened().latest(anna.id, room.id, 1)
    assert (shown.pos, shown.withdrawn, shown.text) == (said.pos, True, "")
    assert await kit.house.withdraw(anna.id, room.id, said.ref) is None
    with refused(RefusalCode.GONE):
        await kit.house.edit(anna.id, room.id, said.ref, "e2", "again")
    with refused(RefusalCode.GONE):
        await kit.house.react(anna.id, room.id, said.ref, "\U0001f44d", on=True)


async def test_only_ones_own_messages_can_be_changed(kit, anna, ben, room):
    said = await kit.say(anna, room, "mine")
    sent = await kit.reply(room, "the assistant's", "op1")
    for ref in (said.ref, sent.ref):
        with refused(RefusalCode.FORBIDDEN):
            await kit.house.edit(ben.id, room.id, ref, "e1", "yours")
        with refused(RefusalCode.FORBIDDEN):
            await kit.house.withdraw(ben.id, room.id, ref)


@pytest.mark.parametrize("ref", ["", "said:nobody:c1", "event:created:1", "change:x", "x" * 5000])
async def test_what_is_no_message_cannot_be_changed(kit, anna, room, ref):
    if ref.startswith("event"):
        ref = (await kit.house.latest(anna.id, room.id, 1))[0].ref
        assert ref.startswith("event")
    for attempt in (
        kit.house.edit(anna.id, room.id, ref, "e1", "x"),
        kit.house.withdraw(anna.id, room.id, ref),
        kit.house.react(anna.id, room.id, ref, "\U0001f44d", on=True),
        kit.house.rate(anna.id, room.id, ref, "up"),
    ):
        with refused(RefusalCode.NOT_FOUND):
            await attempt


async def test_reactions_are_counted_by_person(kit, anna, ben, room):
    said = await kit.say(anna, room, "done!")
    for person in (anna, ben):
        news = await kit.house.react(person.id, room.id, said.ref, "\U0001f389", on=True)
        assert wire(news) | {"emoji": "\U0001f389", "on": True, "by": person.id} == wire(news)
    assert await kit.house.react(ben.id, room.id, said.ref, "\U0001f389", on=True) is None
    standing = await kit.opened().standing(room.id, said.ref)
    assert wire(standing)["reactions"] == {"\U0001f389": [anna.id, ben.id]}
    for person in (anna, ben):
        await kit.house.react(person.id, room.id, said.ref, "\U0001f389", on=False)
    assert "reactions" not in wire(await kit.house.standing(room.id, said.ref))
    assert await kit.house.react(ben.id, room.id, said.ref, "\U0001f389", on=False) is None


@pytest.mark.parametrize(
    "emoji",
    [
        "\U0001f44d",
        "\u2764\ufe0f",
        "\U0001f44d\U0001f3fd",
        "\U0001f1e9\U0001f1ea",
        "1\ufe0f\u20e3",
        "\u203c\ufe0f",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    ],
    ids=ascii,
)
async def test_emoji_are_reactions(kit, anna, room, emoji):
    said = await kit.say(anna, room, "done!")
    assert (await kit.house.react(anna.id, room.id, said.ref, emoji, on=True)).emoji == emoji


@pytest.mark.parametrize(
    "emoji", ["", "a", "ok", "1", "<b>", "\u202e", "\U0001f44d ", "\U0001f44d" * 17, "\u200d", "\ufe0f", "\ud83d"],
    ids=ascii,
)  # fmt: skip
async def test_nothing_else_is_a_reaction(kit, anna, room, emoji):
    said = await kit.say(anna, room, "done!")
    with refused(RefusalCode.MALFORMED):
        await kit.house.react(anna.id, room.id, said.ref, emoji, on=True)


async def test_different_reactions_are_bounded():
    kit = HouseKit(HouseRules(reactions_limit=2))
    anna = await kit.guest("Anna")
    room, _ = await kit.group(anna)
    said = await kit.say(anna, room, "done!")
    for emoji in "\U0001f44d\U0001f389":
        await kit.house.react(anna.id, room.id, said.ref, emoji, on=True)
    with refused(RefusalCode.TOO_MANY):
        await kit.house.react(anna.id, room.id, said.ref, "\U0001f440", on=True)
    await kit.house.react(anna.id, room.id, said.ref, "\U0001f44d", on=False)
    await kit.house.react(anna.id, room.id, said.ref, "\U0001f440", on=True)


async def test_many_react_at_once_and_nobody_is_lost(kit, anna):
    room, people = await kit.group(anna, *"ABCDEFGH", title="Choir")
    said = await kit.say(anna, room, "done!")
    news = await asyncio.gather(
        *(kit.house.react(each.id, room.id, said.ref, "\U0001f44d", on=True) for each in people)
    )
    assert len({entry.pos for entry in news}) == 8
    standing = await kit.opened().standing(room.id, said.ref)
    assert sorted(standing.reactions["\U0001f44d"]) == sorted(each.id for each in people)


async def test_a_reply_is_posted_once_and_rendered_for_the_page(kit, anna, room):
    question = await kit.say(anna, room, "@Aside why?")
    op = send_op(room.id, "op1", reply_to=question.ref)
    posted = [await house.post(op, "**So**", (question.ref,)) for house in (kit.house, kit.opened())]
    assert posted[0] == posted[1]
    assert wire(posted[0]) == {
        "pos": question.pos + 1,
        "ref": "sent:op1",
        "kind": "sent",
        "at": kit.clock.now().isoformat(),
        "by": "",
        "name": "Aside",
        "blocks": [["p", "**So**"]],
        "markdown": "**So**",
        "purpose": "reply",
        "answers": [question.ref],
        "reply_to": question.ref,
    }


async def test_a_placeholder_becomes_the_reply_where_it_stands(kit, anna, room):
    sign = await kit.house.post(send_op(room.id, "op1", purpose=Purpose.PLACEHOLDER), "thinking", ())
    await kit.say(anna, room, "meanwhile")
    op = edit_op(room.id, sign.ref, "op2")
    news = await kit.house.revise(op, "done", ("said:x",))
    assert (wire(news)["blocks"], wire(news)["purpose"], wire(news)["answers"]) == (
        [["p", "done"]],
        "reply",
        ["said:x"],
    )
    assert await kit.house.revise(op, "done", ("said:x",)) is None
    assert await kit.house.revise(op, "done") is None
    standing = await kit.opened().standing(room.id, sign.ref)
    assert (standing.pos, standing.markdown, standing.edited) == (sign.pos, "done", False)
    assert (await kit.house.revise(op, "done better")) is not None
    assert (await kit.house.standing(room.id, sign.ref)).edited


async def test_the_assistant_changes_only_its_own_messages(kit, anna, room):
    said = await kit.say(anna, room, "mine")
    for ref in (said.ref, "sent:unknown"):
        with refused(RefusalCode.NOT_FOUND):
            await kit.house.revise(edit_op(room.id, ref, "op2"), "yours")
        assert await kit.house.take_back(room.id, ref) is None
    assert (await kit.house.standing(room.id, said.ref)).text == "mine"


async def test_the_assistant_takes_a_message_back(kit, room):
    sent = await kit.reply(room, "too early", "op1")
    assert (await kit.house.take_back(room.id, sent.ref)).kind is EntryKind.WITHDRAW
    assert await kit.house.take_back(room.id, sent.ref) is None
    assert "too early" not in repr(kit.records._streams)
    with refused(RefusalCode.GONE):
        await kit.house.revise(edit_op(room.id, sent.ref, "op2"), "again")


async def test_nothing_is_posted_to_a_room_that_is_not_there(kit, anna, ben, room):
    for person in (anna, ben):
        await kit.house.leave(person.id, room.id)
    for ref in (room.id, "r" + "x" * 22, "person/x"):
        with refused(RefusalCode.NOT_FOUND):
            await kit.house.post(send_op(ref, "op1"), "hello?", ())
        with refused(RefusalCode.NOT_FOUND):
            await kit.house.revise(edit_op(ref, "sent:op1", "op2"), "hello?")
    assert await kit.records.latest(f"log/{room.id}", 9) == []


async def test_replies_are_rated_and_a_rating_can_be_taken_off(kit, anna, ben, room):
    sent = await kit.reply(room, "so", "op1")
    for value in ("up", "down", "none"):
        await kit.house.rate(anna.id, room.id, sent.ref, value)
    await kit.house.rate(ben.id, room.id, sent.ref, "up")
    stored = await kit.records.latest(f"feedback/{room.id}", 9)
    assert [json.loads(record.body)["value"] for record in stored] == ["none", "up"]


async def test_only_replies_are_rated_and_only_so(kit, anna, room):
    said = await kit.say(anna, room, "hello")
    notice = await kit.house.post(send_op(room.id, "op1", purpose=Purpose.NOTICE), "busy", ())
    sent = await kit.reply(room, "so", "op2")
    for ref, value in ((said.ref, "up"), (notice.ref, "up"), (sent.ref, "great")):
        with refused(RefusalCode.MALFORMED):
            await kit.house.rate(anna.id, room.id, ref, value)


async def test_what_the_person_was_called_then_stays_with_the_message(kit, anna, room):
    said = await kit.say(anna, room, "hello")
    await kit.house.rename(anna.id, "Anne", "red")
    assert (await kit.house.standing(room.id, said.ref)).name == "Anna"
    assert (await kit.say(anna, room, "again")).name == "Anne"


STRANGERS = {
    "room": lambda h, p, r, m: h.room(p, r),
    "member": lambda h, p, r, m: h.member(p, r),
    "title": lambda h, p, r, m: h.title(p, r, "Mine"),
    "leave": lambda h, p, r, m: h.leave(p, r),
    "mute": lambda h, p, r, m: h.mute(p, r, on=True),
    "read": lambda h, p, r, m: h.read(p, r, 1),
    "invite": lambda h, p, r, m: h.invite(p, r),
    "invitations": lambda h, p, r, m: h.invitations(p, r),
    "revoke": lambda h, p, r, m: h.revoke(p, r, "id"),
    "say": lambda h, p, r, m: h.say(p, r, "c1", "hello"),
    "edit": lambda h, p, r, m: h.edit(p, r, m, "c1", "hello"),
    "withdraw": lambda h, p, r, m: h.withdraw(p, r, m),
    "react": lambda h, p, r, m: h.react(p, r, m, "\U0001f44d", on=True),
    "rate": lambda h, p, r, m: h.rate(p, r, m, "up"),
    "after": lambda h, p, r, m: h.after(p, r, 0, 9),
    "latest": lambda h, p, r, m: h.latest(p, r, 9),
    "before": lambda h, p, r, m: h.before(p, r, 9, 9),
    "search": lambda h, p, r, m: h.search(p, "secret", r),
    "glance": lambda h, p, r, m: h.glance(p, r),
    "unread": lambda h, p, r, m: h.unread(p, r),
}
#: What is asked without a room, by the server itself, or for the assistant.
ROOMLESS = {
    *("person", "enter", "rename", "may_create", "look", "join", "rooms_of", "create", "pair", "direct"),
    *("host", "keep_reads", "cookie_secret", "sweep"),
    *(
        "place",
        "standing",
        "end",
        "since",
        "post",
        "revise",
        "take_back",
        "membership",
        "forget_said",
        "sweep_room",
    ),
}


def test_every_method_with_a_room_is_asked_by_a_stranger():
    public = {name for name in dir(House) if not name.startswith("_") and callable(getattr(House, name))}
    assert public == {*STRANGERS, *ROOMLESS}


@pytest.mark.parametrize("ask", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("who", ["somebody else", "one who left", "nobody"])
async def test_a_room_is_closed_to_who_is_not_in_it(kit, ben, room, ask, who):
    secret = await kit.reply(room, "secret", "op1")
    if who == "one who left":
        await kit.house.leave(ben.id, room.id)
    stranger = {"somebody else": (await kit.guest("Cleo")).id, "one who left": ben.id, "nobody": "p1"}[who]
    before = {name: dict(stream.records) for name, stream in kit.records._streams.items()}
    with refused(RefusalCode.NOT_MEMBER):
        await ask(kit.house, stranger, room.id, secret.ref)
    assert {name: dict(stream.records) for name, stream in kit.records._streams.items()} == before


@pytest.mark.parametrize("ask", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("room_id", ["r" + "x" * 22, "", "../person", "person/p"])
async def test_a_room_that_is_not_there_sounds_like_one_that_is_closed(kit, anna, ask, room_id):
    with refused(RefusalCode.NOT_MEMBER):
        await ask(kit.house, anna.id, room_id, "said:x:y")


async def test_instants_are_aware(kit, anna, room):
    said = await kit.say(anna, room, "hello")
    assert datetime.fromisoformat(wire(said)["at"]).tzinfo is not None
