"""What intake asks of the record and of the live bus."""

from collections.abc import Sequence
from typing import Protocol

from adapters.base import ConversationMoved, Delivery, Pressed, Receipt, Withdrawn
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Asked, Cancelled, Changed, DeliveryChanged, Moved
from bot.turns.model import Chat, Said
from bot.turns.ratings import Rating


class PressedJournal(Protocol):
    """What presses ask of the journal. Every call raises `StoreUnavailable`."""

    async def asked_under(self, event: Pressed) -> Asked | None:
        """Find the turn that a message of ours belongs to."""
        ...

    async def may_be_posting(self, event: Pressed) -> bool:
        """Tell whether people may see a message of a turn of that chat which the record does not know yet."""
        ...

    async def said_in(self, asked: Asked) -> tuple[Said, ...]:
        """Read what was said in a turn; empty where it was forgotten."""
        ...

    async def is_asked_again(self, asked: Asked, message: str) -> bool:
        """Tell whether this message waits for an answer: of another turn of the chat, or still of this one."""
        ...

    async def request_cancel_of(self, chat_id: str, turn_id: str) -> Cancelled:
        """End one turn that waits, or ask whoever holds it to."""
        ...

    async def rate(self, chat_id: str, turn_id: str, sender_id: str, rating: Rating) -> bool:
        """Keep what a person thinks of a reply; False where the record says so already."""
        ...


class ChatsJournal(Protocol):
    """What comings and goings ask of the journal. Every call raises `StoreUnavailable`."""

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Find a chat by where it is; None where the assistant was never addressed."""
        ...

    async def left(self, chat_id: str) -> Cancelled:
        """End everything that is unfinished in a chat, without a word."""
        ...

    async def move(self, event: ConversationMoved) -> Moved:
        """Give a chat its new reference."""
        ...

    async def claim_introduction(self, chat: Chat, person_id: str, event_key: str) -> bool:
        """Tell whether somebody who joined is to be told now, and keep that."""
        ...

    async def met(self, chat_id: str) -> None:
        """Write down that a chat was told just now what the assistant is."""
        ...


class ReportedJournal(Protocol):
    """What reports ask of the journal."""

    async def delivered(self, event: Delivery) -> DeliveryChanged:
        """Write down how far a message came. Raises `StoreUnavailable`."""
        ...


class AcceptingJournal(PressedJournal, ChatsJournal, ReportedJournal, Protocol):
    """What intake asks of the journal. Every call raises `StoreUnavailable` with nothing stored."""

    async def accept(self, batch: Sequence[Acceptance]) -> Sequence[Receipt]:
        """Commit a batch in one transaction; the receipts stand in its order and name their chats."""
        ...

    async def chat_by_conversation(self, adapter: str, account: str, conversation: str) -> Chat | None:
        """Find a chat by where it is; None where the assistant was never addressed."""
        ...

    async def amend(self, edited: Acceptance) -> Changed:
        """Give a mention that nobody has in hand another text; one that speaks to nobody now is taken back.

        It stays where its turn has other messages: they speak for it.
        """
        ...

    async def withdraw(self, event: Withdrawn) -> Changed:
        """Cancel the turn of a message that was taken back, or take the message out of its turn."""
        ...

    async def request_cancel(self, chat_id: str) -> Cancelled:
        """End every waiting turn of a chat, ask for the running ones to be cancelled, and tell which are which."""
        ...


class StopSignals(Protocol):
    """What intake asks of the live bus."""

    async def signal_stop(self, turn_id: str) -> None:
        """Tell every worker that a turn was cancelled."""
        ...
