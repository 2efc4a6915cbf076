"""Answers of the bot to what is asked once: a pressed button, an inline query, a guest's mention."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.adapters.telegram_bot.refusals import bad_request, misuse
from tests.adapters.telegram_bot.seen import Message, Query
from tests.adapters.telegram_bot.sending import Buttons, buttons_of
from tests.adapters.telegram_bot.texts import Shown, shown
from tests.adapters.telegram_bot.world import World

Params = dict[str, Any]
CALLBACK, INLINE, GUEST = "callback", "inline", "guest"
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


class Answers:
    """The methods whose first argument is a query's id."""

    def __init__(self, world: World) -> None:
        self._world = world

    def methods(self) -> Mapping[str, Callable[[Params], Any]]:
        """List the methods."""
        return {
            "answerCallbackQuery": self.callback,
            "answerInlineQuery": self.inline,
            "answerGuestQuery": self.guest,
        }

    def callback(self, params: Params) -> bool:
        """Take the spinner off a button, perhaps with a notice."""
        self._answer(self._open(CALLBACK, params["callback_query_id"]), params)
        return True

    def inline(self, params: Params) -> bool:
        """Offer results above somebody's input line."""
        query = self._open(INLINE, params["inline_query_id"])
        ids = [result["id"] for result in params["results"]]
        if len(set(ids)) < len(ids):
            raise misuse("RESULT_ID_DUPLICATE", "two results with one id")
        for result in params["results"]:
            check_content(result)
        self._answer(query, params)
        return True

    def guest(self, params: Params) -> dict[str, str]:
        """Post into a chat that the bot is not in; once."""
        query = self._open(GUEST, params["guest_query_id"])
        message = self.post(query, params["result"], f"guest-{query.id}", {})
        self._answer(query, params)
        return {"inline_message_id": str(message.inline_message_id)}

    def post(
        self, query: Query, result: dict[str, Any], inline_id: str | None, fields: dict[str, Any]
    ) -> Message:
        """Show what an article carries in the chat where it was asked for."""
        text, buttons = check_content(result)
        assert query.chat_id is not None
        guest = {"sender_id": self._world.bot.id, "by_bot": True, "reply_to": query.message_id}
        return self._world.post(
            self._world.chats[query.chat_id],
            text=text.text,
            entities=text.entities,
            preview=text.preview,
            buttons=buttons,
            inline_message_id=inline_id,
            **(fields or guest),
        )

    def _open(self, kind: str, query_id: str) -> Query:
        query = self._world.queries.get(query_id)
        if query is None or query.kind != kind:
            raise misuse(_TOO_OLD, "no such query")
        if query.answered_at is not None:
            # Not blamed: a bot that never heard the answer to its first try has to try again.
            raise bad_request(_TOO_OLD)
        if query.expires_at < self._world.clock.now():
            raise bad_request(_TOO_OLD)
        return query

    def _answer(self, query: Query, params: Params) -> None:
        query.answer, query.answered_at = params, self._world.clock.now()
        self._world.keep_query(query)


def check_content(result: dict[str, Any]) -> tuple[Shown, Buttons]:
    """Check the text and buttons that a result carries; raise Refused."""
    content = result["input_message_content"]
    return shown(content, name="message_text", too_long="MESSAGE_TOO_LONG"), buttons_of(result)
