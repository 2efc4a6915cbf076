"""The documented methods and their parameters, of Bot API 10.3: https://core.telegram.org/bots/api.

What is documented but not taken by this server (business connections, paid broadcasts, keyboards other than inline,
games, payments, web apps) is left out, so that using it is noticed. A name outside these tables is refused, where the
real server would ignore an unknown parameter: a parameter that does nothing is a mistake in the bot.
"""

from collections.abc import Mapping
from typing import Final

from tests.adapters.telegram_bot.values import (
    Check,
    Field,
    boolean,
    chat_id,
    integer,
    list_of,
    may,
    need,
    object_of,
    one_of,
    text,
    variant,
)

UPDATE_KINDS_LISTED: Final = (
    "message edited_message channel_post edited_channel_post guest_message inline_query chosen_inline_result "
    "callback_query my_chat_member chat_member message_reaction message_reaction_count chat_join_request "
    "stopped_message_generation"
)
UPDATE_KINDS: Final = UPDATE_KINDS_LISTED.split()
_OTHER_UPDATES_LISTED: Final = (
    "business_connection business_message edited_business_message deleted_business_messages shipping_query "
    "pre_checkout_query purchased_paid_media poll poll_answer chat_boost removed_chat_boost managed_bot"
)
_OTHER_UPDATES: Final = _OTHER_UPDATES_LISTED.split()
ACTIONS_LISTED: Final = (
    "typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker "
    "find_location record_video_note upload_video_note"
)
ACTIONS: Final = ACTIONS_LISTED.split()
_PARSE_MODE: Final = one_of("HTML", "MarkdownV2", "Markdown")

_USER: Final = object_of(
    {
        "id": need(integer(1)),
        "is_bot": may(boolean),
        "first_name": may(text()),
        "last_name": may(text()),
        "username": may(text()),
        "language_code": may(text()),
    }
)
#: The types are judged with the text, where a mistake can be told more clearly.
_ENTITY: Final = object_of(
    {
        "type": need(text(1)),
        "offset": need(integer()),
        "length": need(integer()),
        "url": may(text(1, 2048)),
        "user": may(_USER),
        "language": may(text()),
        "custom_emoji_id": may(text(1)),
        "unix_time": may(integer(0)),
        "date_time_format": may(text()),
    }
)
_PREVIEW: Final = object_of(
    {
        "is_disabled": may(boolean),
        "url": may(text()),
        "prefer_small_media": may(boolean),
        "prefer_large_media": may(boolean),
        "show_above_text": may(boolean),
    }
)
_BUTTON: Final = object_of(
    {
        "text": need(text(1)),
        "url": may(text(1, 2048)),
        "callback_data": may(text(1, 64, in_bytes=True)),
        "switch_inline_query": may(text()),
        "switch_inline_query_current_chat": may(text()),
        "copy_text": may(object_of({"text": need(text(1, 256))})),
        "style": may(one_of("danger", "success", "primary")),
        "icon_custom_emoji_id": may(text(1)),
    }
)
_KEYBOARD: Final = object_of({"inline_keyboard": need(list_of(list_of(_BUTTON, most=8), most=100))})
_REPLY: Final = object_of(
    {
        "message_id": need(integer(1)),
        "chat_id": may(chat_id),
        "allow_sending_without_reply": may(boolean),
        "quote": may(text(0, 1024)),
        "quote_parse_mode": may(_PARSE_MODE),
        "quote_entities": may(list_of(_ENTITY)),
        "quote_position": may(integer(0)),
    }
)
_TEXT_OPTIONS: Final = {
    "parse_mode": may(_PARSE_MODE),
    "entities": may(list_of(_ENTITY)),
    "link_preview_options": may(_PREVIEW),
}
_CONTENT: Final = object_of({"message_text": need(text()), **_TEXT_OPTIONS})
_ARTICLE: Final[Mapping[str, Field]] = {
    "id": need(text(1, 64, in_bytes=True)),
    "title": need(text(1)),
    "input_message_content": need(_CONTENT),
    "reply_markup": may(_KEYBOARD),
    "url": may(text()),
    "description": may(text()),
    "thumbnail_url": may(text()),
    "thumbnail_width": may(integer(1)),
    "thumbnail_height": may(integer(1)),
}
#: Of the twenty kinds of results, the one that carries text.
_RESULT: Final = variant("type", {"article": _ARTICLE})
_RESULTS_BUTTON: Final = object_of(
    {"text": need(text(1)), "start_parameter": may(text(1, 64, pattern="[A-Za-z0-9_-]*"))}
)
_WHERE: Final = {"chat_id": need(chat_id), "message_thread_id": may(integer(1))}
_MESSAGE: Final = {"chat_id": need(chat_id), "message_id": need(integer(1))}
_ANY_MESSAGE: Final = {
    "chat_id": may(chat_id),
    "message_id": may(integer(1)),
    "inline_message_id": may(text(1)),
    "reply_markup": may(_KEYBOARD),
}
_COMMAND: Final = object_of(
    {"command": need(text(1, 32, pattern="[a-z0-9_]*")), "description": need(text(1, 256))}
)
_LANGUAGE: Final = may(text(0, 2))
_SCOPES: Final[Check] = variant(
    "type",
    {
        "default": {},
        "all_private_chats": {},
        "all_group_chats": {},
        "all_chat_administrators": {},
        "chat": {"chat_id": need(chat_id)},
        "chat_administrators": {"chat_id": need(chat_id)},
        "chat_member": {"chat_id": need(chat_id), "user_id": need(integer(1))},
    },
)
_ALLOWED_UPDATES: Final = may(list_of(one_of(*UPDATE_KINDS, *_OTHER_UPDATES)))

METHODS: Final[Mapping[str, Mapping[str, Field]]] = {
    "getMe": {},
    "getUpdates": {
        "offset": may(integer()),
        "limit": may(integer(1, 100)),
        "timeout": may(integer(0, 50)),
        "allowed_updates": _ALLOWED_UPDATES,
    },
    "setWebhook": {
        "url": need(text()),
        "ip_address": may(text()),
        "max_connections": may(integer(1, 100)),
        "allowed_updates": _ALLOWED_UPDATES,
        "drop_pending_updates": may(boolean),
        "secret_token": may(text(1, 256, pattern="[A-Za-z0-9_-]*")),
    },
    "deleteWebhook": {"drop_pending_updates": may(boolean)},
    "getWebhookInfo": {},
    "sendMessage": {
        **_WHERE,
        **_TEXT_OPTIONS,
        "text": need(text()),
        "disable_notification": may(boolean),
        "protect_content": may(boolean),
        "message_effect_id": may(text(1)),
        "reply_parameters": may(_REPLY),
        "reply_markup": may(_KEYBOARD),
    },
    "editMessageText": {**_ANY_MESSAGE, **_TEXT_OPTIONS, "text": need(text())},
    "editMessageReplyMarkup": dict(_ANY_MESSAGE),
    "deleteMessage": dict(_MESSAGE),
    "sendChatAction": {**_WHERE, "action": need(one_of(*ACTIONS))},
    "sendMessageDraft": {
        # Integer alone: a draft has no place under a public name.
        "chat_id": need(integer()),
        "message_thread_id": may(integer(1)),
        "draft_id": need(integer()),
        "text": may(text()),
        "parse_mode": may(_PARSE_MODE),
        "entities": may(list_of(_ENTITY)),
        "can_stop": may(boolean),
        "keep_on_stop": may(boolean),
    },
    "setMessageReaction": {
        **_MESSAGE,
        "reaction": may(list_of(variant("type", {"emoji": {"emoji": need(text(1))}}))),
        "is_big": may(boolean),
    },
    "answerCallbackQuery": {
        "callback_query_id": need(text(1)),
        "text": may(text(0, 200)),
        "show_alert": may(boolean),
        "url": may(text()),
        "cache_time": may(integer(0)),
    },
    "answerInlineQuery": {
        "inline_query_id": need(text(1)),
        "results": need(list_of(_RESULT, most=50)),
        "cache_time": may(integer(0)),
        "is_personal": may(boolean),
        "next_offset": may(text(0, 64, in_bytes=True)),
        "button": may(_RESULTS_BUTTON),
    },
    "answerGuestQuery": {"guest_query_id": need(text(1)), "result": need(_RESULT)},
    "getFile": {"file_id": need(text(1))},
    "getChat": {"chat_id": need(chat_id)},
    "getChatMember": {"chat_id": need(chat_id), "user_id": need(integer(1))},
    "getChatMemberCount": {"chat_id": need(chat_id)},
    "getChatAdministrators": {"chat_id": need(chat_id), "return_bots": may(boolean)},
    "leaveChat": {"chat_id": need(chat_id)},
    "setMyCommands": {
        "commands": need(list_of(_COMMAND, most=100)),
        "scope": may(_SCOPES),
        "language_code": _LANGUAGE,
    },
    "getMyCommands": {"scope": may(_SCOPES), "language_code": _LANGUAGE},
    "deleteMyCommands": {"scope": may(_SCOPES), "language_code": _LANGUAGE},
}
