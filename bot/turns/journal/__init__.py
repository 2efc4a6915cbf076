"""The record of every turn, in SQL: acceptance, claims, replies, ends, and what is owed.

Every method is one transaction and raises `StoreUnavailable` when it cannot be committed now. What a worker
changes it changes under its token; `Fenced` means that nothing was changed and nothing more may be started.
"""

from bot.turns.journal.accept import Accepting
from bot.turns.journal.cancel import Cancelling
from bot.turns.journal.changing import Change, Changed, Changing
from bot.turns.journal.claim import Claiming
from bot.turns.journal.consenting import Consenting
from bot.turns.journal.delivering import Delivering, DeliveryChange, DeliveryChanged
from bot.turns.journal.errors import NotYet
from bot.turns.journal.introducing import Introducing
from bot.turns.journal.leaving import Leaving
from bot.turns.journal.moving import Moved, Moving
from bot.turns.journal.naming import Naming
from bot.turns.journal.notices import Noticing
from bot.turns.journal.owed import (
    MOST_COUNTED,
    Cancelled,
    LockedReply,
    OwedNotice,
    OwedReply,
    TurnCounts,
    UnfinishedChat,
    UnsignedTurn,
)
from bot.turns.journal.owing import Owing
from bot.turns.journal.pressing import Asked, Pressing
from bot.turns.journal.rating import Judging
from bot.turns.journal.reading import Reading
from bot.turns.journal.remembering import Remembering
from bot.turns.journal.reply import Replying
from bot.turns.journal.signs import Signing
from bot.turns.journal.summaries import Summarising

__all__ = [
    "MOST_COUNTED",
    "Asked",
    "Cancelled",
    "Change",
    "Changed",
    "DeliveryChange",
    "DeliveryChanged",
    "Journal",
    "LockedReply",
    "Moved",
    "NotYet",
    "OwedNotice",
    "OwedReply",
    "TurnCounts",
    "UnfinishedChat",
    "UnsignedTurn",
]


class Journal(
    Accepting,
    Changing,
    Pressing,
    Claiming,
    Replying,
    Cancelling,
    Signing,
    Owing,
    Noticing,
    Reading,
    Summarising,
    Consenting,
    Remembering,
    Naming,
    Judging,
    Moving,
    Leaving,
    Introducing,
    Delivering,
):
    """The life of every turn, kept where a crash cannot lose it."""
