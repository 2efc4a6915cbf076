"""Messages of the bot stand as their readers see them; what is not documented is refused and blamed."""

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.seen import ChatKind, Standing


@pytest.fixture
def ann(control: Control):
    return control.people.user("Ann", username="ann_lee")


@pytest.fixture
def dm(control: Control, ann):
    return control.people.private(ann)


@pytest.fixture
def group(control: Control, ann):
    return control.people.group("Team", [ann])


async def test_a_sent_message_stands_in_its_chat(bot: RawBot, control: Control, dm) -> None:
    sent = (await bot.send(dm, "Hello")).result
    assert (sent["text"], sent["chat"]["id"], sent["from"]["is_bot"]) == ("Hello", dm.id, True)
    assert control.texts(dm) == ["Hello"]
    assert control.violations == []


@pytest.mark.parametrize("way", ["query", "form", "multipart", "json"])
async def test_every_documented_way_of_calling_is_understood(
    bot: RawBot, control: Control, dm, way: str
) -> None:
    params = {"chat_id": str(dm.id), "text": "Hi **", "entities": '[{"type":"bold","offset":0,"length":2}]'}
    if way == "query":
        request = bot.session.get(bot.url("sendMessage"), params=params)
    elif way == "json":
        request = bot.session.post(bot.url("sendMessage"), json=params)
    else:
        import aiohttp  # noqa: PLC0415 - here only

        body = aiohttp.FormData(params, default_to_multipart=way == "multipart")
        request = bot.session.post(bot.url("sendMessage"), data=body)
    async with request as answer:
        assert answer.status == 200
    assert list(control.answers(dm)[0].marked("bold")) == ["Hi"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("a" * 4096, 200),
        ("a" * 4097, 400),
        ("😀" * 2048, 200),
        ("😀" * 2048 + "a", 400),
        ("", 400),
        (" \n ", 400),
    ],
    ids=["at the limit", "past it", "emoji count twice", "and past it", "empty", "blank"],
)
async def test_a_text_is_measured_in_utf16(bot: RawBot, control: Control, dm, text: str, status: int) -> None:
    assert (await bot.send(dm, text)).status == status
    assert bool(control.violations) == (status == 400)


async def test_the_limit_counts_after_the_parsing_of_markup(bot: RawBot, dm) -> None:
    assert (await bot.send(dm, f"<b>{'a' * 4096}</b>", parse_mode="HTML")).status == 200


@pytest.mark.parametrize(
    "params",
    [
        {"text": "x", "disable_web_page_preview": True},
        {"text": "x", "reply_to_message_id": 1},
        {"text": 5},
        {"chat_id": 1.5, "text": "x"},
        {"text": "x", "reply_markup": {"keyboard": []}},
        {"text": "x", "link_preview_options": {"disabled": True}},
        {"text": "x", "entities": "nothing"},
        {},
    ],
    ids=["gone", "gone too", "a number", "half an id", "a keyboard", "a misspelling", "no JSON", "nothing"],
)
async def test_what_is_not_documented_is_refused_and_blamed(
    bot: RawBot, control: Control, dm, params
) -> None:
    answer = await bot("sendMessage", **{"chat_id": dm.id} | params)
    assert answer.status == 400
    assert answer.body["ok"] is False
    assert len(control.violations) == 1


async def test_an_unknown_method_is_not_found_and_blamed(bot: RawBot, control: Control) -> None:
    answer = await bot("sendEverything")
    assert (answer.status, answer.why) == (404, "Not Found")
    assert len(control.violations) == 1


async def test_a_wrong_token_is_unauthorized(bot: RawBot, fake) -> None:
    async with bot.session.post(f"{fake.base_url}1:wrong/getMe") as answer:
        assert (answer.status, (await answer.json())["description"]) == (401, "Unauthorized")


async def test_an_edit_changes_what_is_seen_and_is_counted(bot: RawBot, control: Control, dm) -> None:
    number = (await bot.send(dm, "one")).result["message_id"]
    edited = (await bot("editMessageText", chat_id=dm.id, message_id=number, text="two")).result
    assert edited["edit_date"]
    message = control.answers(dm)[0]
    assert (message.text, message.edits) == ("two", 1)
    assert [version.text for version in message.versions] == ["one", "two"]


async def test_an_edit_to_the_same_is_not_modified(bot: RawBot, control: Control, dm) -> None:
    number = (await bot.send(dm, "one")).result["message_id"]
    answer = await bot("editMessageText", chat_id=dm.id, message_id=number, text="one ")
    assert answer.why.startswith("Bad Request: message is not modified")
    assert control.violations == []


async def test_an_edit_without_buttons_takes_them_away(bot: RawBot, control: Control, dm) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]}
    number = (await bot.send(dm, "one", reply_markup=keyboard)).result["message_id"]
    assert control.answers(dm)[0].labels == ["Stop"]
    await bot("editMessageText", chat_id=dm.id, message_id=number, text="two")
    assert control.answers(dm)[0].labels == []


async def test_what_a_person_wrote_cannot_be_edited(bot: RawBot, control: Control, dm, ann) -> None:
    said = control.talk.say(dm, ann, "mine")
    answer = await bot("editMessageText", chat_id=dm.id, message_id=said.message_id, text="ours")
    assert answer.why == "Bad Request: message can't be edited"
    assert len(control.violations) == 1


async def test_a_vanished_message_is_not_found_without_blame(bot: RawBot, control: Control, dm) -> None:
    number = (await bot.send(dm, "one")).result["message_id"]
    assert (await bot("deleteMessage", chat_id=dm.id, message_id=number)).result is True
    gone = await bot("editMessageText", chat_id=dm.id, message_id=number, text="two")
    assert gone.why == "Bad Request: message to edit not found"
    again = await bot("deleteMessage", chat_id=dm.id, message_id=number)
    assert again.why == "Bad Request: message to delete not found"
    assert (control.texts(dm), control.violations) == ([], [])


async def test_anothers_message_is_deleted_by_an_administrator_only(
    bot: RawBot, control: Control, group, ann
) -> None:
    said = control.talk.say(group, ann, "mine")
    refused = await bot("deleteMessage", chat_id=group.id, message_id=said.message_id)
    assert refused.why == "Bad Request: message can't be deleted"
    control.people.move(group, control.world.bot, Standing.ADMINISTRATOR, by=ann)
    assert (await bot("deleteMessage", chat_id=group.id, message_id=said.message_id)).result is True


@pytest.mark.parametrize(
    ("button", "works"),
    [
        ({"callback_data": "a" * 64}, True),
        ({"callback_data": "é" * 33}, False),
        ({"callback_data": ""}, False),
        ({}, False),
        ({"callback_data": "a", "url": "https://aside.test"}, False),
    ],
    ids=["64 bytes", "66 bytes", "no bytes", "does nothing", "does two things"],
)
async def test_a_button_does_one_thing_with_at_most_64_bytes(
    bot: RawBot, control: Control, dm, button, works
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Go", **button}]]}
    answer = await bot.send(dm, "x", reply_markup=keyboard)
    assert (answer.status == 200) is works
    assert (control.violations == []) is works


async def test_previews_are_shown_unless_they_are_disabled_each_time(
    bot: RawBot, control: Control, dm
) -> None:
    off = {"is_disabled": True}
    number = (await bot.send(dm, "see https://evil.test/x.", link_preview_options=off)).result["message_id"]
    assert control.answers(dm)[0].preview is None
    await bot("editMessageText", chat_id=dm.id, message_id=number, text="see https://evil.test/x now")
    assert control.answers(dm)[0].preview == "https://evil.test/x"


async def test_a_plain_name_mentions_its_bearer_unless_it_is_code(
    bot: RawBot, control: Control, group
) -> None:
    await bot.send(group, "ask @ann_lee")
    await bot.send(group, "ask @ann_lee", entities=[{"type": "code", "offset": 4, "length": 8}])
    assert [message.mentions for message in control.answers(group)] == [["@ann_lee"], []]


async def test_a_reply_to_what_is_gone_needs_leave(bot: RawBot, control: Control, group) -> None:
    refused = await bot.send(group, "x", reply_parameters={"message_id": 999})
    assert refused.why == "Bad Request: message to be replied not found"
    allowed = {"message_id": 999, "allow_sending_without_reply": True}
    assert "reply_to_message" not in (await bot.send(group, "x", reply_parameters=allowed)).result
    assert control.violations == []


async def test_a_reply_quotes_what_stands_there(bot: RawBot, control: Control, group, ann) -> None:
    said = control.talk.say(group, ann, "one two three")
    good = {"message_id": said.message_id, "quote": "two"}
    sent = (await bot.send(group, "x", reply_parameters=good)).result
    assert (sent["reply_to_message"]["text"], sent["quote"]["text"]) == ("one two three", "two")
    wrong = await bot.send(group, "x", reply_parameters=good | {"quote": "four"})
    assert wrong.why == "Bad Request: QUOTE_TEXT_INVALID"


async def test_a_reaction_is_one_of_those_that_exist(bot: RawBot, control: Control, group, ann) -> None:
    said = control.talk.say(group, ann, "hm")
    place = {"chat_id": group.id, "message_id": said.message_id}
    assert (await bot("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "👍"}])).result
    assert control.world.messages[said.key].reactions == {str(control.world.bot.id): "👍"}
    assert (
        await bot("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "🦖"}])
    ).status == 400
    assert (await bot("setMessageReaction", **place)).result
    assert control.world.messages[said.key].reactions == {}


@pytest.mark.parametrize(
    "case",
    [
        (ChatKind.GROUP, Standing.KICKED, "Forbidden: bot was kicked from the group chat"),
        (ChatKind.SUPERGROUP, Standing.KICKED, "Forbidden: bot was kicked from the supergroup chat"),
        (ChatKind.SUPERGROUP, Standing.LEFT, "Forbidden: bot is not a member of the supergroup chat"),
    ],
)
async def test_a_group_that_the_bot_is_not_in_refuses(bot: RawBot, control: Control, ann, case) -> None:
    kind, standing, why = case
    group = control.people.group("Team", [ann], kind=kind, bot=standing)
    answer = await bot.send(group, "x")
    assert (answer.status, answer.why) == (403, why)
    assert control.violations == []


async def test_a_user_who_blocked_or_never_started_the_bot_refuses(
    bot: RawBot, control: Control, dm, ann
) -> None:
    control.people.block(ann)
    assert (await bot.send(dm, "x")).why == "Forbidden: bot was blocked by the user"
    control.people.unblock(ann)
    assert (await bot.send(dm, "x")).status == 200
    stranger = control.people.private(control.people.user("Bo"), started=False)
    assert (await bot.send(stranger, "x")).why == "Forbidden: bot can't initiate conversation with a user"


async def test_an_unknown_chat_is_not_found(bot: RawBot) -> None:
    assert (await bot("sendMessage", chat_id=-5, text="x")).why == "Bad Request: chat not found"


async def test_a_link_to_somebodys_id_is_a_mention_too(bot: RawBot, control: Control, group, ann) -> None:
    link = {"type": "text_link", "offset": 0, "length": 3, "url": f"tg://user?id={ann.id}"}
    await bot.send(group, "you", entities=[link])
    assert control.answers(group)[0].mentions == [str(ann.id)]
