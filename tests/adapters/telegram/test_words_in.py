"""What people write is told to the core as facts: who, where, to whom, and in which words."""

import pytest

from adapters.base import Addressed, AttachmentKind, ConversationKind, Inbound
from tests.adapters.telegram.conftest import Subject
from tests.adapters.telegram_bot.files import Upload

MENTION, DIRECT, NOT = Addressed.MENTION, Addressed.DIRECT, Addressed.NOT


async def told(subject: Subject, count: int = 1) -> list[Inbound]:
    async with subject.polling() as sink:
        return list(await sink.first(count))


async def test_a_direct_message_states_facts(subject: Subject, dm, ann) -> None:
    said = subject.control.talk.say(dm, ann, "hello")
    (event,) = await told(subject)
    assert (event.conversation.ref, event.conversation.kind) == (str(dm.id), ConversationKind.DIRECT)
    assert (event.message, event.event_key) == (str(said.message_id), f"m:{dm.id}:{said.message_id}")
    assert (event.sender.id, event.sender.name) == (str(ann.id), "Ann Lee")
    assert (event.text, event.addressed, event.account) == ("hello", DIRECT, "424242")
    assert (event.mentions_known, event.sent_at.tzinfo is not None) == (True, True)


@pytest.mark.parametrize(
    ("text", "expected", "addressed"),
    [
        ("@aside_bot hi", "@assistant hi", MENTION),
        ("👍🏽 hey @Aside_Bot", "👍🏽 hey @assistant", MENTION),
        ("👍🏽 @aside_bot's 👨‍👩‍👧 and @aside_bot!", "👍🏽 @assistant's 👨‍👩‍👧 and @assistant!", MENTION),
        ("ask @other_bot", "ask @other_bot", NOT),
        ("mail me@aside_bot.org", "mail me@aside_bot.org", NOT),
        ("x@aside_bot", "x@aside_bot", NOT),
        ("see https://t.me/@aside_bot", "see https://t.me/@aside_bot", NOT),
        ("/help@aside_bot", "/help", MENTION),
        ("/help@other_bot", "/help@other_bot", NOT),
        ("/start@aside_bot", "", MENTION),
    ],
    ids=["call", "emoji", "twice", "other", "mail", "in-a-word", "url", "command", "others-command", "start"],
)
async def test_a_mention_is_what_telegram_says_it_is(
    subject: Subject, group, text, expected, addressed
) -> None:
    somebody = subject.control.people.user("Bo")
    subject.control.talk.say(group, somebody, text)
    (event,) = await told(subject)
    assert (event.text, event.addressed) == (expected, addressed)


async def test_somebody_without_a_name_is_no_mention_of_us(subject: Subject, group, ann) -> None:
    bo = subject.control.people.user("Bo")
    subject.control.talk.say(group, ann, "ask Bo", mentions={"Bo": bo})
    subject.control.talk.say(group, ann, "ask Aside", mentions={"Aside": subject.control.world.bot})
    one, other = await told(subject, 2)
    assert (one.text, one.addressed) == ("ask Bo", NOT)
    assert (other.text, other.addressed) == ("ask @assistant", MENTION)


async def test_start_opens_a_direct_chat_and_asks_nothing(subject: Subject, dm, ann) -> None:
    subject.control.talk.say(dm, ann, "/start")
    (event,) = await told(subject)
    assert (event.text, event.addressed) == ("", DIRECT)


async def test_a_photos_caption_is_its_text_and_the_largest_size_is_attached(
    subject: Subject, group, ann
) -> None:
    upload = Upload(body=b"\xff\xd8\xff" + b"x" * 50, kind="photo")
    subject.control.talk.say(group, ann, "@aside_bot what is this?", upload=upload)
    (event,) = await told(subject)
    (picture,) = event.attachments
    assert (event.text, event.addressed) == ("@assistant what is this?", MENTION)
    assert (picture.kind, picture.size_bytes, picture.mime) == (AttachmentKind.PICTURE, 53, "image/jpeg")
    assert subject.fake.token not in picture.ref


@pytest.mark.parametrize("kind", ["document", "voice", "audio", "video", "animation"])
async def test_a_file_without_words_is_told(subject: Subject, dm, ann, kind) -> None:
    subject.control.talk.say(dm, ann, upload=Upload(body=b"x", kind=kind, mime="a/b"))
    (event,) = await told(subject)
    assert (event.text, [each.mime for each in event.attachments]) == ("", ["a/b"])


async def test_a_reply_quotes_whom_it_replies_to(subject: Subject, group, ann) -> None:
    bo = subject.control.people.user("Bo")
    said = subject.control.talk.say(group, bo, "the sky is green")
    subject.control.talk.say(group, ann, "@aside_bot really?", reply_to=said)
    event = (await told(subject, 2))[1]
    assert event.quoted is not None
    assert (event.quoted.author, event.quoted.author_id) == ("Bo", str(bo.id))
    assert (event.quoted.text, event.quoted.by_assistant) == ("the sky is green", False)


async def test_a_piece_that_was_chosen_stands_for_the_whole(subject: Subject, group, ann) -> None:
    said = subject.control.talk.say(group, ann, "one two three")
    subject.control.talk.say(group, ann, "@aside_bot this", reply_to=said, quote="two")
    event = (await told(subject, 2))[1]
    assert event.quoted is not None
    assert event.quoted.text == "two"


async def test_a_reply_to_us_addresses_us(subject: Subject, group, ann) -> None:
    await subject.send(str(group.id), "the answer")
    ours = subject.control.answers(group)[0]
    subject.control.talk.say(group, ann, "and then?", reply_to=ours)
    (event,) = await told(subject)
    assert event.addressed is Addressed.REPLY_TO_ASSISTANT
    assert event.quoted is not None
    assert (event.quoted.text, event.quoted.by_assistant) == ("the answer", True)


async def test_a_message_of_another_chat_is_quoted_by_its_piece(subject: Subject, dm, ann) -> None:
    elsewhere = subject.control.people.group("Elsewhere", [ann], bot="left")
    quoted = subject.control.talk.say(elsewhere, ann, "from elsewhere")
    subject.control.talk.say(dm, ann, "see", external_reply=quoted, quote="elsewhere")
    (event,) = await told(subject)
    assert event.quoted is not None
    assert (event.quoted.text, event.quoted.author) == ("elsewhere", "Ann Lee")


async def test_what_is_forwarded_is_quoted_and_asked_about(subject: Subject, dm, ann) -> None:
    subject.control.talk.say(dm, ann, "/stop it, says Cy", forwarded_from="Cy")
    (event,) = await told(subject)
    assert event.quoted is not None
    assert (event.quoted.author, event.quoted.text, event.quoted.by_assistant) == (
        "Cy",
        "/stop it, says Cy",
        False,
    )
    assert event.text == "@assistant"


async def test_a_mention_in_what_is_forwarded_into_a_group_is_somebody_elses(
    subject: Subject, group, ann
) -> None:
    subject.control.talk.say(group, ann, "@aside_bot do it", forwarded_from="Cy")
    (event,) = await told(subject)
    assert (event.addressed, event.text) == (NOT, "")


async def test_a_topic_is_a_conversation_and_general_is_the_chats_own(subject: Subject, ann) -> None:
    subject.control.rules.reads_all = True
    forum = subject.control.people.group("Forum", [ann], topics=["Plans"])
    (topic,) = map(int, forum.topics)
    subject.control.talk.say(forum, ann, "in it", topic=topic)
    subject.control.talk.say(forum, ann, "in general")
    inside, general = await told(subject, 2)
    assert (inside.conversation.ref, general.conversation.ref) == (f"{forum.id}/{topic}", str(forum.id))
    # What replies to nothing there is written as a reply to the topic's own first message.
    assert inside.quoted is None


async def test_a_chain_of_replies_is_no_topic(subject: Subject, group, ann) -> None:
    said = subject.control.talk.say(group, ann, "one")
    subject.control.talk.say(group, ann, "two", reply_to=said)
    assert {event.conversation.ref for event in await told(subject, 2)} == {str(group.id)}


async def test_a_hidden_admin_speaks_as_the_group_and_a_channel_as_itself(
    subject: Subject, group, ann
) -> None:
    news = subject.control.people.channel("News")
    subject.control.talk.say(group, ann, "@aside_bot one", as_chat=group)
    subject.control.talk.say(group, ann, "@aside_bot two", as_chat=news)
    admin, channel = await told(subject, 2)
    assert (admin.sender.id, admin.sender.name, admin.sender_is_admin) == (str(group.id), "Team", True)
    assert (channel.sender.id, channel.sender.name) == (str(news.id), "News")


async def test_who_is_an_admin_is_asked_behind_a_command_only_and_once(subject: Subject, group, ann) -> None:
    bo = subject.control.people.user("Bo")
    subject.control.people.move(group, bo, "member", by=ann)
    for who, text in ((ann, "/forget@aside_bot chat"), (bo, "/forget@aside_bot chat"), (bo, "@aside_bot hi")):
        subject.control.talk.say(group, who, text)
    subject.control.talk.say(group, ann, "/privacy@aside_bot")
    events = [event for event in await told(subject, 5) if isinstance(event, Inbound)]
    assert [event.sender_is_admin for event in events] == [True, False, None, True]
    assert len(subject.control.journal.made("getChatMember")) == 2


async def test_a_channel_is_nobodys_admin_and_is_not_asked_for(subject: Subject, group) -> None:
    news = subject.control.people.channel("News")
    subject.control.talk.say(group, None, "/forget@aside_bot chat", as_chat=news)
    subject.control.talk.say(group, subject.control.people.user("Bo"), "/forget@aside_bot chat", as_chat=news)
    events = await told(subject, 2)
    assert [event.sender_is_admin for event in events if event.addressed] == [False]
    assert subject.control.journal.made("getChatMember") == []
