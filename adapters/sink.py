"""Where an adapter hands over what comes in, and what the core decided about it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from adapters.events import Edited, Inbound, StopRequested, Withdrawn
from adapters.happenings import ConversationMoved, Delivery, MembershipChanged
from adapters.pressing import Pressed


class Outcome(StrEnum):
    """What the core did with an inbound message, by what the adapter may tell its platform."""

    #: Not addressed to the assistant: nothing was committed. Acknowledge.
    IGNORED = "ignored"
    #: Committed as a turn of its own. Acknowledge.
    ACCEPTED = "accepted"
    #: Committed into the sender's turn that still waits. Acknowledge.
    JOINED = "joined"
    #: This event had been committed before; nothing changed. Acknowledge.
    DUPLICATE = "duplicate"
    #: Committed together with a notice that says why it is not answered. Acknowledge.
    REFUSED = "refused"
    #: Carried out at once (a stop, an edit, a withdrawal). Acknowledge.
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that the core has decided; for all but IGNORED and DONE it is committed."""

    outcome: Outcome
    turn_id: str | None = None
    #: The core's own id of the chat, where something was committed.
    chat_id: str | None = None
    #: How many stand in line before a turn of its own; None where nobody does, and it can be taken at once.
    ahead: int | None = None
    #: What was asked was taken back before anybody worked on it: the turn is over and nothing will follow.
    cancelled: bool = False
    #: A short sentence for the person alone, where the platform can show one (over a button that was pressed).
    told: str = ""


class Sink(Protocol):
    """Where an adapter hands over what comes in."""

    async def accept(self, event: Inbound) -> Receipt:
        """Decide on a message and, if it addresses the assistant, commit it before returning.

        May be called again with the same event. Raises when nothing could be committed: the adapter must then
        not acknowledge, so that the platform delivers it again.
        """
        ...

    async def stop(self, event: StopRequested) -> Receipt:
        """Cancel what runs and waits in a conversation; safe to repeat."""
        ...

    async def edited(self, event: Edited) -> Receipt:
        """Change a mention that nobody works on yet; safe to repeat.

        An edit that addresses the assistant for the first time is a new mention; one that no longer does takes the
        mention back. Raises like `accept`.
        """
        ...

    async def withdrawn(self, event: Withdrawn) -> Receipt:
        """Cancel the turn of a message that was taken back; of a burst only that message goes. Safe to repeat."""
        ...

    async def pressed(self, event: Pressed) -> Receipt:
        """Carry out what a button under one of our messages says; `told` is for the person. Raises like `accept`."""
        ...

    async def moved(self, event: ConversationMoved) -> Receipt:
        """Take everything of a conversation along to its new reference; safe to repeat. Raises like `accept`."""
        ...

    async def membership(self, event: MembershipChanged) -> Receipt:
        """Hear who came or went; where the assistant itself was removed, what waits there is over. Safe to repeat."""
        ...

    async def delivered(self, event: Delivery) -> Receipt:
        """Hear what became of a message of ours; what comes late or twice changes nothing. Raises like `accept`."""
        ...
