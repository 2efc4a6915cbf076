"""Messages of the bot: sent, edited, deleted, reacted to."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.adapters.telegram_bot.reach import Reach
from tests.adapters.telegram_bot.refusals import Refused, bad_request, misuse
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Message, Standing
from tests.adapters.telegram_bot.texts import Shown, shown
from tests.adapters.telegram_bot.wire import chat_wire, message_wire
from tests.adapters.telegram_bot.world import World

Params = dict[str, Any]
Buttons = list[list[dict[str, Any]]]

#: What a button does, of which it must have exactly one.
_ACTS: Final = (
    "url",
    "callback_data",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "copy_text",
)
_MOST_BUTTONS: Final = 100
#: The emoji that ReactionTypeEmoji documents.
_REACTIONS_LISTED: Final = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 "
    "🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 "
    "💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
)
_REACTIONS: Final = frozenset(_REACTIONS_LISTED.split())
_DELETABLE_S: Final = 48 * 3600


class Sending:
    """The methods that put messages into chats and change them."""

    def __init__(self, world: World, reach: Reach) -> None:
        self._world = world
        self._reach = reach

    def methods(self) -> Mapping[str, Callable[[Params], Any]]:
        """List the methods."""
        return {
            "sendMessage": self.send_message,
            "editMessageText": self.edit_text,
            "editMessageReplyMarkup": self.edit_buttons,
            "deleteMessage": self.delete,
            "setMessageReaction": self.react,
        }

    def send_message(self, params: Params) -> dict[str, Any]:
        """Post a message and return it."""
        text, buttons = shown(params, too_long="message is too long"), buttons_of(params)
        chat = self._reach.chat(params["chat_id"])
        thread = self._reach.thread(chat, params.get("message_thread_id"))
        replied = self._reach.replied(chat, params.get("reply_parameters"))
        if thread is None and replied and replied.chat_id == chat.id and replied.is_topic:
            thread = replied.thread_id
        message = self._world.post(
            chat,
            sender_id=self._world.bot.id,
            by_bot=True,
            thread_id=thread,
            is_topic=thread is not None,
            buttons=buttons,
            **_reply_fields(self._world, chat, replied, params.get("reply_parameters", {})),
            **_fields(text),
        )
        self._world.clear_fleeting(chat.id, thread)
        return message_wire(self._world, message)

    def edit_text(self, params: Params) -> dict[str, Any] | bool:
        """Show another text, and other buttons: those that are not passed again vanish."""
        text, buttons = shown(params, too_long="MESSAGE_TOO_LONG"), buttons_of(params)
        message = self._reach.own(params)
        if message.is_caption:
            raise misuse("there is no text in the message to edit")
        if _is_same(message, text, buttons):
            raise _not_modified()
        self._world.change(message, edited_at=self._world.clock.now(), buttons=buttons, **_fields(text))
        return self._edited(message)

    def edit_buttons(self, params: Params) -> dict[str, Any] | bool:
        """Show other buttons."""
        buttons, message = buttons_of(params), self._reach.own(params)
        if message.buttons == buttons:
            raise _not_modified()
        self._world.change(message, buttons=buttons)
        return self._edited(message)

    def delete(self, params: Params) -> bool:
        """Take a message away."""
        chat = self._reach.chat(params["chat_id"])
        message = self._world.message(chat.id, params["message_id"])
        if message is None:
            raise bad_request("message to delete not found")
        if not self._may_delete(chat, message):
            raise bad_request("message can't be deleted")
        self._world.change(message, deleted_at=self._world.clock.now())
        return True

    def react(self, params: Params) -> bool:
        """Put an emoji on a message, or take it away."""
        chat, reactions = self._reach.chat(params["chat_id"]), params.get("reaction", [])
        message = self._world.message(chat.id, params["message_id"])
        if message is None:
            raise bad_request("message to react not found")
        if len(reactions) > 1:
            raise misuse("REACTIONS_TOO_MANY", "a bot has one reaction to a message")
        if any(reaction["emoji"] not in _REACTIONS for reaction in reactions):
            raise misuse("REACTION_INVALID", "an emoji that is no reaction")
        kept = {who: what for who, what in message.reactions.items() if who != str(self._world.bot.id)}
        ours = {str(self._world.bot.id): reaction["emoji"] for reaction in reactions}
        self._world.change(message, reactions=kept | ours)
        return True

    def _edited(self, message: Message) -> dict[str, Any] | bool:
        return True if message.inline_message_id else message_wire(self._world, message)

    def _may_delete(self, chat: Chat, message: Message) -> bool:
        if self._world.clock.now() - message.date > _DELETABLE_S:
            return False
        in_charge = chat.standing(self._world.bot.id) is Standing.ADMINISTRATOR
        return message.by_bot or chat.kind == ChatKind.PRIVATE or in_charge


def buttons_of(params: Params) -> Buttons:
    """Check what each button does; raise Refused."""
    rows: Buttons = params.get("reply_markup", {}).get("inline_keyboard", [])
    buttons = [button for row in rows for button in row]
    if len(buttons) > _MOST_BUTTONS:
        raise misuse("reply markup is too long")
    for button in buttons:
        acts = [act for act in _ACTS if act in button]
        if not acts:
            raise misuse(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
            )
        if len(acts) > 1:
            raise misuse("can't parse inline keyboard button: more than one action")
    return [row for row in rows if row]


def _not_modified() -> Refused:
    return bad_request(
        "message is not modified: specified new message content and reply markup are exactly the same as a current "
        "content and reply markup of the message"
    )


def _is_same(message: Message, text: Shown, buttons: Buttons) -> bool:
    before = (message.text, message.entities, message.preview, message.buttons)
    return before == (text.text, text.entities, text.preview, buttons)


def _fields(text: Shown) -> dict[str, Any]:
    return {"text": text.text, "entities": text.entities, "preview": text.preview}


def _reply_fields(world: World, chat: Chat, replied: Message | None, reply: dict[str, Any]) -> dict[str, Any]:
    if replied is None:
        return {}
    if replied.chat_id != chat.id:
        origin = {"chat": chat_wire(world, world.chats[replied.chat_id]), "message_id": replied.message_id}
        return {"extra": {"external_reply": origin}}
    quote = reply.get("quote")
    position = reply.get("quote_position", 0)
    extra = {"quote": {"text": quote, "position": position, "is_manual": True}} if quote else {}
    return {"reply_to": replied.message_id, "extra": extra}
