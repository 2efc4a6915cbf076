"""Whatever comes in, a reader ends with events or with `MalformedEvent`; whatever is written fits."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Action, Button, Edited, Inbound
from adapters.errors import MalformedEvent, Rejected
from adapters.markdown import parse as parse_markdown
from adapters.telegram.buttons import keyboard, pressed_in
from adapters.telegram.entities import utf16_length
from adapters.telegram.identity import Me
from adapters.telegram.parse import kinds_wanted, lane_of, parse, update_id
from adapters.telegram.parse_words import said
from adapters.telegram.places import chat_place, guest_place, inline_place, place_of
from adapters.telegram.refusals import Answered, meaning_of
from adapters.telegram.settings import TEXT_LIMIT
from adapters.telegram.writing import written

ME = Me(id=42, username="aside_bot")
NOW = datetime(2026, 11, 1, tzinfo=UTC)

NAMES_LISTED = (
    "update_id message edited_message guest_message callback_query inline_query chosen_inline_result "
    "my_chat_member stopped_message_generation message_id date chat id type from sender_chat is_bot "
    "first_name text caption entities caption_entities offset length user reply_to_message quote "
    "external_reply origin forward_origin sender_user photo document file_id file_size "
    "media_group_id message_thread_id is_topic_message migrate_to_chat_id new_chat_members "
    "left_chat_member old_chat_member new_chat_member status data inline_message_id query result_id "
    "guest_query_id via_bot forum_topic_created title username"
)
NAMES = st.sampled_from(NAMES_LISTED.split())
WORDS = st.sampled_from(
    [
        "private",
        "group",
        "supergroup",
        "channel",
        "mention",
        "text_mention",
        "bot_command",
        "member",
        "left",
        "stop",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | WORDS
    | st.text(alphabet=st.characters(), max_size=20)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=40,
)
USER = st.fixed_dictionaries({"id": st.integers(1, 2**52), "is_bot": st.booleans(), "first_name": SCALARS})
CHAT = st.fixed_dictionaries(
    {"id": st.integers(-(2**52), 2**52), "type": st.sampled_from(["private", "supergroup", "channel"])}
)
ENTITY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["mention", "text_mention", "bot_command", "bold"]),
        "offset": st.integers(-2, 40),
        "length": st.integers(-2, 40),
    },
    optional={"user": USER | JSON},
)
TEXTS = st.text(alphabet=st.sampled_from("a@/ 👍🏽\ud800é") | st.characters(), max_size=40)
MESSAGE = st.fixed_dictionaries(
    {
        "message_id": st.integers(1, 2**31),
        "date": st.integers(-(2**62), 2**62),
        "chat": CHAT,
    },
    optional={
        "from": USER,
        "text": TEXTS,
        "entities": st.lists(ENTITY, max_size=5),
        "caption": TEXTS,
        "sender_chat": CHAT,
        "reply_to_message": JSON,
        "quote": JSON,
        "external_reply": JSON,
        "forward_origin": JSON,
        "photo": JSON,
        "document": JSON,
        "guest_query_id": SCALARS,
        "message_thread_id": SCALARS,
        "is_topic_message": SCALARS,
        "new_chat_members": JSON,
        "migrate_to_chat_id": SCALARS,
    },
)
KINDS = (*kinds_wanted(drafts=True, inline=True, guest=True), "poll")
UPDATES = st.dictionaries(st.sampled_from(KINDS), MESSAGE | JSON, max_size=2).map(
    lambda update: update | {"update_id": 1}
)


@given(JSON | UPDATES)
def test_no_update_raises_anything_else(update) -> None:
    lane_of(update)
    update_id(update)
    try:
        events = parse(update, ME, NOW)
    except MalformedEvent:
        return
    for event in events:
        inbound = event.inbound if isinstance(event, Edited) else event
        if isinstance(inbound, Inbound):
            for ref in (inbound.event_key, inbound.message, inbound.conversation.ref, inbound.sender.id):
                assert 0 < len(ref) <= 255
            assert place_of(inbound.conversation.ref).ref == inbound.conversation.ref


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
