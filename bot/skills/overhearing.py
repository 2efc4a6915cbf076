"""Using what was said before a question to nobody in particular, where the chat lets the assistant see that."""

from dataclasses import replace

from bot.chat.ambient_keeper import HeardUpTo, Listening, as_said
from bot.skills.base import SkillRunner
from bot.turns.live_reply import LiveReply
from bot.turns.model import Consent, Reply, Turn
from bot.turns.stopping import Stop


class Overhearing:
    """A skill that is shown what was said since the last prompt; what it is shown becomes part of its turn."""

    def __init__(self, skill: SkillRunner, listening: Listening, heard_up_to: HeardUpTo) -> None:
        self._skill = skill
        self._listening = listening
        self._heard_up_to = heard_up_to

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Have the skill reply. Raises `StoreUnavailable`, beside what the skill raises."""
        if turn.chat.consent is not Consent.RECENT:
            return await self._skill.reply(turn, live, stop)
        heard = await self._listening.recall(turn, self._heard_up_to)
        seen = replace(turn, recent=tuple(as_said(one) for one in heard))
        reply = await self._skill.reply(seen, live, stop)
        return reply and replace(reply, heard=tuple(one.message for one in heard))
