"""What chats let the assistant see, at hand without I/O: read for all of them every few seconds."""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Final, Protocol, Self

from bot.clock import Clock
from bot.errors import StoreUnavailable
from bot.turns.journal.consenting import Chosen
from bot.turns.model import Chat, Consent
from bot.turns.tasks import end

logger = logging.getLogger(__name__)

#: Seconds between two looks at all chats; between those only what changed is read.
_WHOLE_EVERY_S = 600.0
#: Seconds without a look after which nobody is believed to allow more than the least.
_BELIEVED_S = 15.0


@dataclass(frozen=True, slots=True)
class Mode:
    """What one chat lets the assistant see."""

    consent: Consent
    #: The chat, where it is needed: with `RECENT`.
    chat: Chat | None = None


#: The mode that allows the least of a chat that is not switched off.
LEAST: Final = Mode(Consent.MENTIONS)
_PLAIN: Final = {consent: Mode(consent) for consent in Consent}


class Modes(Protocol):
    """Knows the mode of every chat; kept current while its context is open."""

    def of(self, adapter: str, account: str, conversation: str) -> Mode:
        """Return a chat's mode, without I/O."""
        ...

    async def __aenter__(self) -> Self:
        """Begin to know."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        ...


class FirstModes:
    """The modes where no chat ever chose another: for tests and demonstrations."""

    def of(self, adapter: str, account: str, conversation: str) -> Mode:
        """Return the first mode."""
        return LEAST

    async def __aenter__(self) -> Self:
        """Nothing needs to be known."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing ends."""


#: `Journal.chosen`: reads the modes of the chats that are in another one than the first, or what changed from then on.
Choices = Callable[[Consent, datetime | None], Awaitable[Chosen]]


class KnownModes:
    """The `Modes` over the record; a chat that it does not know begins in the `first` mode.

    Chats that stand keep the mode they have, whatever the first one is now: only they can change it. While the record
    is away the last modes stand for some seconds; from then on only `OFF` does, and every other chat is treated as one
    that allows the least.
    """

    def __init__(
        self, choices: Choices, clock: Clock, *, first: Consent = Consent.MENTIONS, every_s: float = 3.0
    ) -> None:
        self._first = first
        # Before anything was read, nobody is believed to allow more than the least.
        self._unknown = LEAST
        self._choices = choices
        self._clock = clock
        self._every_s = every_s
        self._modes: dict[tuple[str, str, str], Consent] = {}
        self._heard: dict[tuple[str, str, str], Mode] = {}
        self._since: datetime | None = None
        self._whole_s = -math.inf
        self._looked_s = clock.monotonic()
        self._out = False
        self._task: asyncio.Task[None] | None = None

    def of(self, adapter: str, account: str, conversation: str) -> Mode:
        """Return a chat's mode as it was at the last look."""
        where = adapter, account, conversation
        if (consent := self._modes.get(where)) is None:
            return self._unknown
        return self._heard.get(where, LEAST) if consent is Consent.RECENT else _PLAIN[consent]

    async def __aenter__(self) -> Self:
        """Look, and go on looking."""
        await self.look()
        self._task = asyncio.create_task(self._run(), name="modes")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look no more."""
        if self._task is not None:
            await end({self._task})

    async def look(self) -> None:
        """Read the modes from the record; while that is away, believe less and less."""
        began_s = self._clock.monotonic()
        is_whole = self._since is None or began_s - self._whole_s >= _WHOLE_EVERY_S
        try:
            chosen = await self._choices(self._first, None if is_whole else self._since)
        except StoreUnavailable:
            self._note(out=True)
            if began_s - self._looked_s > _BELIEVED_S:
                self._unknown = LEAST
                self._modes = {where: mode for where, mode in self._modes.items() if mode is Consent.OFF}
                # What was dropped is read again when the record is back.
                self._since = None
            return
        self._take(chosen, is_whole=is_whole)
        self._unknown, self._since = Mode(self._first), chosen.since
        self._looked_s, self._whole_s = began_s, began_s if is_whole else self._whole_s
        self._note(out=False)

    def _take(self, chosen: Chosen, *, is_whole: bool) -> None:
        if is_whole:
            self._modes = chosen.modes
        for where, consent in () if is_whole else chosen.modes.items():
            if consent is self._first:
                self._modes.pop(where, None)
            else:
                self._modes[where] = consent
        self._heard = {
            (chat.adapter, chat.account, chat.conversation): Mode(chat.consent, chat) for chat in chosen.heard
        }

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
            try:
                await self.look()
            except Exception:
                logger.exception("reading what chats allow met an unexpected error and goes on")

    def _note(self, *, out: bool) -> None:
        if out != self._out:
            self._out = out
            logger.warning("what chats allow %s", "cannot be read now" if out else "is read again")
