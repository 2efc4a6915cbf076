"""Contexts in this process's memory: for tests and demonstrations."""

from bot.chat.context import Context
from bot.turns.model import Chat, Exchange


class MemoryContext:
    """The `ContextStore` as a dictionary; keeps every chat until it is dropped."""

    def __init__(self) -> None:
        self._contexts: dict[str, Context] = {}

    async def load(self, chat: Chat) -> Context | None:
        """Return what is cached."""
        return self._contexts.get(chat.id)

    async def save(self, chat: Chat, context: Context) -> None:
        """Replace what is cached."""
        self._contexts[chat.id] = context

    async def append(self, chat: Chat, exchange: Exchange, version: int) -> bool:
        """Add an exchange to the version it follows."""
        context = self._contexts.get(chat.id)
        if context is None or not context.is_of(chat) or not context.is_followed_by(exchange):
            return False
        self._contexts[chat.id] = context.with_exchange(exchange, version)
        return True

    async def drop(self, chat: Chat) -> None:
        """Forget a chat."""
        self._contexts.pop(chat.id, None)
