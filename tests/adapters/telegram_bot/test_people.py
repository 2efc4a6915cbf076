"""What people do is told as Telegram tells it, and only what a bot is given."""

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.files import Upload
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.seen import ChatKind, Standing
from tests.adapters.telegram_bot.utf16 import units


@pytest.fixture
def ann(control: Control):
    return control.people.user("Ann", username="ann_lee", language="en")


@pytest.fixture
def dm(control: Control, ann):
    return control.people.private(ann)


@pytest.fixture
def open_group(control: Control, ann):
    control.rules.reads_all = True
    return control.people.group("Team", [ann])


async def one(bot: RawBot, kind: str = "message"):
    (update,) = await bot.updates()
    assert set(update) == {"update_id", kind}
    return update[kind]


async def test_a_message_carries_who_where_and_what(bot: RawBot, control: Control, dm, ann) -> None:
    said = control.talk.say(dm, ann, "Hello @aside_bot")
    told = await one(bot)
    assert told["message_id"] == said.message_id
    assert told["chat"] == {"id": ann.id, "type": "private", "first_name": "Ann", "username": "ann_lee"}
    assert told["from"]["language_code"] == "en"
    assert told["entities"] == [{"type": "mention", "offset": 6, "length": 10}]


async def test_places_are_counted_in_utf16(bot: RawBot, control: Control, dm, ann) -> None:
    control.talk.say(dm, ann, "👍🏽 hey @aside_bot")
    (entity,) = (await one(bot))["entities"]
    assert (entity["offset"], entity["length"]) == (9, 10)


async def test_somebody_without_a_name_is_mentioned_by_id(
    bot: RawBot, control: Control, open_group, ann
) -> None:
    bo = control.people.user("Bo")
    control.talk.say(open_group, ann, "ask Bo", mentions={"Bo": bo})
    (entity,) = (await one(bot))["entities"]
    assert (entity["type"], entity["user"]["id"], entity["offset"]) == ("text_mention", bo.id, 4)


async def test_a_photo_has_a_caption_and_can_be_fetched_for_an_hour(
    bot: RawBot, control: Control, dm, ann
) -> None:
    upload = Upload(body=b"jpeg", kind="photo", name="p.jpg", mime="image/jpeg")
    control.talk.say(dm, ann, "@aside_bot what is this?", upload=upload)
    told = await one(bot)
    assert "text" not in told
    assert told["caption_entities"][0]["type"] == "mention"
    path = (await bot("getFile", file_id=told["photo"][-1]["file_id"])).result["file_path"]
    url = f"{bot.fake.base_file_url}{bot.fake.token}/{path}"
    async with bot.session.get(url) as answer:
        assert await answer.read() == b"jpeg"
    control.advance(3601)
    async with bot.session.get(url) as answer:
        assert answer.status == 404


async def test_a_file_past_20_mb_is_not_handed_out(bot: RawBot, control: Control, dm, ann) -> None:
    control.talk.say(dm, ann, upload=Upload(body=b"x", claimed_bytes=20_000_001))
    file_id = (await one(bot))["document"]["file_id"]
    assert (await bot("getFile", file_id=file_id)).why == "Bad Request: file is too big"
    assert "wrong file_id" in (await bot("getFile", file_id="no such")).why


async def test_an_album_comes_as_several_messages(bot: RawBot, control: Control, dm, ann) -> None:
    control.talk.album(dm, ann, [Upload(body=b"1", kind="photo"), Upload(body=b"2", kind="photo")], "look")
    told = [update["message"] for update in await bot.updates()]
    assert [message.get("caption") for message in told] == ["look", None]
    assert len({message["media_group_id"] for message in told}) == 1


async def test_a_reply_is_told_one_level_deep(bot: RawBot, control: Control, dm, ann) -> None:
    first = control.talk.say(dm, ann, "one")
    second = control.talk.say(dm, ann, "two", reply_to=first)
    control.talk.say(dm, ann, "three", reply_to=second, quote="wo")
    told = (await bot.updates())[-1]["message"]
    assert told["reply_to_message"]["text"] == "two"
    assert "reply_to_message" not in told["reply_to_message"]
    assert told["quote"] == {"text": "wo", "position": 1, "is_manual": True}


async def test_a_reply_across_chats_is_external(bot: RawBot, control: Control, dm, open_group, ann) -> None:
    other = control.people.group("Elsewhere", [ann], bot=Standing.LEFT)
    quoted = control.talk.say(other, ann, "from elsewhere")
    control.talk.say(dm, ann, "see", external_reply=quoted, quote="elsewhere")
    told = await one(bot)
    assert told["external_reply"]["origin"]["sender_user"]["id"] == ann.id
    assert told["external_reply"]["chat"]["id"] == other.id
    assert told["quote"]["text"] == "elsewhere"
    assert "reply_to_message" not in told


@pytest.mark.parametrize(
    "case",
    [("Cy", "hidden_user"), ("user", "user"), ("channel", "channel")],
    ids=["hidden", "user", "channel"],
)
async def test_what_is_forwarded_names_its_origin(bot: RawBot, control: Control, dm, case) -> None:
    who, kind = case
    ann = control.world.users[dm.id]
    origin = {"user": ann, "channel": control.people.channel("News")}.get(who, who)
    control.talk.say(dm, ann, "read this", forwarded_from=origin)
    assert (await one(bot))["forward_origin"]["type"] == kind


async def test_an_edit_is_told_with_its_date_though_nothing_is_seen(
    bot: RawBot, control: Control, dm, ann
) -> None:
    said = control.talk.say(dm, ann, "one")
    control.talk.edit(said)
    update = (await bot.updates())[-1]
    assert update["edited_message"]["text"] == "one"
    assert update["edited_message"]["edit_date"]


async def test_deleting_is_never_told(bot: RawBot, control: Control, dm, ann) -> None:
    control.talk.unsay(control.talk.say(dm, ann, "one"))
    assert len(await bot.updates()) == 1


async def test_an_anonymous_administrator_hides_behind_the_group(
    bot: RawBot, control: Control, open_group, ann
) -> None:
    control.talk.say(open_group, ann, "rules", as_chat=open_group)
    told = await one(bot)
    assert told["from"]["username"] == "GroupAnonymousBot"
    assert told["sender_chat"]["id"] == open_group.id


async def test_a_linked_channel_speaks_by_telegrams_account(
    bot: RawBot, control: Control, open_group
) -> None:
    channel = control.people.channel("News", username="the_news")
    control.talk.say(open_group, None, "read", as_chat=channel)
    told = await one(bot)
    assert (told["from"]["id"], told["sender_chat"]["username"]) == (777_000, "the_news")
    assert told["is_automatic_forward"] is True


async def test_a_topics_message_replies_to_the_topic_and_general_has_no_number(
    bot: RawBot, control: Control, ann
) -> None:
    control.rules.reads_all = True
    forum = control.people.group("Forum", [ann], topics=["News"])
    topic = int(next(iter(forum.topics)))
    control.talk.say(forum, ann, "in News", topic=topic)
    control.talk.say(forum, ann, "in General")
    in_news, in_general = [update["message"] for update in await bot.updates()]
    assert (in_news["message_thread_id"], in_news["is_topic_message"]) == (topic, True)
    assert in_news["reply_to_message"]["forum_topic_created"]["name"] == "News"
    assert "message_thread_id" not in in_general


async def test_a_chain_of_replies_has_a_thread_that_is_no_topic(
    bot: RawBot, control: Control, open_group, ann
) -> None:
    first = control.talk.say(open_group, ann, "one")
    control.talk.say(open_group, ann, "two", reply_to=first)
    told = (await bot.updates())[-1]["message"]
    assert told["message_thread_id"] == first.message_id
    assert "is_topic_message" not in told


async def test_a_group_becomes_a_supergroup(bot: RawBot, control: Control, ann) -> None:
    control.rules.reads_all = True
    group = control.people.group("Team", [ann], kind=ChatKind.GROUP)
    new = control.people.migrate(group)
    old, begun = [update["message"] for update in await bot.updates()]
    assert (old["chat"]["id"], old["migrate_to_chat_id"]) == (group.id, new.id)
    assert (begun["chat"]["id"], begun["migrate_from_chat_id"]) == (new.id, group.id)
    refused = await bot.send(group, "x")
    assert refused.why == "Bad Request: group chat was upgraded to a supergroup chat"
    assert refused.body["parameters"] == {"migrate_to_chat_id": new.id}
    assert (await bot.send(new, "x")).status == 200
    assert control.violations == []


async def test_numbers_run_through_private_chats_and_groups_but_not_supergroups(
    bot: RawBot, control: Control, dm, open_group, ann
) -> None:
    basic = control.people.group("Basic", [ann], kind=ChatKind.GROUP)
    numbers = [(await bot.send(chat, "x")).result["message_id"] for chat in (dm, basic, open_group, dm)]
    assert numbers == [1, 2, 2, 3]


async def test_blocking_and_being_thrown_out_are_told(
    bot: RawBot, control: Control, dm, open_group, ann
) -> None:
    control.people.block(ann)
    control.people.move(open_group, control.world.bot, Standing.KICKED, by=ann)
    told = [update["my_chat_member"] for update in await bot.updates()]
    assert [news["new_chat_member"]["status"] for news in told] == ["kicked", "kicked"]
    assert [news["chat"]["type"] for news in told] == ["private", "supergroup"]


async def test_who_is_in_charge(bot: RawBot, control: Control, ann) -> None:
    bo = control.people.user("Bo")
    group = control.people.group("Team", [ann, bo], bot=Standing.ADMINISTRATOR)
    listed = (await bot("getChatAdministrators", chat_id=group.id)).result
    assert [(member["status"], member["user"]["id"]) for member in listed] == [
        ("creator", ann.id),
        ("administrator", control.world.bot.id),
    ]
    member = (await bot("getChatMember", chat_id=group.id, user_id=bo.id)).result
    assert member["status"] == "member"
    assert (await bot("getChatMemberCount", chat_id=group.id)).result == 3
    assert (await bot("leaveChat", chat_id=group.id)).result is True
    assert not group.has(control.world.bot.id)


async def test_a_reaction_is_told_to_an_administrator_who_asked(bot: RawBot, control: Control, ann) -> None:
    await bot.updates(allowed_updates=["message_reaction"])
    group = control.people.group("Team", [ann], bot=Standing.ADMINISTRATOR)
    await bot.send(group, "here")
    control.talk.react(control.answers(group)[0], ann, "👍")
    told = await one(bot, "message_reaction")
    assert (told["new_reaction"][0]["emoji"], told["user"]["id"]) == ("👍", ann.id)


async def test_commands_are_kept_by_scope(bot: RawBot) -> None:
    commands = [{"command": "ask", "description": "Ask something"}]
    await bot("setMyCommands", commands=commands, scope={"type": "all_group_chats"})
    assert (await bot("getMyCommands", scope={"type": "all_group_chats"})).result == commands
    assert (await bot("getMyCommands")).result == []
    assert (await bot("setMyCommands", commands=[{"command": "Ask", "description": "x"}])).status == 400


async def test_a_long_text_comes_in_pieces_of_the_greatest_length(
    bot: RawBot, control: Control, dm, ann
) -> None:
    long = "a" + "😀" * 4096
    control.talk.paste(dm, ann, long)
    texts = [update["message"]["text"] for update in await bot.updates()]
    assert "".join(texts) == long
    assert [units(text) for text in texts] == [4095, 4096, 2]
    with pytest.raises(ValueError, match="no app sends so much"):
        control.talk.say(dm, ann, long)
