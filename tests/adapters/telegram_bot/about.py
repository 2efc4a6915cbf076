"""What the bot can ask about itself, chats, their members and files."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.adapters.telegram_bot.reach import Reach
from tests.adapters.telegram_bot.refusals import bad_request
from tests.adapters.telegram_bot.seen import ChatKind, Standing
from tests.adapters.telegram_bot.wire import chat_wire, member_wire, user_wire
from tests.adapters.telegram_bot.world import World

Params = dict[str, Any]
_IN_CHARGE = (Standing.CREATOR, Standing.ADMINISTRATOR)


class About:
    """The methods that look, and the two that change how the bot stands."""

    def __init__(self, world: World, reach: Reach) -> None:
        self._world = world
        self._reach = reach
        self.commands: dict[str, list[dict[str, str]]] = {}

    def methods(self) -> Mapping[str, Callable[[Params], Any]]:
        """List the methods."""
        return {
            "getMe": self.me,
            "getChat": self.chat,
            "getChatMember": self.member,
            "getChatMemberCount": self.count,
            "getChatAdministrators": self.administrators,
            "leaveChat": self.leave,
            "setMyCommands": self.set_commands,
            "getMyCommands": lambda params: self.commands.get(_scope(params), []),
            "deleteMyCommands": lambda params: self.commands.pop(_scope(params), None) is None or True,
        }

    def me(self, _: Params) -> dict[str, Any]:
        """Tell the bot what it is set to."""
        rules = self._world.rules
        return user_wire(self._world.bot) | {
            "can_join_groups": True,
            "can_read_all_group_messages": rules.reads_all,
            "supports_inline_queries": rules.inline,
            "supports_guest_queries": rules.guests,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": rules.topics,
            "allows_users_to_create_topics": rules.topics,
            "can_manage_bots": False,
        }

    def chat(self, params: Params) -> dict[str, Any]:
        """Tell of a chat."""
        chat = self._reach.chat(params["chat_id"])
        fixed = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
        return chat_wire(self._world, chat) | fixed

    def member(self, params: Params) -> dict[str, Any]:
        """Tell of somebody in a chat."""
        chat = self._reach.chat(params["chat_id"])
        if params["user_id"] not in self._world.users:
            raise bad_request("PARTICIPANT_ID_INVALID")
        return member_wire(self._world, chat, params["user_id"])

    def count(self, params: Params) -> int:
        """Count who is in a chat."""
        chat = self._reach.chat(params["chat_id"])
        return sum(chat.has(int(user)) for user in chat.members)

    def administrators(self, params: Params) -> list[dict[str, Any]]:
        """List who is in charge of a group."""
        chat = self._reach.chat(params["chat_id"])
        if chat.kind == ChatKind.PRIVATE:
            raise bad_request("there are no administrators in the private chat")
        ours, bots = self._world.bot.id, params.get("return_bots", False)
        in_charge = [int(user) for user in chat.members if chat.standing(int(user)) in _IN_CHARGE]
        shown = [user for user in in_charge if bots or user == ours or not self._world.users[user].is_bot]
        return [member_wire(self._world, chat, user) for user in shown]

    def leave(self, params: Params) -> bool:
        """Let the bot go."""
        chat = self._reach.chat(params["chat_id"])
        if chat.kind == ChatKind.PRIVATE:
            raise bad_request("chat member status can't be changed in private chats")
        chat.members[str(self._world.bot.id)] = Standing.LEFT
        self._world.keep_chat(chat)
        return True

    def set_commands(self, params: Params) -> bool:
        """Set what the menu of commands offers."""
        self.commands[_scope(params)] = params["commands"]
        return True


_NO_GIFTS = dict.fromkeys(
    (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ),
    False,
)


def _scope(params: Params) -> str:
    scope = params.get("scope", {"type": "default"})
    return f"{scope['type']}/{scope.get('chat_id', '')}/{params.get('language_code', '')}"
