"""References, buttons and refusals are read whatever they are; whatever is written fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Action, Button
from adapters.errors import Rejected
from adapters.markdown import parse as parse_markdown
from adapters.telegram.buttons import keyboard, pressed_in
from adapters.telegram.entities import utf16_length
from adapters.telegram.parse_words import said
from adapters.telegram.places import chat_place, guest_place, inline_place, place_of
from adapters.telegram.refusals import Answered, meaning_of
from adapters.telegram.settings import TEXT_LIMIT
from adapters.telegram.writing import written
from tests.contracts.adapters.pure.telegram import ENTITY, ME
from tests.contracts.adapters.pure.wire import TEXTS


@given(TEXTS, st.lists(ENTITY, max_size=5))
def test_a_text_keeps_everything_but_the_bots_name(text, entities) -> None:
    read = said({"text": text, "entities": entities}, ME)
    if not read.is_mention and "/start" not in text:
        assert read.text == text


@given(st.integers(), st.none() | st.integers(2, 2**31))
def test_a_chats_reference_is_read_as_it_was_written(chat_id, topic) -> None:
    place = chat_place(chat_id, topic)
    assert place_of(place.ref) == place


@given(st.integers(), st.integers(1), st.text(min_size=1, max_size=80))
def test_a_guests_and_an_inline_reference_are_read_as_they_were_written(chat_id, asker, inline) -> None:
    for place in (guest_place(chat_id, asker), inline_place(inline)):
        assert place_of(place.ref) == place


@given(st.text(max_size=80))
def test_no_reference_raises_anything_else(ref) -> None:
    try:
        place_of(ref)
    except Rejected:
        return


@given(st.text(max_size=100), st.text(max_size=60))
def test_no_buttons_data_raises(data, inline) -> None:
    pressed_in(data, inline)


@pytest.mark.parametrize(
    "place",
    [chat_place(-1001234567890123, 7), guest_place(-1001234567890123, 2**52), inline_place("x" * 200)],
    ids=["topic", "guest", "inline"],
)
def test_what_a_button_says_has_room_and_is_read_again(place) -> None:
    markup = keyboard([Button(action=action, label="x") for action in Action], place)
    (row,) = markup["inline_keyboard"]
    inline = place.inline_message or ("" if place.is_ours else "guests")
    for button, action in zip(row, Action, strict=True):
        assert len(button["callback_data"].encode()) <= 64
        read, where = pressed_in(button["callback_data"], inline)
        assert (read, where or place.ref) == (action, place.ref)


@given(st.integers(0, 999), st.binary(max_size=60))
def test_every_answer_means_something(status, body) -> None:
    assert meaning_of(Answered.of(status, body)) is not None


@given(st.text(max_size=300))
def test_what_is_written_is_never_empty_and_within_the_limit(markdown) -> None:
    params = written(parse_markdown(markdown), frozenset())
    assert 0 < utf16_length(params["text"]) <= TEXT_LIMIT
