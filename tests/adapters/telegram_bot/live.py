"""What the bot shows for a while: drafts of an answer, and that it is typing."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.adapters.telegram_bot.reach import Reach
from tests.adapters.telegram_bot.refusals import misuse
from tests.adapters.telegram_bot.seen import ChatKind, Fleeting
from tests.adapters.telegram_bot.texts import shown
from tests.adapters.telegram_bot.world import World

Params = dict[str, Any]


class Live:
    """The methods whose effect vanishes by itself."""

    def __init__(self, world: World, reach: Reach) -> None:
        self._world = world
        self._reach = reach

    def methods(self) -> Mapping[str, Callable[[Params], Any]]:
        """List the methods."""
        return {"sendMessageDraft": self.draft, "sendChatAction": self.act}

    def draft(self, params: Params) -> bool:
        """Show a snapshot of an answer that is being made."""
        text = shown(params, too_long="message is too long", may_be_empty=True)
        if params["draft_id"] == 0:
            raise misuse("draft_id must be non-zero")
        chat = self._reach.chat(params["chat_id"])
        if chat.kind != ChatKind.PRIVATE:
            raise misuse("TEXTDRAFT_PEER_INVALID", "drafts are shown in private chats only")
        thread = self._reach.thread(chat, params.get("message_thread_id"))
        self._world.show_for_a_while(
            Fleeting(
                chat_id=chat.id,
                thread_id=thread,
                draft_id=params["draft_id"],
                text=text.text,
                entities=text.entities,
                can_stop=params.get("can_stop", False),
                expires_at=self._world.clock.now() + self._world.rules.draft_s,
            )
        )
        return True

    def act(self, params: Params) -> bool:
        """Show that the bot is typing, or doing something else."""
        chat = self._reach.chat(params["chat_id"])
        thread = self._reach.thread(chat, params.get("message_thread_id"), typing=True)
        self._world.show_for_a_while(
            Fleeting(
                chat_id=chat.id,
                thread_id=thread,
                action=params["action"],
                expires_at=self._world.clock.now() + self._world.rules.typing_s,
            )
        )
        return True
