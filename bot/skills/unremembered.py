"""Answering in chats that keep nothing beyond the running turn: the answer is given, and enters no context."""

from collections.abc import Callable
from dataclasses import replace

from bot.skills.base import SkillRunner
from bot.turns.live_reply import LiveReply
from bot.turns.model import Chat, Reply, Turn
from bot.turns.stopping import Stop


class Unremembered:
    """Runs another skill, and keeps its reply out of the context of a chat that keeps nothing."""

    def __init__(self, inner: SkillRunner, days: Callable[[Chat], int]) -> None:
        """Keep the skill, and what tells for how many days the words of a chat are kept."""
        self._inner = inner
        self._days = days

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Produce the reply."""
        reply = await self._inner.reply(turn, live, stop)
        if reply is None or self._days(turn.chat) > 0:
            return reply
        return replace(reply, prompt=None, context_from=None, takes_summary=None, wants_summary=False)
