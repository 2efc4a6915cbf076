"""Privacy mode decides which of a group's messages a bot is given."""

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.seen import Standing


@pytest.fixture
def ann(control: Control):
    return control.people.user("Ann", username="ann_lee", language="en")


async def one(bot: RawBot, kind: str = "message"):
    (update,) = await bot.updates()
    assert set(update) == {"update_id", kind}
    return update[kind]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("hello everybody", False),
        ("@aside_bot hello", False),
        ("/ask@aside_bot what", True),
        ("/ask@ASIDE_BOT what", True),
        ("/ask@other_bot what", False),
        ("/ask what", False),
    ],
)
async def test_privacy_mode_lets_commands_through(bot: RawBot, control: Control, ann, text, given) -> None:
    group = control.people.group("Team", [ann])
    control.talk.say(group, ann, text)
    assert bool(await bot.updates()) is given


async def test_privacy_mode_lets_replies_through_and_a_bare_command_after_its_own(
    bot: RawBot, control: Control, ann
) -> None:
    group, other = (
        control.people.group("Team", [ann]),
        control.people.user("Otto", username="otto_bot", is_bot=True),
    )
    await bot.send(group, "here")
    control.talk.say(group, ann, "thanks", reply_to=control.answers(group)[0])
    control.talk.say(group, ann, "/help")
    assert [update["message"]["text"] for update in await bot.updates(offset=-10)] == ["thanks", "/help"]
    theirs = control.talk.say(group, other, "me too")
    control.talk.say(group, ann, "/help")
    control.talk.say(group, ann, "/ask@aside_bot this", reply_to=theirs)
    assert len(await bot.updates()) == 2


async def test_privacy_mode_may_let_mentions_through(bot: RawBot, control: Control, ann) -> None:
    control.rules.privacy_passes_mentions = True
    group = control.people.group("Team", [ann])
    control.talk.say(group, ann, "@aside_bot hello")
    control.talk.say(group, ann, "hello")
    assert len(await bot.updates()) == 1


async def test_switching_privacy_off_counts_once_the_bot_is_added_again(
    bot: RawBot, control: Control, ann
) -> None:
    group = control.people.group("Team", [ann])
    control.rules.reads_all = True
    assert (await bot("getMe")).result["can_read_all_group_messages"] is True
    control.talk.say(group, ann, "not yet")
    control.people.move(group, control.world.bot, Standing.LEFT, by=ann)
    control.people.move(group, control.world.bot, Standing.MEMBER, by=ann)
    control.talk.say(group, ann, "now")
    texts = [update["message"].get("text") for update in await bot.updates() if "message" in update]
    assert texts[-1] == "now"
    assert "not yet" not in texts


async def test_an_administrator_reads_everything_but_other_bots(bot: RawBot, control: Control, ann) -> None:
    group = control.people.group("Team", [ann], bot=Standing.ADMINISTRATOR)
    control.talk.say(group, ann, "hello")
    control.talk.say(group, control.people.user("Otto", is_bot=True), "@aside_bot hello")
    assert (await one(bot))["text"] == "hello"
