"""What people are told above a reply: once in a chat what this is, and what of their question is not seen."""

from collections.abc import Collection
from dataclasses import replace

from bot.skills.base import SkillRunner
from bot.skills.privacy import Days
from bot.skills.privacy_texts import SWITCHED_OFF, introduction, quote_hidden
from bot.turns.live_reply import LiveReply
from bot.turns.model import Consent, Reply, Turn
from bot.turns.stopping import Stop


class Told:
    """A skill, with what has to be said above its reply; none of that enters the chat's context."""

    def __init__(
        self,
        skill: SkillRunner,
        *,
        name: str,
        days: Days,
        introduces: bool = True,
        own_histories: Collection[str] = (),
    ) -> None:
        self._skill = skill
        self._name = name
        self._days = days
        self._introduces = introduces
        self._own_histories = frozenset(own_histories)

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Have the skill reply; a chat's first reply is told to introduce the assistant."""
        reply = await self._skill.reply(turn, live, stop)
        if reply is None:
            return None
        introduces = self._introduces and turn.chat.met_at is None
        shows = turn.chat.adapter in self._own_histories
        days = self._days(turn.chat)
        above = [introduction(self._name, turn.chat, days, shows=shows)] if introduces else []
        if any(said.quote_hidden for said in turn.said):
            above.append(quote_hidden(turn.chat))
        if not above:
            return reply
        lines = (*(f"*{line}*" for line in above), *(reply.parts or (reply.text,)))
        return replace(reply, parts=lines, introduces=introduces)


class UnlessOff:
    """A skill, where the chat has not switched the assistant off since the message was taken."""

    def __init__(self, skill: SkillRunner) -> None:
        self._skill = skill

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Have the skill reply, or say why not."""
        if turn.chat.consent is Consent.OFF:
            return Reply(text=SWITCHED_OFF, parts=(), prompt=None)
        return await self._skill.reply(turn, live, stop)
