"""Which chats, topics and messages the bot can reach, and what Telegram answers where it cannot."""

from typing import Any

from tests.adapters.telegram_bot.refusals import bad_request, forbidden, misuse
from tests.adapters.telegram_bot.seen import Chat, ChatKind, Message, Standing
from tests.adapters.telegram_bot.world import World

#: The number of a forum's General topic, which no message may be sent to by number.
GENERAL = 1


class Reach:
    """Looks up what a call names."""

    def __init__(self, world: World) -> None:
        self._world = world

    def chat(self, chat_id: int | str) -> Chat:
        """Find a chat that the bot may write in."""
        chat = self._find(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise bad_request(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to
            )
        standing = chat.standing(self._world.bot.id)
        if chat.kind == ChatKind.PRIVATE:
            self._require_contact(chat, standing)
        elif standing is Standing.KICKED:
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        elif standing is Standing.LEFT:
            raise forbidden(f"bot is not a member of the {chat.kind} chat")
        return chat

    def thread(self, chat: Chat, thread_id: int | None, *, typing: bool = False) -> int | None:
        """Find a topic to write in."""
        if thread_id is None:
            return None
        if not chat.is_forum and not chat.topics:
            raise misuse("message thread not found", "a thread is named in a chat that has no topics")
        if thread_id == GENERAL:
            # Reported of the real server: typing is shown there by this number, messages are refused.
            if typing:
                return None
            raise misuse("message thread not found", "the General topic is not named by its number")
        if str(thread_id) not in chat.topics:
            raise bad_request("message thread not found")
        if thread_id in chat.closed_topics:
            raise bad_request("TOPIC_CLOSED")
        return thread_id

    def replied(self, chat: Chat, reply: dict[str, Any] | None) -> Message | None:
        """Find the message that is replied to; None where there is none and that is allowed."""
        if reply is None:
            return None
        elsewhere = reply.get("chat_id", chat.id) not in (chat.id, f"@{chat.username}")
        target = self.chat(reply["chat_id"]) if elsewhere else chat
        message = self._world.message(target.id, reply["message_id"])
        if message is None or message.is_service:
            # Documented: never allowed for replies into another chat.
            if reply.get("allow_sending_without_reply") and not elsewhere:
                return None
            raise bad_request("message to be replied not found")
        if reply.get("quote", "") not in message.text:
            raise bad_request("QUOTE_TEXT_INVALID")
        return message

    def own(self, params: dict[str, Any]) -> Message:
        """Find a message of the bot's that is to be edited."""
        inline_id = params.get("inline_message_id")
        by_place = params.keys() & {"chat_id", "message_id"}
        if (inline_id is None) == (len(by_place) < 2) or (inline_id and by_place):
            raise misuse(
                "message identifier is not specified", "either inline_message_id, or chat and message"
            )
        if inline_id is not None:
            message = self._world.by_inline_id.get(inline_id)
            if message is None or not message.stands:
                raise bad_request("MESSAGE_ID_INVALID")
            return message
        message = self._world.message(self.chat(params["chat_id"]).id, params["message_id"])
        if message is None:
            raise bad_request("message to edit not found")
        if not message.by_bot or message.inline_message_id:
            raise misuse("message can't be edited", "it is not the bot's")
        return message

    def _find(self, chat_id: int | str) -> Chat | None:
        if isinstance(chat_id, int):
            return self._world.chats.get(chat_id)
        named = (chat for chat in self._world.chats.values() if chat.username)
        return next((chat for chat in named if f"@{chat.username}".lower() == chat_id.lower()), None)

    def _require_contact(self, chat: Chat, standing: Standing) -> None:
        if self._world.users[chat.id].is_bot:
            raise forbidden("bots can't send messages to bots")
        if standing is Standing.KICKED:
            raise forbidden("bot was blocked by the user")
        if standing is Standing.LEFT:
            raise forbidden("bot can't initiate conversation with a user")
