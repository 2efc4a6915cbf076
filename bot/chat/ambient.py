"""What was said in a chat to nobody in particular, remembered for hours at most, where the chat allows it.

It is never in SQL: whatever is lost here was never part of a turn.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.turns.model import Chat

#: Longer messages are remembered by their beginning, in characters.
MOST_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message that addressed nobody."""

    #: The platform's reference to it.
    message: str
    sender_id: str
    sender_name: str
    text: str
    #: When a gateway heard it, on the clock by which turns are accepted.
    at: datetime


class AmbientStore(Protocol):
    """Remembers unaddressed messages of chats that allow it. Every call raises `ContextUnavailable` where it is out.

    How many messages of how many hours is as `chat` says; each one goes by itself when its hours are over.
    """

    async def add(self, chat: Chat, heard: Heard) -> None:
        """Remember a message; the oldest goes where there are too many, and one that is known is replaced."""
        ...

    async def amend(self, chat: Chat, heard: Heard) -> None:
        """Give a message that is remembered another text, in its place; nothing happens to any other."""
        ...

    async def read(self, chat: Chat) -> tuple[Heard, ...]:
        """Return what is remembered, oldest first; what cannot be opened is left out."""
        ...

    async def discard(self, chat: Chat, messages: tuple[str, ...]) -> None:
        """Forget some messages by their references; safe to repeat."""
        ...

    async def drop(self, chat: Chat, *, deaf_s: float = 0.0) -> None:
        """Forget all of a chat, and remember nothing new of it for some seconds.

        By then every gateway knows that the chat allows it no more, or has its new key.
        """
        ...
