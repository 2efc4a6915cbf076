"""Which buttons stand under a reply, as far as its conversation allows any. Pure."""

from typing import Final

from adapters.base import Action, Button, Capabilities
from bot.turns.model import Skill, Turn

STOP: Final = Button(action=Action.STOP, label="Stop")
RETRY: Final = Button(action=Action.RETRY, label="Try again")
GOOD: Final = Button(action=Action.GOOD, label="👍")
BAD: Final = Button(action=Action.BAD, label="👎")
_VERDICTS: Final = 2


def while_growing(capabilities: Capabilities) -> tuple[Button, ...]:
    """Choose what people may press under a reply that grows, or is waited for."""
    return (STOP,) if capabilities.buttons else ()


def under_reply(capabilities: Capabilities, turn: Turn, number: int) -> tuple[Button, ...]:
    """Choose what people may press under a part of a finished reply: only under the last, and only under an answer.

    Where there is room for two, a verdict is worth more than another try: that can be asked for in words.
    """
    if turn.skill is not Skill.ANSWER or number != turn.parts[-1].number:
        return ()
    if capabilities.buttons > _VERDICTS:
        return (RETRY, GOOD, BAD)
    return (GOOD, BAD) if capabilities.buttons == _VERDICTS else (RETRY,)[: capabilities.buttons]
