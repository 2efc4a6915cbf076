"""What is owed to people, as whoever sends it reads it."""

from dataclasses import dataclass
from datetime import datetime

from bot.turns.model import Chat, NoticeKind, Part


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedReply:
    """A stored reply that the owner of its platform must send."""

    turn_id: str
    ord: int
    chat: Chat
    parts: tuple[Part, ...]
    #: The message that is answered.
    reply_to: str | None
    placeholder: str | None
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedReply:
    """A stored reply that cannot be read here: its chat waits for a key or a newer version, the others do not."""

    turn_id: str
    ord: int
    chat: Chat
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedNotice:
    """A stored notice that must be sent."""

    notice_id: str
    turn_id: str
    ord: int
    chat: Chat
    kind: NoticeKind
    text: str
    op_id: str
    reply_to: str | None
    #: The turn's placeholder, if one stands: the notice may be edited into it.
    placeholder: str | None
    #: Somebody began to send it and never said what became of that.
    in_doubt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedTurn:
    """A turn that waits without any visible sign."""

    turn_id: str
    ord: int
    chat: Chat
    reply_to: str | None
    accepted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLine:
    """The turns of one chat that wait for a worker."""

    #: Their positions in the chat, in order; a turn that is being answered is none of them.
    ords: tuple[int, ...]
    #: A sign in this chat already tells how long it takes.
    told: bool

    def before(self, ord_: int) -> int:
        """Count the turns that wait before one."""
        return sum(1 for each in self.ords if each < ord_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """What a stop did to the turns of a chat."""

    #: Turns in somebody's hands, who is to be told.
    asked: tuple[str, ...]
    #: Turns that waited and have ended, and how long each had waited, in seconds.
    ended: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedChat:
    """A chat with a turn that a worker must handle."""

    chat_id: str
    weight: float
    held: bool


#: How far ended turns are counted: a record of ten million must not cost every look at the queue a second.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCounts:
    """How many turns there are, by what operators ask."""

    waiting: int
    #: Of those that wait: in a worker's hands.
    running: int
    #: Seconds since the oldest waiting turn was accepted.
    oldest_waiting_s: float
    #: Stored, not yet known to have arrived.
    unsent: int
    #: From here on: at most `MOST_COUNTED` of each.
    done: int
    dead: int
    refused: int
    cancelled: int
