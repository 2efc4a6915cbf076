"""Turns that wait, made as intake makes them: through the journal."""

from adapters.base import SendsFrom
from bench.whole_path import mention
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Journal
from bot.turns.model import Skill

#: Messages that share a transaction.
_BATCH = 256


def acceptance(number: int, *, sends_from: SendsFrom = SendsFrom.ANY) -> Acceptance:
    """Make a mention, in a chat of its own, ready to be committed."""
    return Acceptance(
        inbound=mention("hello", number),
        text="hello",
        skill=Skill.ANSWER,
        sends_from=sends_from,
        deadline_s=86_400.0,
    )


async def make_waiting(
    journal: Journal, first: int, end: int, *, sends_from: SendsFrom = SendsFrom.ANY
) -> None:
    """Commit mentions by number, each in a chat of its own. The journal's caps must allow for them."""
    for begin in range(first, end, _BATCH):
        numbers = range(begin, min(begin + _BATCH, end))
        await journal.accept([acceptance(number, sends_from=sends_from) for number in numbers])
