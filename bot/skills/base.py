"""What every skill is: a turn in, a finished reply out."""

from typing import Protocol

from bot.turns.live_reply import LiveReply
from bot.turns.model import Reply, Turn
from bot.turns.stopping import Stop


class SkillRunner(Protocol):
    """Produces the reply to a turn. It touches neither the platform nor the journal."""

    async def reply(self, turn: Turn, live: LiveReply, stop: Stop) -> Reply | None:
        """Produce the whole reply, showing it on `live` as it grows.

        When `stop` is asked, return what there is, or None when there is nothing yet. The returned `parts`
        may be empty: the text is shown then. Raises an `EngineError` where the engine is involved.
        """
        ...
