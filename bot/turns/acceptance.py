"""What intake hands to the journal: a message for the assistant, with everything policy decided about it."""

from dataclasses import dataclass, field
from enum import StrEnum

from adapters.base import Inbound, Receipt, SendsFrom
from bot.turns.model import Consent, NoticeKind, Skill


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
    #: The mode of its chat, where it is that chat's first message.
    first_consent: Consent = Consent.MENTIONS
    #: Seconds from now within which an answer is worth giving.
    deadline_s: float
    #: Why it is not answered, and the sentence that says so; None for what is to be answered.
    refusal: tuple[NoticeKind, str] | None = None
    #: Seconds for which its turn is kept from the workers, because the rest of it is on its way.
    hold_back_s: float = 0.0
    #: The rest of an album or of a text that its client cut, though it addresses nobody: it joins or is dropped.
    is_rest: bool = False
    #: It joins nothing: it is asked once more, by a button.
    stands_alone: bool = False
    #: The line is so long that a turn of its own would be answered too late.
    too_late: bool = False
    #: Seconds until there is room again; None where nobody knows.
    ask_again_s: float | None = None


class Cap(StrEnum):
    """Which limit a message would have exceeded."""

    #: `Caps.per_chat` or `Caps.per_direct_chat`
    CHAT = "chat"
    #: `Caps.per_person`
    PERSON = "person"
    #: `Caps.total`
    TOTAL = "total"
    #: The line is longer than the deadline, or than is kept while it stands.
    LINE = "line"
    #: `Quotas.chat_hourly` or `Quotas.chat_daily`
    CHAT_QUOTA = "chat_quota"
    #: `Quotas.person_hourly` or `Quotas.person_daily`
    PERSON_QUOTA = "person_quota"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRefusal(Receipt):
    """The receipt of a message that exceeded a limit."""

    cap: Cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """How many messages are taken in an hour and in a day (of UTC); None takes any number and costs nothing."""

    person_hourly: int | None = None
    person_daily: int | None = None
    chat_hourly: int | None = None
    chat_daily: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is any quota at all."""
        return self != Quotas()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much may wait; what exceeds a cap is stored as refused, and a notice says so once an episode."""

    #: Turns that wait in one group.
    per_chat: int = 8
    #: Turns that wait in one direct chat; None allows as many as in a group.
    per_direct_chat: int | None = None
    #: Turns of one person that wait, in all chats of an adapter; None counts none.
    per_person: int | None = None
    #: Turns that wait in all. Gateways that accept at the same instant may exceed it by a batch each.
    total: int = 10_000
    #: Messages that join one turn; the next one begins another.
    per_turn: int = 20
    #: Turns that are answered at a time, as far as this process knows: what waits beyond them stands in line.
    slots: int = 8
    quotas: Quotas = field(default_factory=Quotas)
    #: Seconds after which a chat that is full is told so again, if it was not served before, or told to ask earlier.
    episode_s: float = 600.0
