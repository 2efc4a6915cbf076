"""Telling the people of a group apart before a prompt is made: two of them may have chosen the same name."""

from collections.abc import Awaitable, Callable, Collection

from bot.chat.telling_apart import Bearers, quoted_names, reserved_names, speakers, told_apart
from bot.skills.base import SkillRunner
from bot.turns.live_reply import LiveReply
from bot.turns.model import Chat, Reply, Turn
from bot.turns.stopping import Stop

#: `Journal.bearers`: who bears which names in a chat. Raises `StoreUnavailable`.
FindBearers = Callable[[Chat, Collection[tuple[str, str]], Collection[str]], Awaitable[Bearers]]


class TellingApart:
    """A skill that is told what to call everybody."""

    def __init__(self, skill: SkillRunner, bearers: FindBearers, *, assistant: str) -> None:
        """Keep the skill, who knows the bearers of names, and the assistant's own name, which nobody else bears."""
        self._skill = skill
        self._bearers = bearers
        self._reserved = reserved_names(assistant)

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Have the skill reply. Raises `StoreUnavailable`, beside what the skill raises."""
        found = await self._bearers(turn.chat, speakers(turn), quoted_names(turn))
        return await self._skill.reply(told_apart(turn, found, self._reserved), live, stop)
