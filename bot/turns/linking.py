"""Which addresses in a reply may be live links: those that people brought into the chat, and the operator's."""

import logging
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final

from adapters.links import KnownLinks, found_in
from bot.errors import SealBroken, StoreUnavailable, VaultError
from bot.turns.model import Chat, Exchange, Turn

logger = logging.getLogger(__name__)

#: The newest exchanges in which an address is looked for.
MOST_EXCHANGES: Final = 200
#: `Journal.exchanges`, for the newest few.
Exchanges = Callable[[Chat, int], Awaitable[Sequence[Exchange]]]
#: What the assistant wrote does not become a person's because they quote it.
_OUR_QUOTES: Final = re.compile("‹quote of you›\n.*?\n‹end of quote›", re.DOTALL)


class Linking:
    """Finds a reply's live links; asks for nothing where no address stands in it."""

    def __init__(self, exchanges: Exchanges, hosts: Collection[str] = ()) -> None:
        """Keep where a chat's exchanges are read, and the operator's hosts (`.example.org` is all below it)."""
        self._exchanges = exchanges
        self._operators = KnownLinks.of(hosts=hosts)

    async def of(self, turn: Turn) -> frozenset[str]:
        """Return what may be live in a stored reply. Raises `StoreUnavailable` and `KeyMissing`."""
        written = found_in("\n".join(part.text for part in turn.parts))
        return self.operators(written) | await self.brought(turn) if written else frozenset()

    def operators(self, written: Collection[str]) -> frozenset[str]:
        """Choose the addresses that the operator lets be live. Pure."""
        return frozenset(address for address in written if self._operators.allow(address))

    async def brought(self, turn: Turn) -> frozenset[str]:
        """Return the addresses that people brought into a chat. Raises `StoreUnavailable` and `KeyMissing`."""
        return _brought(_own_words(turn)) | _brought(await self._prompts(turn))

    async def _prompts(self, turn: Turn) -> list[str]:
        """Read what prompts of the chat held of people's words, this turn's too."""
        try:
            exchanges = await self._exchanges(turn.chat, turn.ord + 1)
        except SealBroken:
            # What cannot be read vouches for nothing; whoever answers has told the log.
            return []
        return [_OUR_QUOTES.sub("", exchange.prompt) for exchange in exchanges]


class GrowingLinks:
    """The live links of one reply while it grows: none that its final text has not, and asked for once."""

    def __init__(self, linking: Linking | None, turn: Turn) -> None:
        """Keep whom to ask; without a `linking` no address is a live link."""
        self._linking = linking
        self._turn = turn
        self._brought: frozenset[str] | None = None

    async def of(self, text: str) -> frozenset[str]:
        """Return what may be live in the text so far; nothing while the record cannot be asked."""
        if self._linking is None or not (written := found_in(text)):
            return frozenset()
        if self._brought is None:
            try:
                self._brought = await self._linking.brought(self._turn)
            except (StoreUnavailable, VaultError) as error:
                logger.debug("links of turn %s are not live yet: %s", self._turn.id, type(error).__name__)
                return frozenset()
        return self._linking.operators(written) | self._brought


def _own_words(turn: Turn) -> list[str]:
    """Gather what this turn's people wrote and quoted; it may be in no prompt."""
    said = [one.text for one in turn.said]
    return [*said, *(one.quoted_text for one in turn.said if not one.quoted_by_assistant)]


def _brought(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(address for text in texts for address in found_in(text))
