"""People talking over real WebSockets: who hears what, once, in order, and from where they were."""

import asyncio
import random

import pytest

from adapters.base import EngineNow
from adapters.webchat.frames import MAX_FRAME_BYTES
from tests.fixtures.webchat import Refusal


async def refused(asking):
    with pytest.raises(Refusal) as refusal:
        await asking
    return refusal.value.code


async def test_what_is_said_reaches_everybody_and_the_assistant_only_when_addressed(people, chat):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    said = await ann.say(room, "lunch?")
    heard = await bob.entry(room, kind="said")
    assert (heard["text"], heard["name"], heard["ref"]) == ("lunch?", "Ann", said["ref"])
    assert chat.sink.events == []
    await bob.say(room, "@assistant what is for lunch?", reply_to=said["ref"])
    event = chat.sink.events[0]
    assert (event.sender.id, event.sender.name) == (guests[1].me["id"], "Bob")
    assert (event.quoted.text, event.quoted.author, event.quoted.by_assistant) == ("lunch?", "Ann", False)
    assert event.quoted.author_id == guests[0].me["id"]
    assert event.conversation.ref == room


async def test_the_same_message_twice_is_one(people, chat):
    room, _, (ann, bob) = await people.group("Ann", "Bob")
    first = await ann.say(room, "@assistant hi", client_id="once")
    again = await asyncio.gather(*(ann.say(room, "@assistant hi", client_id="once") for _ in range(3)))
    assert again == [first] * 3
    await ann.say(room, "after")
    await bob.until(lambda: "after" in bob.texts(room))
    assert bob.texts(room) == ["@assistant hi", "after"]
    assert len({event.event_key for event in chat.sink.events}) == 1


async def test_what_the_core_could_not_take_may_be_said_again_and_stands_once(people, chat):
    room, _, (ann, bob) = await people.group("Ann", "Bob")
    chat.sink.fails = True
    assert await refused(ann.say(room, "@assistant hi", client_id="c1")) == "try_again"
    chat.sink.fails = False
    await ann.say(room, "@assistant hi", client_id="c1")
    await ann.say(room, "after")
    await bob.until(lambda: "after" in bob.texts(room))
    assert bob.texts(room) == ["@assistant hi", "after"]
    assert len({event.event_key for event in chat.sink.events}) == 1


async def test_a_stranger_hears_nothing_of_a_room_and_can_do_nothing_there(people, chat):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    eve = await people.tab(await people.guest("Eve"), {room: 0})
    said = await ann.say(room, "secret")
    target = {"room": room, "ref": said["ref"]}
    for do, details in {
        "say": {"room": room, "client_id": "c", "text": "x"},
        "edit": target | {"client_id": "c", "text": "x"},
        "withdraw": target,
        "react": target | {"emoji": "👍", "on": True},
        "rate": target | {"value": "up"},
        "retry": target | {"client_id": "c"},
        "stop": {"room": room},
        "history": {"room": room},
        "search": {"room": room, "text": "secret"},
        "title": {"room": room, "title": "x"},
        "invite": {"room": room},
        "invitations": {"room": room},
        "revoke": {"room": room, "invitation": "x"},
        "members": {"room": room},
        "leave": {"room": room},
        "mute": {"room": room, "on": True},
        "read": {"room": room, "pos": 1},
        "typing": {"room": room},
    }.items():
        assert await refused(eve.ask(do, **details)) == "not_member", do
    assert (await eve.ask("search", text="secret"))["hits"] == []
    assert [event for event in eve.events if event.get("room") == room] == []
    assert chat.sink.stops == []


async def test_whoever_leaves_hears_nothing_more_on_any_tab(people):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    second = await people.tab(guests[1])
    await bob.ask("leave", room=room)
    await second.event("gone", room=room)
    await ann.say(room, "now that Bob is gone")
    await ann.say(ann.hello["rooms"][0]["id"], "marker")
    await ann.until(lambda: len(ann.texts(room)) == 1)
    await second.ask("search", text="x")
    assert second.texts(room) == bob.texts(room) == []
    told = await ann.until(
        lambda: [
            event for event in ann.events if event["event"] == "room" and event["room"]["member_count"] == 1
        ]
    )
    assert told[-1]["room"]["id"] == room


async def test_who_comes_in_hears_what_is_new_and_the_others_that_they_came(people):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    code = (await ann.ask("invite", room=room, uses=1))["url"].rpartition("/")[2]
    eve = await people.tab(await people.guest("Eve"))
    joined = await eve.ask("join", code=code)
    assert joined["title"] == "Team"
    assert {member["name"] for member in joined["members"]} == {"Ann", "Bob", "Eve"}
    assert (await ann.entry(room, kind="event", what="joined", name="Eve"))["pos"] > 0
    await ann.say(room, "welcome")
    await eve.entry(room, text="welcome")
    assert await refused((await people.tab(await people.guest("Mia"))).ask("join", code=code)) == "used_up"


async def test_five_tabs_of_one_person_see_the_same_and_read_together(people):
    room, guests, (ann, _) = await people.group("Ann", "Bob")
    tabs = [await people.tab(guests[1]) for _ in range(4)]
    said = await ann.say(room, "hello")
    for tab in tabs:
        await tab.entry(room, text="hello")
    await tabs[0].ask("read", room=room, pos=said["pos"])
    for tab in tabs[1:]:
        await tab.event("read", room=room, pos=said["pos"])
    again = await people.tab(guests[1])
    mine = next(known for known in again.hello["rooms"] if known["id"] == room)
    assert (mine["read_pos"], mine["unread"]) == (said["pos"], 0)
    assert not [event for event in tabs[0].events if event["event"] == "read"]


async def test_unread_counts_what_others_said_since(people):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    await bob.close()
    for number in range(3):
        await ann.say(room, f"message {number}")
    back = await people.tab(guests[1])
    mine = next(known for known in back.hello["rooms"] if known["id"] == room)
    assert (mine["unread"], mine["last"]["text"]) == (3, "message 2")


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_comes_back_again_and_again_has_everything_once_and_in_order(people, seed):
    """A reader that is cut off at any moment, while others talk, and goes on from what it has."""
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    chance = random.Random(seed)
    said = [f"message {number}" for number in range(8)]
    held, heard = bob.cursors[room], []

    def have():
        return heard + [entry["pos"] for entry in bob.entries(room)]

    for text in said:
        newest = (await ann.say(room, text))["pos"]
        if chance.random() < 0.6:
            if chance.random() < 0.5:
                await bob.until(lambda newest=newest: have() and have()[-1] >= newest)
            bob.socket._response.connection.transport.abort()
            heard = have()
            held = max([held, *heard])
            bob = await people.tab(guests[1], {room: held})
    await bob.until(lambda: have() and have()[-1] >= newest)
    assert have() == sorted(set(have()))
    page = await bob.ask("history", room=room)
    spoken = [entry for entry in page["entries"] if entry["kind"] == "said"]
    assert [entry["text"] for entry in spoken] == said
    assert set(have()) >= {entry["pos"] for entry in spoken}


async def test_whoever_was_away_for_long_is_told_to_read_the_newest_page(people, chat):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    held = bob.cursors
    await bob.close()
    house = chat.adapter._house
    for number in range(600):
        await house.say(guests[0].me["id"], room, f"c{number}", f"message {number}")
    back = await people.tab(guests[1], held)
    await back.event("reset", room=room)
    await ann.say(room, "and on")
    await back.entry(room, text="and on")
    assert back.texts(room) == ["and on"]


async def test_history_goes_back_page_by_page_to_the_beginning(people, chat):
    room, guests, (ann, _) = await people.group("Ann", "Bob")
    for number in range(130):
        await chat.adapter._house.say(guests[0].me["id"], room, f"c{number}", str(number))
    texts, before, more = [], None, True
    while more:
        page = await ann.ask("history", room=room, limit=60, **({"before": before} if before else {}))
        texts = [entry.get("text") for entry in page["entries"] if entry["kind"] == "said"] + texts
        before, more = page["entries"][0]["pos"], page["more"]
    assert texts == [str(number) for number in range(130)]


async def test_changes_of_a_message_reach_everybody(people):
    room, _, (ann, bob) = await people.group("Ann", "Bob")
    ref = (await ann.say(room, "frist"))["ref"]
    await ann.ask("edit", room=room, ref=ref, client_id="e1", text="first")
    assert (await bob.entry(room, kind="edit", target=ref))["text"] == "first"
    await bob.ask("react", room=room, ref=ref, emoji="👍", on=True)
    assert (await ann.entry(room, kind="react", target=ref))["emoji"] == "👍"
    assert await refused(bob.ask("withdraw", room=room, ref=ref)) == "forbidden"
    await ann.ask("withdraw", room=room, ref=ref)
    await bob.entry(room, kind="withdraw", target=ref)
    page = await bob.ask("history", room=room)
    gone = next(entry for entry in page["entries"] if entry["ref"] == ref)
    assert gone["withdrawn"]
    assert not gone["text"]


async def test_the_core_hears_of_edits_and_withdrawals(people, chat):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    ref = (await ann.say(room, "@assistant frist"))["ref"]
    await ann.ask("edit", room=room, ref=ref, client_id="e1", text="@assistant first")
    (edited,) = chat.sink.edits
    (asked,) = chat.sink.events
    assert (edited.text, edited.event_key) == ("@assistant first", asked.event_key)
    await ann.ask("withdraw", room=room, ref=ref)
    (withdrawn,) = chat.sink.withdrawals
    assert (withdrawn.conversation, withdrawn.message) == (room, ref)


@pytest.mark.parametrize("do", ["edit", "withdraw"])
async def test_a_change_that_the_core_did_not_hear_of_can_be_repeated(people, chat, do):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    ref = (await ann.say(room, "@assistant hello"))["ref"]
    more = {"client_id": "e1", "text": "@assistant bye"} if do == "edit" else {}
    chat.sink.fails = True
    assert await refused(ann.ask(do, room=room, ref=ref, **more)) == "try_again"
    chat.sink.fails = False
    await ann.ask(do, room=room, ref=ref, **more)
    # It may have been told again by itself meanwhile.
    assert len(chat.sink.edits) + len(chat.sink.withdrawals) in (1, 2)


async def test_an_edit_of_what_the_core_never_got_is_handed_over_as_it_stands(people, chat):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    chat.sink.fails = True
    assert await refused(ann.say(room, "@assistant one")) == "try_again"
    ref = (await ann.entry(room, text="@assistant one"))["ref"]
    chat.sink.fails = False
    await ann.ask("edit", room=room, ref=ref, client_id="e1", text="@assistant two")
    assert chat.sink.edits[-1].text == "@assistant two"


@pytest.mark.parametrize(
    ("do", "more"), [("withdraw", {}), ("edit", {"client_id": "e1", "text": "never mind"})]
)
async def test_what_waits_for_a_message_that_asks_no_more_is_seen_no_more(people, do, more):
    room, _, (ann, bob) = await people.group("Ann", "Bob")
    ref = (await ann.say(room, "@assistant hello"))["ref"]
    await bob.event("live", room=room, reply_to=ref, phase="waiting")
    await ann.ask(do, room=room, ref=ref, **more)
    await bob.event("live", room=room, reply_to=ref, phase="ended")


async def test_typing_is_seen_by_the_others_only(people):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    await ann.ask("typing", room=room)
    typing = await bob.event("typing", room=room)
    assert typing["person"] == {"id": guests[0].me["id"], "name": "Ann"}
    assert not [event for event in ann.events if event["event"] == "typing"]


async def test_coming_is_seen_and_a_reload_is_not_a_going(people):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    await ann.until(
        lambda: [e for e in ann.events if e["event"] == "presence" and guests[1].me["id"] in e["online"]]
    )
    await bob.close()
    again = await people.tab(guests[1])
    mine = next(known for known in again.hello["rooms"] if known["id"] == room)
    assert set(mine["online"]) == {guest.me["id"] for guest in guests}
    await again.close()
    await ann.until(
        lambda: [e for e in ann.events if e["event"] == "presence" and guests[1].me["id"] in e["offline"]]
    )
    gone = [e for e in ann.events if e["event"] == "presence" and guests[1].me["id"] in e["offline"]]
    assert len(gone) == 1


async def test_a_pair_is_opened_on_the_others_tabs_too(people, chat):
    _, guests, (ann, bob) = await people.group("Ann", "Bob")
    pair = await ann.ask("pair", person=guests[1].me["id"])
    assert (pair["kind"], pair["title"]) == ("pair", "Bob")
    opened = await bob.until(
        lambda: [e["room"] for e in bob.events if e["event"] == "room" and e["room"]["id"] == pair["id"]]
    )
    assert opened[0]["title"] == "Ann"
    await ann.say(pair["id"], "psst")
    await bob.entry(pair["id"], text="psst")
    assert chat.sink.events == []


async def test_in_the_direct_room_everything_addresses_the_assistant(people, chat):
    ann = await people.tab(await people.guest("Ann"))
    (direct,) = ann.hello["rooms"]
    assert direct["kind"] == "direct"
    await ann.say(direct["id"], "good morning")
    assert chat.sink.events[0].text == "good morning"
    assert chat.sink.events[0].addressed


async def test_a_new_name_is_seen_in_every_room(people):
    room, _, (ann, bob) = await people.group("Ann", "Bob")
    assert (await ann.ask("profile", name="Anna", colour="red"))["name"] == "Anna"
    told = await bob.until(
        lambda: [
            e
            for e in bob.events
            if e["event"] == "room" and {"Anna", "Bob"} == {member["name"] for member in e["room"]["members"]}
        ]
    )
    assert told[0]["room"]["id"] == room
    assert await refused(bob.ask("profile", name="Аnna", colour="red")) == "name_taken"  # noqa: RUF001 - Cyrillic
    assert await refused(bob.ask("profile", name="assistant", colour="red")) in ("name_bad", "name_taken")


async def test_a_title_reaches_everybody(people):
    room, _, (ann, bob) = await people.group("Ann", "Bob")
    await ann.ask("title", room=room, title="Garden")
    await bob.until(
        lambda: [e for e in bob.events if e["event"] == "room" and e["room"]["title"] == "Garden"]
    )
    assert (await bob.entry(room, kind="event", what="titled"))["title"] == "Garden"


async def test_muting_is_ones_own(people):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    second = await people.tab(guests[0])
    await ann.ask("mute", room=room, on=True)
    told = await second.until(lambda: [e["room"] for e in second.events if e["event"] == "room"])
    assert told[-1]["muted"]
    assert not [e for e in bob.events if e["event"] == "room" and e["room"]["muted"]]


async def test_invitations_can_be_listed_and_taken_back(people):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    made = await ann.ask("invite", room=room, uses=3, hours=2)
    assert made["url"].startswith(people.chat.address + "/join/")
    listed = (await ann.ask("invitations", room=room))["invitations"]
    assert {each["id"] for each in listed} >= {made["id"]}
    assert "code" not in listed[-1]
    await ann.ask("revoke", room=room, invitation=made["id"])
    with pytest.raises(Refusal) as refusal:
        await people.guest("Eve", made["url"].rpartition("/")[2])
    assert refusal.value.code == "gone"


async def test_stop_reaches_the_core_and_takes_away_what_waits(people, chat):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    chat.sink.ahead = 2
    said = await ann.say(room, "@assistant a story")
    waiting = await bob.event("live", phase="waiting")
    assert (waiting["ahead"], waiting["reply_to"]) == (2, said["ref"])
    await bob.ask("stop", room=room)
    await ann.event("live", phase="ended")
    assert chat.sink.stops[0].sender.id == guests[1].me["id"]


async def test_asking_again_is_a_turn_of_its_own_and_safe_to_repeat(people, chat):
    room, guests, (ann, bob) = await people.group("Ann", "Bob")
    ref = (await ann.say(room, "@assistant hi"))["ref"]
    for _ in range(2):
        await bob.ask("retry", room=room, ref=ref, client_id="again1")
    first, *again = chat.sink.events
    assert {event.message for event in again} == {first.message}
    assert {event.sender.id for event in again} == {guests[0].me["id"]}
    assert len({event.event_key for event in chat.sink.events}) == 2
    assert await refused(ann.ask("retry", room=room, ref="said:nobody:x", client_id="c")) == "not_found"


async def test_a_long_paste_is_refused_kindly_and_the_page_stays_connected(people):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    assert await refused(ann.say(room, "x" * 100_000)) == "too_long"
    await ann.say(room, "short")


async def test_a_frame_beyond_any_size_ends_the_connection_before_it_is_read(people):
    _, _, (ann, _) = await people.group("Ann", "Bob")
    await ann.socket.send_str("x" * (MAX_FRAME_BYTES + 10))
    assert await ann.closed() == 1009


async def test_nonsense_is_answered_and_too_much_of_it_ends_the_connection(people):
    _, _, (ann, bob) = await people.group("Ann", "Bob")
    assert await refused(ann.ask("fly")) == "bad_request"
    assert await refused(ann.ask("hello", v=1)) == "bad_request"
    for _ in range(30):
        await ann.socket.send_str("<script>")
    assert await ann.closed() == 4400
    await bob.socket.send_bytes(b"{}")
    assert await bob.closed() == 4400


async def test_a_connection_begins_with_hello(people):
    ann = await people.guest("Ann")
    tab = await ann.open(hello=False)
    people.stack.push_async_callback(tab.close)
    assert await refused(tab.ask("create", title="x", client_id="c")) == "bad_request"
    assert await refused(tab.ask("hello", v=2)) == "bad_request"
    assert (await tab.ask("hello", v=1))["me"]["name"] == "Ann"


async def test_errors_repeat_nothing_anybody_wrote(people):
    room, _, (ann, _) = await people.group("Ann", "Bob")
    for details in (
        {"text": "marmalade" * 9_000},
        {"text": "x", "reply_to": "marmalade"},
        {"text": ["marmalade"]},
    ):
        with pytest.raises(Refusal) as refusal:
            await ann.ask("say", room=room, client_id="c", **details)
        assert "marmalade" not in str(refusal.value.error)


async def test_messages_are_taken_at_a_persons_pace_over_all_tabs(people):
    room, guests, (ann, _) = await people.group("Ann", "Bob")
    second = await people.tab(guests[0])
    for number in range(10):
        await (ann if number % 2 else second).say(room, str(number))
    with pytest.raises(Refusal) as refusal:
        await second.say(room, "one more")
    assert refusal.value.code == "slow_down"
    assert 0 < refusal.value.error["retry_s"] <= 2
    await ann.ask("history", room=room)


async def test_somebody_has_only_so_many_tabs(people):
    ann = await people.guest("Ann")
    for _ in range(20):
        await people.tab(ann)
    tab = await ann.open(hello=False)
    assert await tab.closed() == 4429


async def test_a_stop_of_the_server_is_told_before_it_happens(people, chat):
    _, _, (ann, _) = await people.group("Ann", "Bob")
    await chat.stop()
    await ann.event("bye")
    assert await ann.closed() == 1001


async def test_the_engines_start_is_told_while_it_lasts(people, chat):
    _, _, (ann, _) = await people.group("Ann", "Bob")
    assert ann.hello["engine"]["ready"]
    chat.engine.current = EngineNow(ready=False, text="loading", share=0.5)
    told = await ann.event("engine", ready=False)
    assert (told["text"], told["share"]) == ("loading", 0.5)
