"""What intake asks of the record and of the live bus."""

from collections.abc import Sequence
from typing import Protocol

from adapters.base import Receipt, Withdrawn
from bot.turns.acceptance import Acceptance
from bot.turns.journal import Cancelled, Changed
from bot.turns.model import Chat


class AcceptingJournal(Protocol):
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
