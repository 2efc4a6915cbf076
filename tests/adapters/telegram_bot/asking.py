"""Playing what Telegram's users ask for once: a button pressed, a guest's mention, an inline query."""

from typing import Any

from tests.adapters.telegram_bot.answers import CALLBACK, GUEST, INLINE, Answers
from tests.adapters.telegram_bot.mailbox import Mailbox, Update
from tests.adapters.telegram_bot.privacy import is_given
from tests.adapters.telegram_bot.seen import Chat, Message, Query, User
from tests.adapters.telegram_bot.wire import chat_wire, message_wire, user_wire
from tests.adapters.telegram_bot.world import World


class Asking:
    """Makes queries and tells the bot of them."""

    def __init__(self, world: World, mailbox: Mailbox, answers: Answers) -> None:
        self._world = world
        self._mailbox = mailbox
        self._answers = answers

    def press(self, message: Message, user: User, label: str) -> Query:
        """Let somebody press the button that says this; it spins until it is answered."""
        button = next(button for row in message.buttons for button in row if button["text"] == label)
        query = self._query(CALLBACK, user, self._world.rules.callback_query_s, text=button["callback_data"])
        query.chat_id, query.message_id = message.chat_id, message.message_id
        where: dict[str, Any] = {"message": message_wire(self._world, message)}
        if message.inline_message_id:
            where = {"inline_message_id": message.inline_message_id}
        payload = {
            "id": query.id,
            "from": user_wire(user),
            "chat_instance": str(hash(message.chat_id)),
            "data": button["callback_data"],
            **where,
        }
        return self._ask("callback_query", query, payload, str(message.chat_id))

    def call_guest(
        self, chat: Chat, user: User, text: str, *, reply_to: Message | None = None
    ) -> Query | None:
        """Let somebody mention the bot in a chat that it is not in; None where guest mode is off."""
        message = self._world.post(
            chat, sender_id=user.id, text=text, reply_to=reply_to.message_id if reply_to else None
        )
        if not self._world.rules.guests or chat.has(self._world.bot.id):
            return None
        query = self._query(GUEST, user, self._world.rules.guest_query_s, text=text)
        query.chat_id, query.message_id = chat.id, message.message_id
        payload = message_wire(self._world, message) | {"guest_query_id": query.id}
        return self._ask("guest_message", query, payload, f"guest/{chat.id}")

    def ask_inline(
        self, user: User, text: str, *, chat_type: str = "sender", offset: str = ""
    ) -> Query | None:
        """Let somebody type the bot's name and a text into any input line; None where inline mode is off."""
        if not self._world.rules.inline:
            return None
        query = self._query(INLINE, user, self._world.rules.inline_query_s, text=text)
        fields = {"query": text, "offset": offset, "chat_type": chat_type}
        payload = {"id": query.id, "from": user_wire(user)} | fields
        return self._ask("inline_query", query, payload, f"user/{user.id}")

    def choose(self, query: Query, result_id: str, chat: Chat) -> Message:
        """Let who asked send one of the offered results into a chat."""
        assert query.answer is not None, "nothing was offered"
        result = next(result for result in query.answer["results"] if result["id"] == result_id)
        # Documented: only a message with a keyboard can be reached later.
        inline_id = f"inline-{query.id}-{self._world.next_id()}" if "reply_markup" in result else None
        query.chat_id = chat.id
        via = {"extra": {"via_bot": user_wire(self._world.bot)}}
        message = self._answers.post(query, result, inline_id, {"sender_id": query.user_id, **via})
        if self._world.rules.inline_feedback:
            self._tell_chosen(query, result_id, message)
        if is_given(self._world, message):
            wire = message_wire(self._world, message)
            self._mailbox.tell("message", wire, lane=str(chat.id), about=message.key)
        return message

    def stop_draft(self, chat: Chat, draft_id: int) -> Update | None:
        """Let somebody press the button that stops a draft; raise StopIteration where none is shown."""
        shown = self._world.shown_for_a_while(chat.id)
        draft = next(what for what in shown if what.draft_id == draft_id and what.can_stop)
        draft.expires_at = self._world.clock.now()
        payload = {"chat": chat_wire(self._world, chat), "draft_id": draft_id}
        about, lane = f"{chat.id}/draft/{draft_id}", str(chat.id)
        return self._mailbox.tell("stopped_message_generation", payload, lane=lane, about=about)

    def _tell_chosen(self, query: Query, result_id: str, message: Message) -> None:
        user = user_wire(self._world.users[query.user_id])
        payload = {"result_id": result_id, "from": user, "query": query.text}
        if message.inline_message_id:
            payload["inline_message_id"] = message.inline_message_id
        lane = f"user/{query.user_id}"
        self._mailbox.tell("chosen_inline_result", payload, lane=lane, about=query.id)

    def _query(self, kind: str, user: User, patience_s: float, *, text: str) -> Query:
        now = self._world.clock.now()
        number = str(7_000_000_000_000_000 + self._world.next_id())
        return Query(id=number, kind=kind, at=now, user_id=user.id, expires_at=now + patience_s, text=text)

    def _ask(self, kind: str, query: Query, payload: dict[str, Any], lane: str) -> Query:
        self._world.keep_query(query)
        self._mailbox.tell(kind, payload, lane=lane, about=query.id)
        return query
