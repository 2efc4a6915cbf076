"""Listening, where a chat allows it: what gateways hear and what workers make of it; losing any of it is no error."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from adapters.base import Inbound
from bot.chat.ambient import MOST_CHARS, AmbientStore, Heard
from bot.clock import Clock
from bot.errors import ContextUnavailable
from bot.turns.model import Chat, Consent, Reply, Said, Turn

logger = logging.getLogger(__name__)

T = TypeVar("T")
#: `Journal.heard_up_to`: up to when what was said before a turn has become part of another, or was forgotten.
HeardUpTo = Callable[[Turn], Awaitable[datetime | None]]
#: Seconds for which gateways may still believe that a chat allows what it allows no more.
DEAF_S = 15.0
#: Seconds for which nobody is kept waiting for a store that is away.
_PAUSE_S = 5.0


class Listening:
    """What a gateway does with messages that address nobody.

    An outage is logged once, and so is its end; while it lasts what is said is not remembered.
    """

    def __init__(self, store: AmbientStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._out = False
        self._ask_again_s = 0.0

    async def hear(self, chat: Chat, event: Inbound) -> None:
        """Remember a message of a chat that allows it."""
        await self._hurried(partial(self._store.add, chat, self._heard(event)))

    async def amended(self, chat: Chat, event: Inbound) -> None:
        """Learn that a message says something else now."""
        await self._asked(partial(self._store.amend, chat, self._heard(event)))

    async def withdrawn(self, chat: Chat, message: str) -> None:
        """Learn that a message was taken back."""
        await self._asked(partial(self._store.discard, chat, (message,)))

    async def recall(self, turn: Turn, heard_up_to: HeardUpTo) -> tuple[Heard, ...]:
        """Return what was said before a turn and after the last prompt, oldest first."""
        found = await self._hurried(partial(self._store.read, turn.chat))
        if not found:
            return ()
        since = await heard_up_to(turn)
        return tuple(one for one in found if one.at <= turn.accepted_at and (since is None or one.at > since))

    async def settle(self, turn: Turn, reply: Reply) -> None:
        """Forget what became part of a stored turn, or what its chat no longer wants remembered.

        A call that never happens does no harm: the record knows up to when everything was heard, and hours pass.
        """
        if turn.chat.consent is not Consent.RECENT:
            return
        if reply.consents is not None or reply.resets_context:
            still = reply.consents is None or reply.consents.consent is Consent.RECENT
            deaf_s = 0.0 if still else DEAF_S
            await self._asked(partial(self._store.drop, turn.chat, deaf_s=deaf_s))
        elif reply.heard:
            await self._asked(partial(self._store.discard, turn.chat, reply.heard))

    def _heard(self, event: Inbound) -> Heard:
        return Heard(
            message=event.message,
            sender_id=event.sender.id,
            sender_name=event.sender.name,
            text=event.text[:MOST_CHARS],
            at=self._clock.now(),
        )

    async def _hurried(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Ask the store, but only now and then where it is out: somebody waits who can do without."""
        if self._out and self._clock.monotonic() < self._ask_again_s:
            return None
        return await self._asked(call)

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """Ask the store; None where it is out."""
        try:
            found = await call()
        except ContextUnavailable as exc:
            self._ask_again_s = self._clock.monotonic() + _PAUSE_S
            self._note(out=True, why=str(exc))
            return None
        self._note(out=False)
        return found

    def _note(self, *, out: bool, why: str = "") -> None:
        if out and not self._out:
            logger.warning("what is said to nobody is not remembered, its store is out: %s", why)
        elif self._out and not out:
            logger.info("what is said to nobody is remembered again")
        self._out = out


def as_said(heard: Heard) -> Said:
    """Put a remembered message as a turn holds what was said."""
    return Said(
        message=heard.message,
        sender_id=heard.sender_id,
        sender_name=heard.sender_name,
        text=heard.text,
        sent_at=heard.at,
    )
