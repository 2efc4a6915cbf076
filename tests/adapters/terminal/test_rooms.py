"""People in rooms: who sees what, in which order, and what the core is told."""

import asyncio

import pytest

from adapters.base import Addressed, ConversationKind, Edit, LivePhase, Outcome, Purpose
from adapters.content import plain
from adapters.terminal.frames import Ack, Author, Live, Message, Refusal, Say, Stop


async def test_everybody_in_a_group_sees_a_message(terminal):
    anna, ben = await terminal.join("Anna", "team"), await terminal.join("Ben", "team")
    await anna.write(Say(id="1", text="hello"))
    for person in (anna, ben):
        message = await person.message()
        assert (message.name, message.text, message.author) == ("Anna", "hello", Author.PERSON)


async def test_another_group_sees_nothing(terminal):
    anna, ben = await terminal.join("Anna", "team"), await terminal.join("Ben", "others")
    await anna.say("hello")
    await ben.write(Say(id="1", text="mine"))
    assert (await ben.message()).text == "mine"


async def test_the_core_is_told_the_facts_of_a_group_message(terminal):
    anna = await terminal.join("Anna", "Team")
    ack = await anna.say("@assistant hi", id="a1")
    event = terminal.sink.events[0]
    assert (event.adapter, event.account, event.conversation.ref) == ("terminal", "local", "group:team")
    assert (event.conversation.kind, event.conversation.title) == (ConversationKind.GROUP, "Team")
    assert (event.sender.id, event.sender.name, event.text) == ("anna", "Anna", "@assistant hi")
    assert (event.addressed, event.mentions_known, event.message) == (Addressed.NOT, False, ack.ref)
    assert event.sent_at.tzinfo is not None


async def test_without_a_chat_name_every_message_addresses_the_assistant(terminal):
    anna = await terminal.join("Anna")
    await anna.say("hi")
    assert terminal.sink.events[0].addressed == Addressed.DIRECT
    assert terminal.sink.events[0].conversation.ref == "direct:anna"


async def test_a_reply_to_the_assistant_addresses_it_and_quotes_it(terminal):
    anna = await terminal.join("Anna", "team")
    sent = await terminal.reply("group:team", "**Hi**")
    await anna.say("why?", reply_to=sent.message)
    event = terminal.sink.events[0]
    assert event.addressed == Addressed.REPLY_TO_ASSISTANT
    assert (event.quoted.ref, event.quoted.text, event.quoted.by_assistant) == (sent.message, "**Hi**", True)


async def test_a_reply_to_a_person_is_only_quoted(terminal):
    anna = await terminal.join("Anna", "team")
    ack = await anna.say("first", id="1")
    await anna.say("second", id="2", reply_to=ack.ref)
    event = terminal.sink.events[1]
    assert (event.addressed, event.quoted.author, event.quoted.by_assistant) == (Addressed.NOT, "Anna", False)
    assert event.quoted.author_id == event.sender.id


async def test_a_reply_to_nothing_is_refused(terminal):
    anna = await terminal.join("Anna", "team")
    await anna.write(Say(id="1", text="x", reply_to="sent:none"))
    assert await anna.read(Refusal) == Refusal(
        id="1", why="The message you reply to is not in this room.", retry=False
    )


async def test_the_same_id_twice_is_one_message_and_the_same_event(terminal):
    anna = await terminal.join("Anna", "team")
    await anna.say("hello")
    assert (await anna.say("hello")).outcome is Outcome.DUPLICATE
    assert terminal.sink.events[0] == terminal.sink.events[1]
    assert len(await terminal.records.latest("group:team", 10)) == 1


async def test_two_people_may_use_the_same_id(terminal):
    anna, ben = await terminal.join("Anna", "team"), await terminal.join("Ben", "team")
    await anna.say("a")
    await ben.say("b")
    assert len({event.event_key for event in terminal.sink.events}) == 2


async def test_without_a_decision_nothing_is_acknowledged_and_a_retry_is_the_same_message(terminal):
    terminal.sink.failures = 1
    anna = await terminal.join("Anna", "team")
    await anna.write(Say(id="1", text="hello"))
    refusal = await anna.read(Refusal)
    assert (refusal.id, refusal.retry) == ("1", True)
    assert "can be sent again" in refusal.why
    assert (await anna.say("hello")).outcome is Outcome.ACCEPTED
    assert len(await terminal.records.latest("group:team", 10)) == 1


async def test_the_assistants_messages_are_not_inbound(terminal):
    anna = await terminal.join("Anna", "team")
    await terminal.reply("group:team", "hi")
    assert (await anna.message()).author is Author.ASSISTANT
    assert terminal.sink.events == []


async def test_several_terminals_may_be_the_same_person(terminal):
    one, two = await terminal.join("Anna", "team"), await terminal.join("anna", "team")
    await one.say("hello")
    assert (await two.message()).text == "hello"


async def test_joining_shows_the_newest_messages(socket_path, make_terminal):
    async with make_terminal(socket_path, history=2).running() as terminal:
        anna = await terminal.join("Anna", "team")
        for number in range(4):
            await anna.say(f"m{number}", id=str(number))
        ben = await terminal.join("Ben", "team")
        assert [(await ben.message()).text for _ in range(2)] == ["m2", "m3"]


async def test_a_cursor_resumes_without_gap_or_duplicate(terminal):
    anna = await terminal.join("Anna", "team")
    for number in range(3):
        await anna.say(f"m{number}", id=str(number))
    again = await terminal.join("Anna", "team", after=1)
    seen = [await again.message() for _ in range(2)]
    assert [(message.position, message.text) for message in seen] == [(2, "m1"), (3, "m2")]


async def test_a_reply_grows_for_everybody_and_its_final_text_replaces_it(terminal):
    anna, ben = await terminal.join("Anna", "team"), await terminal.join("Ben", "team")
    ref = (await anna.say("@assistant hi")).ref
    await terminal.show("group:team", "", to=ref, phase=LivePhase.THINKING, number=0)
    for person in (anna, ben):
        assert (await person.live()).phase is LivePhase.THINKING
    await terminal.show("group:team", "Hel", to=ref)
    for person in (anna, ben):
        assert await person.live() == Live(
            turn_id="turn-1", reply_to=ref, phase=LivePhase.STREAMING, text="Hel"
        )
    await terminal.reply("group:team", "Hello", to=ref)
    for person in (anna, ben):
        message, end = await person.read((Message, Live)), await person.read((Message, Live))
        assert (message.text, message.answers, end.phase) == ("Hello", (ref,), LivePhase.ENDED)


async def test_a_stale_snapshot_is_not_shown(terminal):
    anna = await terminal.join("Anna")
    ref = (await anna.say("hi")).ref
    await terminal.show("direct:anna", "longer", to=ref, number=2)
    await terminal.show("direct:anna", "old", to=ref, number=1)
    assert (await anna.live()).text == "longer"
    await terminal.show("direct:anna", "newest", to=ref, number=3)
    assert (await anna.live()).text == "newest"


async def test_a_snapshot_behind_the_reply_shows_nothing(terminal):
    anna = await terminal.join("Anna")
    ref = (await anna.say("hi")).ref
    await terminal.reply("direct:anna", "done", to=ref)
    await terminal.show("direct:anna", "late", to=ref, number=9)
    await anna.say("next", id="2")
    later = await terminal.join("Anna")
    assert [type(await later.read()) for _ in range(3)] == [Message, Message, Message]
    assert not terminal.adapter._rooms.at("direct:anna").live


async def test_a_snapshot_after_a_restart_does_not_bring_back_what_was_answered(socket_path, make_terminal):
    terminal = make_terminal(socket_path)
    async with terminal.running():
        anna = await terminal.join("Anna")
        ref = (await anna.say("hi")).ref
        await terminal.reply("direct:anna", "done", to=ref)
    terminal.start()
    async with terminal.running():
        anna = await terminal.join("Anna")
        await terminal.show("direct:anna", "late", to=ref, number=9)
        assert not terminal.adapter._rooms.at("direct:anna").live


async def test_who_joins_while_a_reply_grows_sees_it(terminal):
    anna = await terminal.join("Anna", "team")
    ref = (await anna.say("@assistant hi")).ref
    await terminal.show("group:team", "Hel", to=ref)
    ben = await terminal.join("Ben", "team")
    assert (await ben.live()).text == "Hel"


async def test_somebody_slow_gets_only_the_newest_state_and_blocks_nobody(terminal):
    """A client that does not read skips to the newest snapshot; showing never waits for it."""
    anna = await terminal.join("Anna", limit=64 * 1024)
    ref = (await anna.say("hi")).ref
    async with asyncio.timeout(20):
        for number in range(1, 101):
            await terminal.show("direct:anna", f"{number} " + "x" * 20_000, to=ref, number=number)
            await asyncio.sleep(0)
    seen = 0
    while True:
        seen += 1
        if (await anna.live()).text.startswith("100 "):
            break
    assert seen < 100


async def test_the_reply_to_joined_messages_answers_each_of_them(terminal):
    terminal.sink.turn_id = "t"
    anna = await terminal.join("Anna")
    first, second = await anna.say("one", id="1"), await anna.say("two", id="2")
    await terminal.reply("direct:anna", "both", to=first.ref)
    message = await anna.message()
    while message.author is Author.PERSON:
        message = await anna.message()
    assert message.answers == (first.ref, second.ref)


async def test_an_edit_replaces_for_everybody_and_what_stands_stays(terminal):
    anna = await terminal.join("Anna")
    sent = await terminal.reply("direct:anna", "one moment", purpose=Purpose.PLACEHOLDER)
    edit = Edit(
        op_id="op-2",
        account="local",
        conversation="direct:anna",
        message=sent.message,
        content=plain("the answer"),
        purpose=Purpose.REPLY,
    )
    for _ in range(2):
        assert await terminal.adapter.edit(edit) == sent
    await anna.message()
    edited = await anna.message()
    assert (edited.replaces, edited.text, edited.author) == (sent.message, "the answer", Author.ASSISTANT)
    assert len(await terminal.records.latest("direct:anna", 10)) == 2


async def test_a_stale_edit_is_put_right_by_repeating_the_newest(terminal):
    sent = await terminal.reply("direct:anna", "a")
    edits = [
        Edit(
            op_id="op-2",
            account="local",
            conversation="direct:anna",
            message=sent.message,
            content=plain(text),
            purpose=Purpose.REPLY,
        )
        for text in ("final", "stale", "final")
    ]
    for edit in edits:
        await terminal.adapter.edit(edit)
    standing = await terminal.adapter.history.standing("direct:anna", sent.message)
    assert standing[0].text == "final"


async def test_a_wish_to_stop_reaches_the_core(terminal):
    anna = await terminal.join("Anna", "team")
    await anna.write(Stop())
    assert (await anna.read(Ack)).outcome is Outcome.DONE
    assert [(stop.conversation, stop.sender.id) for stop in terminal.sink.stops] == [("group:team", "anna")]


async def test_nothing_a_model_writes_moves_the_cursor(terminal):
    anna = await terminal.join("Anna")
    await terminal.reply("direct:anna", "\x1b[2Jgone\x07 \u202etxet")
    assert (await anna.message()).text == "[2Jgone txet"


@pytest.mark.parametrize("outcome", [Outcome.IGNORED, Outcome.REFUSED, Outcome.JOINED])
async def test_the_client_is_told_the_outcome(terminal, outcome):
    terminal.sink.outcome = outcome
    anna = await terminal.join("Anna", "team")
    assert (await anna.say("x")).outcome is outcome
