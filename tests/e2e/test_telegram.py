"""Telegram through real vLLM and the processes that people run: what its users do, and what they see then."""

from typing import Any

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.files import Upload
from tests.adapters.telegram_bot.seen import Chat, Message
from tests.fixtures.deployment import PATIENCE_S
from tests.fixtures.introduced import answer_of

pytestmark = [pytest.mark.real_engine, pytest.mark.timeout(400)]

STORY = "Tell me a long story about a lighthouse and the people in it."


async def until(control: Control, seen: Any) -> Any:
    """Wait for something as long as any test waits."""
    return await control.until(seen, PATIENCE_S)


def finished(control: Control, chat: Chat) -> list[Message]:
    """List the answers that are complete: they can be rated."""
    return [message for message in control.answers(chat) if "👍" in message.labels]


# Long enough that it still grows when its first edit, three seconds after it began, is seen and "Stop" pressed.
@pytest.mark.parametrize("reply_tokens", [160])
async def test_a_group_mention_streams_is_stopped_retried_and_rated(telegram: Control) -> None:
    ann, bob = telegram.people.user("Ann"), telegram.people.user("Bob")
    group = telegram.people.group("Team", [ann, bob])
    telegram.talk.say(group, bob, "shall we go for lunch?")
    asked = telegram.talk.say(group, ann, f"👍🏽 @aside_bot {STORY}")
    (growing,) = await until(
        telegram, lambda: [each for each in telegram.answers(group) if "Stop" in each.labels and each.text]
    )
    stop = telegram.asking.press(growing, ann, "Stop")
    await until(telegram, lambda: stop.answered_at and "(stopped)" in growing.text)
    assert growing.reply_to == asked.message_id
    retry = telegram.asking.press(growing, ann, "Try again")
    (complete,) = await until(
        telegram, lambda: [each for each in finished(telegram, group) if each is not growing]
    )
    assert "(stopped)" not in complete.text
    rated = telegram.asking.press(complete, bob, "👍")
    await until(telegram, lambda: retry.answered_at and rated.answered_at)
    assert rated.answer is not None
    assert rated.answer["text"]
    # Nobody but Ann was answered.
    assert len(telegram.answers(group)) == 2


async def test_a_photo_with_a_caption_and_a_forwarded_text_are_answered(telegram: Control) -> None:
    ann = telegram.people.user("Ann")
    dm = telegram.people.private(ann)
    photo = Upload(body=b"\xff\xd8\xff\xe0 a picture", kind="photo")
    telegram.talk.say(dm, ann, "Write a short poem for this.", upload=photo)
    (about_photo,) = await until(telegram, lambda: finished(telegram, dm))
    assert "picture" in about_photo.text
    telegram.talk.say(dm, ann, "The train leaves at noon.", forwarded_from="Cy")
    _, about_text = await until(telegram, lambda: finished(telegram, dm)[1:] and finished(telegram, dm))
    assert answer_of(about_text.text).strip()


async def test_a_storm_of_429_loses_nothing_and_doubles_nothing(telegram: Control) -> None:
    people = [telegram.people.user(f"Ann{number}") for number in range(4)]
    chats = [telegram.people.private(person) for person in people]
    telegram.flood(3.0)
    for person, chat in zip(people, chats, strict=True):
        telegram.talk.say(chat, person, "Say hello.")
    await until(telegram, lambda: telegram.journal.made("sendMessage"))
    telegram.fail("rate_limited", times=8)
    await until(telegram, lambda: all(finished(telegram, chat) for chat in chats))
    assert [len(telegram.answers(chat)) for chat in chats] == [1] * len(chats)
    assert any(call.status == 429 for call in telegram.journal.made("sendMessage"))
