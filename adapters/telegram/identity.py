"""Who the bot is on Telegram, and what it is set to there, as `getMe` tells. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The bot as Telegram knows it."""

    id: int
    #: Without the @, in lower case: Telegram's names have no case.
    username: str
    #: What the core calls it: the bot's own name in people's messages is handed on as this.
    assistant_name: str = "assistant"
    #: Privacy mode is off: it is told of every message in groups it joins from now on.
    reads_all: bool = False
    joins_groups: bool = True
    is_inline: bool = False
    is_guest: bool = False
    has_topics: bool = False

    @classmethod
    def of(cls, user: Mapping[str, Any], assistant_name: str) -> "Me":
        """Read the answer of `getMe`."""
        return cls(
            id=int(user["id"]),
            username=str(user.get("username", "")).lower(),
            assistant_name=assistant_name,
            reads_all=bool(user.get("can_read_all_group_messages")),
            joins_groups=bool(user.get("can_join_groups", True)),
            is_inline=bool(user.get("supports_inline_queries")),
            is_guest=bool(user.get("supports_guest_queries")),
            has_topics=bool(user.get("has_topics_enabled")),
        )
