"""What a chat remembers, and where that is cached; SQL is the record, so every loss here is only a miss."""

from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from bot.turns.model import Background, Chat, Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a chat's next prompt begins with: its background, and its exchanges, oldest first."""

    #: The chat's `context_version` in SQL that these exchanges are.
    version: int
    #: The chat's `context_from`: no exchange has a smaller `ord`.
    context_from: int
    exchanges: tuple[Exchange, ...]
    background: Background = field(default_factory=Background)

    def is_of(self, chat: Chat) -> bool:
        """Tell whether this is what SQL says that the chat remembers."""
        return (self.version, self.context_from) == (chat.context_version, chat.context_from)

    def before(self, turn_ord: int) -> Self:
        """Return the context that a turn follows: for all but a requeued turn, the whole."""
        exchanges = tuple(exchange for exchange in self.exchanges if exchange.ord < turn_ord)
        return self if len(exchanges) == len(self.exchanges) else replace(self, exchanges=exchanges)

    def is_followed_by(self, exchange: Exchange) -> bool:
        """Tell whether an exchange comes behind every one that is here."""
        return not self.exchanges or self.exchanges[-1].ord < exchange.ord

    def with_exchange(self, exchange: Exchange, version: int) -> Self:
        """Return the context after one more exchange."""
        return replace(self, version=version, exchanges=(*self.exchanges, exchange))


class ContextStore(Protocol):
    """A cache of contexts, shared by all workers. Every call raises `ContextUnavailable` where it is out."""

    async def load(self, chat: Chat) -> Context | None:
        """Return what is cached, of whatever version; None where nothing is, or nothing that can be read."""
        ...

    async def save(self, chat: Chat, context: Context) -> None:
        """Replace what is cached, of whatever version: readers compare it with SQL. Safe to repeat."""
        ...

    async def append(self, chat: Chat, exchange: Exchange, version: int) -> bool:
        """Add an exchange that SQL has committed, making the context `version`; the background stays.

        Nothing happens, and the answer is False, unless what is cached has the version and the beginning that
        `chat` was read with, and ends before the exchange: a stale worker cannot append out of order, nor a
        requeued turn out of place.
        """
        ...

    async def drop(self, chat: Chat) -> None:
        """Forget a chat; safe to repeat."""
        ...
