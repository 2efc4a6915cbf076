"""What we send to Telegram, as its readers see it; the fake refuses whatever no correct bot asks."""

import pytest

from adapters.base import Action, Button, LiveOutput
from adapters.content import Content, Link, Paragraph, Text
from adapters.errors import (
    Ambiguous,
    AuthFailed,
    Gone,
    Rejected,
    RetryAfter,
    Unreachable,
    WindowClosed,
)
from adapters.markdown import parse
from tests.adapters.telegram.conftest import Subject, subject_on
from tests.adapters.telegram_bot.faults import Fault
from tests.adapters.telegram_bot.seen import ChatKind


async def test_markup_is_shown_as_entities(subject: Subject, dm) -> None:
    await subject.send(str(dm.id), parse("👍🏽 **bold** and `code`"))
    (message,) = subject.control.answers(dm)
    assert (message.text, list(message.marked("bold")), list(message.marked("code"))) == (
        "👍🏽 bold and code",
        ["bold"],
        ["code"],
    )


async def test_a_reply_quotes_the_message_if_it_is_still_there(subject: Subject, group, ann) -> None:
    said = subject.control.talk.say(group, ann, "hi")
    await subject.send(str(group.id), reply_to=str(said.message_id))
    subject.control.talk.unsay(said)
    await subject.send(str(group.id), "later", reply_to=str(said.message_id))
    assert [answer.reply_to for answer in subject.control.answers(group)] == [said.message_id, None]


async def test_a_topic_is_written_in_and_general_has_no_number(subject: Subject, ann) -> None:
    forum = subject.control.people.group("Forum", [ann], topics=["Plans"])
    (topic,) = map(int, forum.topics)
    await subject.send(f"{forum.id}/{topic}")
    await subject.send(str(forum.id))
    assert [answer.thread_id for answer in subject.control.answers(forum)] == [topic, None]


async def test_only_a_known_link_is_live_and_nothing_has_a_preview(subject: Subject, dm) -> None:
    content = Content((Paragraph((Link("here", "https://known.org/a"), Text(" and https://other.org"))),))
    sent = await subject.send(str(dm.id), content, links=frozenset({"https://known.org/a"}))
    await subject.edit(str(dm.id), sent.message, content, links=frozenset({"https://known.org/a"}))
    (message,) = subject.control.answers(dm)
    assert message.links == ["https://known.org/a"]
    assert [version.preview for version in message.versions] == [None] * len(message.versions)


async def test_buttons_stand_under_a_message_until_an_edit_leaves_them_out(subject: Subject, dm) -> None:
    stop = Button(action=Action.STOP, label="Stop")
    sent = await subject.send(str(dm.id), buttons=(stop,))
    assert subject.control.answers(dm)[0].labels == ["Stop"]
    await subject.edit(str(dm.id), sent.message, "done")
    assert subject.control.answers(dm)[0].labels == []


async def test_entities_that_are_refused_are_left_out_once(subject: Subject, dm) -> None:
    subject.control.fail(Fault.ENTITIES_REFUSED)
    await subject.send(str(dm.id), parse("**bold** https://x.org"))
    (message,) = subject.control.answers(dm)
    assert (message.entities, message.links) == ([], [])
    assert len(subject.control.journal.made("sendMessage")) == 2


@pytest.mark.parametrize(
    ("fault", "error", "arrived"),
    [
        (Fault.RATE_LIMITED, RetryAfter, 0),
        (Fault.RATE_LIMITED_SILENTLY, RetryAfter, 0),
        (Fault.LOST_REQUEST, Ambiguous, 0),
        (Fault.LOST_RESPONSE, Ambiguous, 1),
        (Fault.SERVER_ERROR, Ambiguous, 0),
        (Fault.BAD_GATEWAY, Ambiguous, 0),
        (Fault.BAD_GATEWAY_AFTER, Ambiguous, 1),
        (Fault.UNAUTHORIZED, AuthFailed, 0),
    ],
    ids=lambda value: getattr(value, "value", None),
)
async def test_each_refusal_is_told_apart_and_nothing_is_repeated(
    subject: Subject, dm, fault, error, arrived
) -> None:
    subject.control.fail(fault)
    with pytest.raises(error):
        await subject.send(str(dm.id))
    assert len(subject.control.texts(dm)) == arrived
    assert len(subject.control.journal.made("sendMessage")) == 1


async def test_where_nobody_listens_nothing_was_sent(telegram) -> None:
    async with subject_on(telegram, base_url="http://127.0.0.1:9/bot") as subject:
        with pytest.raises(Unreachable):
            await subject.send("1")


async def test_a_blocked_bot_and_a_bot_thrown_out_are_gone(subject: Subject, dm, group, ann) -> None:
    subject.control.people.block(ann)
    subject.control.people.move(group, subject.control.world.bot, "kicked", by=ann)
    for chat in (dm, group):
        with pytest.raises(Gone):
            await subject.send(str(chat.id))


async def test_typing_is_shown_in_the_topic(subject: Subject, ann) -> None:
    forum = subject.control.people.group("Forum", [ann], topics=["Plans"])
    (topic,) = map(int, forum.topics)
    assert subject.platform.typing is not None
    await subject.platform.typing.typing("bot", f"{forum.id}/{topic}")
    assert subject.control.is_typing(forum, topic)


async def test_a_draft_grows_and_goes_when_the_message_comes(subject: Subject, dm) -> None:
    drafts, chat = subject.platform.drafts, str(dm.id)
    assert drafts is not None
    await drafts.draft("bot", chat, "turn", None)
    await drafts.draft("bot", chat, "turn", parse("**so** far"))
    (draft,) = subject.control.drafts(dm)
    assert (draft.text, draft.snapshots, draft.can_stop) == ("so far", 2, True)
    await subject.send(chat, "so far and on")
    assert subject.control.drafts(dm) == []


async def test_a_group_has_no_drafts(subject: Subject, group) -> None:
    assert subject.platform.drafts is not None
    assert subject.platform.adapter.capabilities(str(group.id)).live is LiveOutput.EDIT
    with pytest.raises(Rejected):
        await subject.platform.drafts.draft("bot", str(group.id), "turn", None)


async def test_a_guest_writes_one_message_and_edits_it(subject: Subject, ann) -> None:
    bo = subject.control.people.user("Bo")
    chat = subject.control.people.between(ann, bo)
    query = subject.control.asking.call_guest(chat, ann, "@aside_bot hi")
    where, asked = f"g/{bo.id}/{ann.id}", f"q:{query.id}"
    stop = Button(action=Action.STOP, label="Stop")
    sent = await subject.send(where, "one moment", reply_to=asked, buttons=(stop,))
    await subject.edit(where, sent.message, parse("the **answer**"))
    (message,) = subject.control.answers(chat)
    assert (message.text, list(message.marked("bold")), message.preview) == ("the answer", ["answer"], None)
    for reply_to in (asked, None):
        with pytest.raises(WindowClosed):
            await subject.send(where, "more", reply_to=reply_to)


async def test_what_has_no_room_in_a_guests_message_is_said_to_be_missing(subject: Subject, ann) -> None:
    chat = subject.control.people.between(ann, subject.control.people.user("Bo"))
    query = subject.control.asking.call_guest(chat, ann, "@aside_bot hi")
    where = f"g/{chat.told_id}/{ann.id}"
    (only,) = subject.platform.adapter.split("word " * 3000, where)
    await subject.send(where, parse(only), reply_to=f"q:{query.id}", may_be_duplicate=True)
    assert subject.control.answers(chat)[0].text.endswith("the one message I may write here.")


async def test_a_message_of_the_old_group_is_none_of_the_supergroups(subject: Subject, ann) -> None:
    group = subject.control.people.group("Old", [ann], kind=ChatKind.GROUP)
    sent = await subject.send(str(group.id))
    new = subject.control.people.migrate(group)
    with pytest.raises(Rejected):
        await subject.edit(str(new.id), sent.message, "other")
    await subject.send(str(new.id), "anew", reply_to=sent.message)
    assert [answer.reply_to for answer in subject.control.answers(new)] == [None]
