"""People, chats and messages as the Bot API writes them."""

from typing import Any

from tests.adapters.telegram_bot.autolinks import found_in
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Message, Standing, User
from tests.adapters.telegram_bot.world import World

Wire = dict[str, Any]

_ADMIN_RIGHTS_LISTED = (
    "can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members can_promote_members "
    "can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories can_pin_messages "
    "can_manage_topics"
)
_ADMIN_RIGHTS = _ADMIN_RIGHTS_LISTED.split()


def user_wire(user: User) -> Wire:
    """Write a User."""
    optional = {"last_name": user.last_name, "username": user.username, "language_code": user.language_code}
    fixed = {"id": user.id, "is_bot": user.is_bot, "first_name": user.first_name}
    return fixed | {name: value for name, value in optional.items() if value}


def chat_wire(world: World, chat: Chat) -> Wire:
    """Write a Chat."""
    if chat.kind == ChatKind.PRIVATE:
        user = user_wire(world.users[chat.told_id or chat.id])
        names = ("first_name", "last_name", "username")
        return {"id": user["id"], "type": chat.kind, **{name: user[name] for name in names if name in user}}
    wire: Wire = {"id": chat.id, "type": chat.kind, "title": chat.title}
    if chat.username:
        wire["username"] = chat.username
    return wire | ({"is_forum": True} if chat.is_forum else {})


def member_wire(world: World, chat: Chat, user_id: int) -> Wire:
    """Write a ChatMember."""
    standing = chat.standing(user_id)
    wire: Wire = {"user": user_wire(world.users[user_id]), "status": standing}
    if standing is Standing.ADMINISTRATOR:
        rights = dict.fromkeys(_ADMIN_RIGHTS, True)
        return wire | {"can_be_edited": False, "is_anonymous": False} | rights
    if standing is Standing.CREATOR:
        return wire | {"is_anonymous": False}
    return wire | ({"until_date": 0} if standing is Standing.KICKED else {})


def message_wire(world: World, message: Message, *, quoted: bool = False) -> Wire:
    """Write a Message; what it replies to is written one level deep, as Telegram does."""
    chat = world.chats[message.chat_id]
    wire: Wire = {"message_id": message.message_id, "date": int(message.date), "chat": chat_wire(world, chat)}
    if message.sender_id is not None:
        wire["from"] = user_wire(world.users[message.sender_id])
    if message.sender_chat_id is not None:
        wire["sender_chat"] = chat_wire(world, world.chats[message.sender_chat_id])
    if message.thread_id is not None:
        wire["message_thread_id"] = message.thread_id
    if message.is_topic:
        wire["is_topic_message"] = True
    if message.edited_at is not None:
        wire["edit_date"] = int(message.edited_at)
    if not quoted and (reply := _replied_to(world, message)):
        wire["reply_to_message"] = message_wire(world, reply, quoted=True)
    if message.buttons:
        wire["reply_markup"] = {"inline_keyboard": message.buttons}
    return wire | _text(message) | message.extra


def _text(message: Message) -> Wire:
    if not message.text:
        return {}
    name, entities_name = ("caption", "caption_entities") if message.is_caption else ("text", "entities")
    automatic = found_in(message.text, message.entities)
    entities = sorted([*message.entities, *automatic], key=lambda entity: entity["offset"])
    return {name: message.text} | ({entities_name: entities} if entities else {})


def _replied_to(world: World, message: Message) -> Message | None:
    if message.reply_to is not None:
        return world.message(message.chat_id, message.reply_to)
    # In a topic, whatever replies to nothing is written as a reply to the service message that opened the topic.
    if message.is_topic and message.thread_id != message.message_id and message.thread_id is not None:
        return world.message(message.chat_id, message.thread_id)
    return None
