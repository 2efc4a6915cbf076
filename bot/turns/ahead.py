"""Waiting for a paced platform before the lease is looked at: the call that follows then starts at once."""

from typing import Final

from adapters.base import Adapter
from adapters.pacing import Priority
from bot.turns.model import Chat
from bot.turns.paced import PacedAdapter

#: Seconds for which somebody who holds a turn waits; a longer wait is better spent on other chats.
PATIENCE_S: Final = 4.0


async def granted(adapter: Adapter, op_id: str, chat: Chat, *, patience_s: float = PATIENCE_S) -> None:
    """Wait until a final operation may go; free on platforms that are not paced.

    Raises `RetryAfter` where the wait would be longer than `patience_s`.
    """
    if isinstance(adapter, PacedAdapter):
        await adapter.ahead(op_id, chat.account, chat.conversation, Priority.FINAL, patience_s=patience_s)
