"""What people attach, and cannot be looked into: said to them honestly, never guessed at."""

from dataclasses import replace

from bot.chat.attached import unseen_note, unseen_reply
from bot.skills.base import SkillRunner
from bot.turns.live_reply import LiveReply
from bot.turns.model import Reply, Turn
from bot.turns.stopping import Stop


class Unseen:
    """A skill that reads words, with a word of ours where something was attached; that enters no context."""

    def __init__(self, skill: SkillRunner) -> None:
        self._skill = skill

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Have the skill reply to what was said; without any words, say that they are needed."""
        kinds = [kind for said in turn.said for kind in said.attached]
        if not kinds:
            return await self._skill.reply(turn, live, stop)
        if not any(said.text.strip() or said.quoted_text.strip() for said in turn.said):
            return Reply(text=unseen_reply(kinds), parts=(), prompt=None)
        reply = await self._skill.reply(turn, live, stop)
        if reply is None:
            return None
        return replace(reply, parts=(f"*{unseen_note(kinds)}*", *(reply.parts or (reply.text,))))
