"""Buttons, guests' mentions and inline queries: asked once, answered once, in time."""

import pytest

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.raw_bot import RawBot
from tests.adapters.telegram_bot.seen import Standing

KEYBOARD = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop:1"}]]}


def article(text: str = "hi", number: str = "1", **more):
    content = {"message_text": text} | more.pop("content", {})
    return {"type": "article", "id": number, "title": "Answer", "input_message_content": content} | more


@pytest.fixture
def ann(control: Control):
    return control.people.user("Ann")


async def test_a_pressed_button_spins_until_it_is_answered(bot: RawBot, control: Control, ann) -> None:
    dm = control.people.private(ann)
    await bot.send(dm, "x", reply_markup=KEYBOARD)
    control.asking.press(control.answers(dm)[0], ann, "Stop")
    (update,) = await bot.updates()
    query = update["callback_query"]
    assert (query["data"], query["message"]["text"], query["from"]["id"]) == ("stop:1", "x", ann.id)
    assert len(control.unanswered()) == 1
    assert (await bot("answerCallbackQuery", callback_query_id=query["id"], text="Stopped")).result is True
    assert control.unanswered() == []


async def test_an_answer_comes_in_time_or_too_late(bot: RawBot, control: Control, ann) -> None:
    dm = control.people.private(ann)
    await bot.send(dm, "x", reply_markup=KEYBOARD)
    query = control.asking.press(control.answers(dm)[0], ann, "Stop")
    control.advance(60)
    answer = await bot("answerCallbackQuery", callback_query_id=query.id)
    assert answer.why.startswith("Bad Request: query is too old")
    assert control.violations == []


async def test_an_answer_to_nothing_is_blamed(bot: RawBot, control: Control) -> None:
    assert (await bot("answerCallbackQuery", callback_query_id="5")).status == 400
    assert len(control.violations) == 1


async def test_a_guest_is_called_answers_once_and_edits_by_its_own_id(
    bot: RawBot, control: Control, ann
) -> None:
    group = control.people.group("Others", [ann], bot=Standing.LEFT)
    asked = control.asking.call_guest(group, ann, "@aside_bot hello")
    (update,) = await bot.updates()
    told = update["guest_message"]
    assert (told["guest_query_id"], told["chat"]["id"], told["text"]) == (
        asked.id,
        group.id,
        "@aside_bot hello",
    )
    sent = (await bot("answerGuestQuery", guest_query_id=asked.id, result=article("Let me see"))).result
    edit = await bot("editMessageText", inline_message_id=sent["inline_message_id"], text="Hello Ann")
    assert edit.result is True
    assert control.texts(group) == ["Hello Ann"]
    again = await bot("answerGuestQuery", guest_query_id=asked.id, result=article())
    assert again.status == 400
    assert control.texts(group) == ["Hello Ann"]


async def test_a_guest_writes_nowhere_else(bot: RawBot, control: Control, ann) -> None:
    group = control.people.group("Others", [ann], bot=Standing.LEFT)
    control.asking.call_guest(group, ann, "@aside_bot hello")
    assert (await bot.send(group, "x")).status == 403


async def test_two_peoples_chat_has_the_id_of_the_bots_own_chat(bot: RawBot, control: Control, ann) -> None:
    """So that a bot which answers by that id answers in the wrong place, for the test to see."""
    bo = control.people.user("Bo")
    theirs, own = control.people.between(ann, bo), control.people.private(bo)
    asked = control.asking.call_guest(theirs, ann, "@aside_bot hello")
    (update,) = await bot.updates()
    assert update["guest_message"]["chat"]["id"] == own.id
    await bot("answerGuestQuery", guest_query_id=asked.id, result=article("here"))
    assert (control.texts(theirs), control.texts(own)) == (["here"], [])


async def test_guest_mode_may_be_off(bot: RawBot, control: Control, ann) -> None:
    control.rules.guests = False
    group = control.people.group("Others", [ann], bot=Standing.LEFT)
    assert control.asking.call_guest(group, ann, "@aside_bot hello") is None
    assert await bot.updates() == []
    assert (await bot("getMe")).result["supports_guest_queries"] is False


async def test_an_inline_result_is_chosen_and_edited(bot: RawBot, control: Control, ann) -> None:
    group = control.people.group("Team", [ann], bot=Standing.LEFT)
    query = control.asking.ask_inline(ann, "weather", chat_type="supergroup")
    (update,) = await bot.updates()
    assert update["inline_query"]["query"] == "weather"
    results = [article("Asking", reply_markup=KEYBOARD), article("Plain", "2")]
    assert (
        await bot("answerInlineQuery", inline_query_id=query.id, results=results, cache_time=0)
    ).result is True
    control.asking.choose(query, "1", group)
    chosen = (await bot.updates())[-1]["chosen_inline_result"]
    assert (chosen["result_id"], chosen["query"]) == ("1", "weather")
    edited = await bot("editMessageText", inline_message_id=chosen["inline_message_id"], text="Sunny")
    assert edited.result is True
    assert [message.text for message in control.world.in_chat(group.id)] == ["Sunny"]
    control.asking.choose(query, "2", group)
    assert "inline_message_id" not in (await bot.updates())[-1]["chosen_inline_result"]


@pytest.mark.parametrize(
    "results",
    [
        [article(number="1"), article(number="1")],
        [article(number="é" * 33)],
        [article(number=str(n)) for n in range(51)],
        [{"type": "photo", "id": "1"}],
        [article("x" * 4097)],
        [article(surprise=True)],
    ],
    ids=["one id twice", "66 bytes of id", "51", "no article", "too long", "unknown field"],
)
async def test_results_keep_to_their_limits(bot: RawBot, control: Control, ann, results) -> None:
    query = control.asking.ask_inline(ann, "x")
    assert (await bot("answerInlineQuery", inline_query_id=query.id, results=results)).status == 400
    assert len(control.violations) == 1


async def test_an_inline_query_does_not_wait(bot: RawBot, control: Control, ann) -> None:
    query = control.asking.ask_inline(ann, "x")
    control.advance(11)
    late = await bot("answerInlineQuery", inline_query_id=query.id, results=[article()])
    assert late.why.startswith("Bad Request: query is too old")
