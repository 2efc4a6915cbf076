"""Topics, drafts and typing: where they may be, and when they vanish."""

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.raw_bot import RawBot


@pytest.fixture
def ann(control: Control):
    return control.people.user("Ann", username="ann_lee")


@pytest.fixture
def dm(control: Control, ann):
    return control.people.private(ann)


@pytest.fixture
def group(control: Control, ann):
    return control.people.group("Team", [ann])


async def test_topics_are_named_only_where_there_are_some(bot: RawBot, control: Control, group, ann) -> None:
    forum = control.people.group("Forum", [ann], topics=["News"])
    topic = int(next(iter(forum.topics)))
    sent = (await bot.send(forum, "in News", message_thread_id=topic)).result
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (topic, True)
    assert [message.text for message in control.answers(forum, topic=topic)] == ["in News"]
    assert (await bot.send(forum, "?", message_thread_id=777)).why == "Bad Request: message thread not found"
    assert control.violations == []
    assert (await bot.send(forum, "General", message_thread_id=1)).status == 400
    assert (await bot.send(group, "x", message_thread_id=5)).status == 400
    assert len(control.violations) == 2


async def test_typing_is_shown_in_general_by_its_number(bot: RawBot, control: Control, ann) -> None:
    forum = control.people.group("Forum", [ann], topics=["News"])
    await bot("sendChatAction", chat_id=forum.id, message_thread_id=1, action="typing")
    assert control.is_typing(forum)
    assert control.violations == []


async def test_a_reply_in_a_topic_stays_in_it(bot: RawBot, control: Control, ann) -> None:
    forum = control.people.group("Forum", [ann], topics=["News"])
    topic = int(next(iter(forum.topics)))
    said = control.talk.say(forum, ann, "here", topic=topic)
    sent = await bot.send(forum, "there", reply_parameters={"message_id": said.message_id})
    assert sent.result["message_thread_id"] == topic


async def test_a_closed_topic_takes_nothing(bot: RawBot, control: Control, ann) -> None:
    forum = control.people.group("Forum", [ann], topics=["News"])
    topic = int(next(iter(forum.topics)))
    control.people.close_topic(forum, topic)
    assert (await bot.send(forum, "x", message_thread_id=topic)).why == "Bad Request: TOPIC_CLOSED"


async def test_typing_vanishes_after_five_seconds_or_with_a_message(
    bot: RawBot, control: Control, dm
) -> None:
    await bot("sendChatAction", chat_id=dm.id, action="typing")
    assert control.is_typing(dm)
    control.advance(5.1)
    assert not control.is_typing(dm)
    await bot("sendChatAction", chat_id=dm.id, action="typing")
    await bot.send(dm, "here")
    assert not control.is_typing(dm)


async def test_a_draft_vanishes_after_thirty_seconds_or_with_its_message(
    bot: RawBot, control: Control, dm
) -> None:
    await bot("sendMessageDraft", chat_id=dm.id, draft_id=7, text="so fa")
    await bot("sendMessageDraft", chat_id=dm.id, draft_id=7, text="so far")
    assert [(draft.text, draft.snapshots) for draft in control.drafts(dm)] == [("so far", 2)]
    control.advance(30.1)
    assert control.drafts(dm) == []
    await bot("sendMessageDraft", chat_id=dm.id, draft_id=7, text="")
    await bot.send(dm, "so far, so good")
    assert control.drafts(dm) == []
    assert control.texts(dm) == ["so far, so good"]


async def test_a_draft_is_shown_in_private_chats_only(bot: RawBot, control: Control, group) -> None:
    refused = await bot("sendMessageDraft", chat_id=group.id, draft_id=7, text="x")
    assert refused.why == "Bad Request: TEXTDRAFT_PEER_INVALID"
    assert len(control.violations) == 1


async def test_a_stopped_draft_is_told_of(bot: RawBot, control: Control, dm) -> None:
    await bot.updates(allowed_updates=["stopped_message_generation"])
    await bot("sendMessageDraft", chat_id=dm.id, draft_id=7, text="x", can_stop=True)
    control.asking.stop_draft(dm, 7)
    (update,) = await bot.updates()
    assert update["stopped_message_generation"]["draft_id"] == 7
    assert control.drafts(dm) == []
