"""What intake hands to the journal: a message for the assistant, with everything policy decided about it."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.base import Inbound, Receipt, SendsFrom
from bot.turns.model import NoticeKind, Skill
from bot.turns.notice_texts import NOTICES


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One message to commit, as a turn of its own or into its sender's turn that still waits."""

    inbound: Inbound
    #: What was said, without the assistant's own mention.
    text: str
    skill: Skill
    sends_from: SendsFrom
    #: The chat's share of the schedule.
    weight: float = 1.0
    #: Seconds from now within which an answer is worth giving.
    deadline_s: float
    #: Why it is not answered, and the sentence that says so; None for what is to be answered.
    refusal: tuple[NoticeKind, str] | None = None


class Cap(StrEnum):
    """Which cap a message would have exceeded."""

    #: `Caps.per_chat`
    CHAT = "chat"
    #: `Caps.total`
    TOTAL = "total"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRefusal(Receipt):
    """The receipt of a message that exceeded a cap."""

    cap: Cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much may wait; what exceeds a cap is stored as refused, with a notice."""

    #: Turns that wait in one chat.
    per_chat: int = 8
    #: Turns that wait in all. Gateways that accept at the same instant may exceed it by a batch each.
    total: int = 10_000
    #: Messages that join one turn; the next one begins another.
    per_turn: int = 20
    #: Turns that are answered at a time, as far as this process knows: what waits beyond them stands in line.
    slots: int = 8
    busy_text: str = NOTICES[NoticeKind.BUSY]
