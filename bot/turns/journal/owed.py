"""What is owed to people, as whoever sends it reads it."""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedChat:
    """A chat with a turn that a worker must handle."""

    chat_id: str
    weight: float
    held: bool


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
    done: int
    dead: int
    refused: int
    cancelled: int
