"""Buttons, members, migrations, guests and inline questions reach the core, and people's spinners end."""

import pytest

from adapters.base import (
    Action,
    Addressed,
    Button,
    ConversationKind,
    ConversationMoved,
    Membership,
    StopRequested,
)
from adapters.markdown import parse
from tests.adapters.telegram.conftest import Subject
from tests.adapters.telegram_bot.seen import ChatKind

STOP = Button(action=Action.STOP, label="Stop")
GOOD = Button(action=Action.GOOD, label="👍")


async def test_a_pressed_button_is_told_and_always_answered(subject: Subject, group, ann) -> None:
    sent = await subject.send(str(group.id), buttons=(STOP, GOOD))
    query = subject.control.asking.press(subject.control.answers(group)[0], ann, "👍")
    subject.sink.told = "Thank you."
    async with subject.polling() as sink:
        (event,) = await sink.first()
        await subject.control.until(lambda: not subject.control.unanswered())
    assert (event.action, event.message, event.conversation) == (Action.GOOD, sent.message, str(group.id))
    assert (event.sender.id, event.event_key) == (str(ann.id), f"p:{query.id}")
    assert query.answer is not None
    assert query.answer["text"] == "Thank you."


async def test_a_button_is_answered_even_if_the_core_cannot(subject: Subject, dm, ann) -> None:
    await subject.send(str(dm.id), buttons=(STOP,))
    query = subject.control.asking.press(subject.control.answers(dm)[0], ann, "Stop")
    subject.sink.fails = True
    async with subject.polling() as sink:
        await subject.control.until(lambda: not subject.control.unanswered())
        sink.fails = False
        assert len(await sink.first()) == 1
    assert query.answer is not None
    assert "try again" in query.answer["text"]


async def test_a_button_in_a_topic_belongs_to_the_topic(subject: Subject, ann) -> None:
    forum = subject.control.people.group("Forum", [ann], topics=["Plans"])
    (topic,) = map(int, forum.topics)
    await subject.send(f"{forum.id}/{topic}", buttons=(STOP,))
    subject.control.asking.press(subject.control.answers(forum)[0], ann, "Stop")
    async with subject.polling() as sink:
        (event,) = await sink.first()
    assert event.conversation == f"{forum.id}/{topic}"


async def test_a_group_that_becomes_a_supergroup_moves(subject: Subject, ann) -> None:
    group = subject.control.people.group("Old", [ann], kind=ChatKind.GROUP)
    new = subject.control.people.migrate(group)
    async with subject.polling() as sink:
        both = await sink.first(2)
    expected = ConversationMoved(adapter="telegram", account="424242", old=str(group.id), new=str(new.id))
    assert both == [expected, expected]


async def test_being_let_in_and_thrown_out_is_told(subject: Subject, ann) -> None:
    group = subject.control.people.group("New", [ann], bot="left")
    bot = subject.control.world.bot
    subject.control.people.move(group, bot, "member", by=ann)
    subject.control.people.move(group, bot, "administrator", by=ann)
    subject.control.people.move(group, bot, "kicked", by=ann)
    async with subject.polling() as sink:
        events = await sink.first(2)
    assert [event.change for event in events] == [Membership.ADDED, Membership.REMOVED]
    assert [(event.person, event.kind) for event in events] == [(None, ConversationKind.GROUP)] * 2
    assert len({event.event_key for event in events}) == 2


async def test_a_block_is_a_removal_from_a_direct_chat(subject: Subject, dm, ann) -> None:
    subject.control.people.block(ann)
    async with subject.polling() as sink:
        (event,) = await sink.first()
    assert (event.change, event.kind, event.conversation) == (
        Membership.REMOVED,
        ConversationKind.DIRECT,
        str(dm.id),
    )


async def test_who_comes_and_leaves_is_told(subject: Subject, group, ann) -> None:
    bo = subject.control.people.user("Bo")
    subject.control.people.move(group, bo, "member", by=ann)
    subject.control.people.move(group, bo, "left", by=bo)
    async with subject.polling() as sink:
        events = await sink.first(2)
    assert [(event.change, event.person.name) for event in events] == [
        (Membership.JOINED, "Bo"),
        (Membership.LEFT, "Bo"),
    ]


async def test_a_draft_that_is_stopped_stops_the_turn(subject: Subject, dm, ann) -> None:
    assert subject.platform.drafts is not None
    await subject.platform.drafts.draft("bot", str(dm.id), "turn", parse("so far"))
    async with subject.polling() as sink:
        await subject.control.until(lambda: subject.control.journal.made("getUpdates"))
        (draft,) = subject.control.drafts(dm)
        subject.control.asking.stop_draft(dm, draft.draft_id)
        (event,) = await sink.first()
    assert isinstance(event, StopRequested)
    assert (event.conversation, event.sender.name) == (str(dm.id), "Ann Lee")


async def test_a_guests_mention_is_a_question_in_a_conversation_of_its_own(subject: Subject, ann) -> None:
    bo = subject.control.people.user("Bo")
    chat = subject.control.people.between(ann, bo)
    asked = subject.control.talk
    query = subject.control.asking.call_guest(chat, ann, "👍🏽 @aside_bot hi")
    assert asked
    async with subject.polling() as sink:
        (event,) = await sink.first()
        sent = await subject.send(event.conversation.ref, reply_to=event.message, buttons=(STOP,))
        subject.control.asking.press(subject.control.answers(chat)[0], bo, "Stop")
        pressed = (await sink.first(2))[1]
    assert (event.conversation.ref, event.conversation.kind) == (
        f"g/{bo.id}/{ann.id}",
        ConversationKind.GROUP,
    )
    assert (event.text, event.addressed, event.event_key) == (
        "👍🏽 @assistant hi",
        Addressed.MENTION,
        f"g:{query.id}",
    )
    assert (pressed.conversation, pressed.message) == (event.conversation.ref, sent.message)


async def test_two_peoples_chats_with_one_person_are_not_one_conversation(subject: Subject, ann) -> None:
    bo, cy = subject.control.people.user("Bo"), subject.control.people.user("Cy")
    for other in (bo, cy):
        chat = subject.control.people.between(other, ann)
        subject.control.asking.call_guest(chat, other, "@aside_bot hi")
    async with subject.polling() as sink:
        events = await sink.first(2)
    assert len({event.conversation.ref for event in events}) == 2


async def test_an_inline_question_becomes_the_answer_in_that_very_message(
    subject: Subject, group, ann
) -> None:
    query = subject.control.asking.ask_inline(ann, "why is the sky blue?")
    async with subject.polling() as sink:
        await subject.control.until(lambda: not subject.control.unanswered())
        message = subject.control.asking.choose(query, "ask", group)
        (event,) = await sink.first()
        assert message.text == "why is the sky blue?\n\nOne moment…"
        sent = await subject.send(event.conversation.ref, "it scatters", reply_to=event.message)
        assert message.text == "it scatters"
        await subject.edit(event.conversation.ref, sent.message, "so", buttons=(STOP,))
        subject.control.asking.press(message, ann, "Stop")
        pressed = (await sink.first(2))[1]
    assert (event.text, event.addressed) == ("why is the sky blue?", Addressed.MENTION)
    assert event.conversation.ref == f"i/{message.inline_message_id}"
    assert (pressed.conversation, pressed.message) == (event.conversation.ref, sent.message)


async def test_nothing_is_offered_while_nothing_is_asked(subject: Subject, ann) -> None:
    query = subject.control.asking.ask_inline(ann, "  ")
    async with subject.polling():
        await subject.control.until(lambda: not subject.control.unanswered())
    assert query.answer["results"] == []


@pytest.mark.parametrize("question", ["x" * 256, "👍🏽" * 128, "@everyone https://x.org/a"], ids=len)
async def test_any_question_can_be_offered_without_a_live_link(
    subject: Subject, group, ann, question
) -> None:
    query = subject.control.asking.ask_inline(ann, question)
    async with subject.polling():
        await subject.control.until(lambda: not subject.control.unanswered())
    message = subject.control.asking.choose(query, "ask", group)
    assert (message.links, message.mentions, message.preview) == ([], [], None)
