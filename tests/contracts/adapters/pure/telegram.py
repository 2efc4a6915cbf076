"""Telegram: updates in, texts and entities out."""

from collections.abc import Iterable
from datetime import UTC, datetime

from hypothesis import strategies as st

from adapters.base import Edited, Inbound
from adapters.content import Content
from adapters.links import KnownLinks, only_known
from adapters.telegram.entities import utf16_length
from adapters.telegram.identity import Me
from adapters.telegram.parse import kinds_wanted, lane_of, parse, update_id
from adapters.telegram.places import place_of
from adapters.telegram.render import render, split
from tests.contracts.adapters.pure.cases import Parser, Writer
from tests.contracts.adapters.pure.wire import TEXTS, json_of

ME = Me(id=42, username="aside_bot")
NOW = datetime(2026, 11, 1, tzinfo=UTC)

_NAMES = (
    "update_id message edited_message guest_message callback_query inline_query chosen_inline_result "
    "my_chat_member stopped_message_generation message_id date chat id type from sender_chat is_bot "
    "first_name text caption entities caption_entities offset length user reply_to_message quote "
    "external_reply origin forward_origin sender_user photo document file_id file_size "
    "media_group_id message_thread_id is_topic_message migrate_to_chat_id new_chat_members "
    "left_chat_member old_chat_member new_chat_member status data inline_message_id query result_id "
    "guest_query_id via_bot forum_topic_created title username"
)
_WORDS = "private group supergroup channel mention text_mention bot_command member left stop"
JSON = json_of(st.sampled_from(_NAMES.split()), st.sampled_from(_WORDS.split()))
_USER = st.fixed_dictionaries({"id": st.integers(1, 2**52), "is_bot": st.booleans(), "first_name": TEXTS})
_CHAT = st.fixed_dictionaries(
    {"id": st.integers(-(2**52), 2**52), "type": st.sampled_from(["private", "supergroup", "channel"])}
)
ENTITY = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["mention", "text_mention", "bot_command", "bold"]),
        "offset": st.integers(-2, 40),
        "length": st.integers(-2, 40),
    },
    optional={"user": _USER | JSON},
)
_MESSAGE = st.fixed_dictionaries(
    {"message_id": st.integers(1, 2**31), "date": st.integers(-(2**62), 2**62), "chat": _CHAT},
    optional={
        "from": _USER,
        "text": TEXTS,
        "entities": st.lists(ENTITY, max_size=5),
        "caption": TEXTS,
        "sender_chat": _CHAT,
        "guest_query_id": JSON,
        "message_thread_id": st.integers() | JSON,
        "is_topic_message": st.booleans() | JSON,
        "migrate_to_chat_id": st.integers() | JSON,
    }
    | dict.fromkeys(
        (
            "reply_to_message",
            "quote",
            "external_reply",
            "forward_origin",
            "photo",
            "document",
            "new_chat_members",
        ),
        JSON,
    ),
)
_KINDS = (*kinds_wanted(drafts=True, inline=True, guest=True), "poll")
_UPDATES = st.dictionaries(st.sampled_from(_KINDS), _MESSAGE | JSON, max_size=2).map(
    lambda update: update | {"update_id": 1}
)


def _read(update: object) -> Iterable[object]:
    lane_of(update)
    update_id(update)
    events = parse(update, ME, NOW)
    for event in events:
        inbound = event.inbound if isinstance(event, Edited) else event
        if isinstance(inbound, Inbound):
            assert place_of(inbound.conversation.ref).ref == inbound.conversation.ref
    return events


def _write(content: Content, known: KnownLinks) -> str:
    return render(only_known(content, known)).text


PARSERS = (
    Parser(
        name="updates",
        given=JSON | _UPDATES,
        read=_read,
        covers=frozenset(
            {
                "parse",
                "parse_happenings",
                "parse_media",
                "parse_message",
                "parse_people",
                "parse_quotes",
                "parse_words",
            }
        ),
    ),
)
WRITERS = (Writer(name="entities", write=_write, cut=split, measure=utf16_length),)
