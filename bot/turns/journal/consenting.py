"""Consenting: what chats let the assistant see, whether they were told of it, and up to when they were heard."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, func, or_, select, update

from bot.store.tables import UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.rows import CHAT_COLUMNS, chat_from, chats, consent_from, turns
from bot.turns.model import Chat, Consent, Reply, Turn

#: Chats that one transaction reads, and between two others have the event loop.
_PAGE = 1000
#: Changes are looked for again that long, for clocks that differ and for transactions that were under way.
_OVERLAP = timedelta(seconds=60)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

_MODES = select(chats.c.id, chats.c.adapter, chats.c.account, chats.c.conversation, chats.c.consent)
# One mode at a time, that the index answers.
_CHOSE = (
    _MODES.where(chats.c.consent == bindparam("mode"), chats.c.id > bindparam("behind"))
    .order_by(chats.c.id)
    .limit(bindparam("most"))
)
_CHANGED = _MODES.where(chats.c.consent_at >= bindparam("since", type_=UtcDateTime()))
_NEWEST = select(func.max(chats.c.consent_at, type_=UtcDateTime()))
#: Few of those, and much more of each.
_HEARD = select(*CHAT_COLUMNS).where(chats.c.consent == Consent.RECENT.value)
_CONSENT = update(chats).where(chats.c.id == bindparam("chat"))
_MEET = update(chats).where(chats.c.id == bindparam("chat"), chats.c.met_at.is_(None))
#: The newest turn before another that stands in prompts, or that was the reason why nothing before it does.
_HEARD_UP_TO = (
    select(turns.c.accepted_at)
    .where(turns.c.chat_id == bindparam("chat"), turns.c.ord < bindparam("before"))
    .where(or_(turns.c.prompt_sealed.is_not(None), turns.c.ord < bindparam("begin")))
    .order_by(turns.c.ord.desc())
    .limit(1)
)


class Chosen(NamedTuple):
    """What chats chose."""

    #: By adapter, account and conversation.
    modes: dict[tuple[str, str, str], Consent]
    #: The chats that chose `RECENT`.
    heard: list[Chat]
    #: From when on to read changes the next time; None where only a look at all of them tells.
    since: datetime | None = None


class Consenting(JournalBase):
    """What a chat lets the assistant see, in the record; a change of it is stored with the reply that tells it."""

    async def chosen(self, first: Consent = Consent.MENTIONS, since: datetime | None = None) -> Chosen:
        """Read the modes of the chats that are in another one than the `first`, in which chats begin now.

        With an instant, the modes of those alone that began or chose from then on, whichever they are.
        """
        async with self._database.survey() as connection:
            newest = (await connection.execute(_NEWEST)).scalar_one_or_none()
            heard = (await connection.execute(_HEARD)).all()
            changed = (await connection.execute(_CHANGED, {"since": since})).all() if since else []
        modes = _modes(changed)
        if since is None:
            for mode in Consent:
                if mode is not first:
                    modes |= await self._all_in(mode)
        return Chosen(
            modes=modes,
            heard=[chat_from(row) for row in heard],
            since=min(newest, self._clock.now()) - _OVERLAP if newest else _EVER,
        )

    async def _all_in(self, mode: Consent) -> dict[tuple[str, str, str], Consent]:
        modes: dict[tuple[str, str, str], Consent] = {}
        behind, number = "", _PAGE
        while number == _PAGE:
            asked = {"mode": mode.value, "behind": behind, "most": _PAGE}
            async with self._database.survey() as connection:
                rows = (await connection.execute(_CHOSE, asked)).all()
            modes.update(_modes(rows))
            number, behind = len(rows), rows[-1].id if rows else behind
            await asyncio.sleep(0)
        return modes

    async def heard_up_to(self, turn: Turn) -> datetime | None:
        """Read when what the prompt before a turn's was asked for was accepted; None where there was none.

        What was said up to then has become part of a turn, or was to be forgotten.
        """
        asked = {"chat": turn.chat.id, "before": turn.ord, "begin": turn.chat.context_from}
        async with self._database.read() as connection:
            return (await connection.execute(_HEARD_UP_TO, asked)).scalar_one_or_none()


def _modes(rows: Iterable[Row[Any]]) -> dict[tuple[str, str, str], Consent]:
    return {(row.adapter, row.account, row.conversation): consent_from(row.consent) for row in rows}


async def settle_consent(connection: Transaction, turn: Turn, reply: Reply, now: datetime) -> None:
    """Write down what a reply changes of its chat's consent, and that it tells the chat of it, where it does."""
    if (change := reply.consents) is not None:
        values = {
            "consent": change.consent.value,
            "consent_at": now,
            "recent_messages": change.recent_messages,
            "recent_hours": change.recent_hours,
            "consent_locked": change.locked,
        }
        await connection.execute(_CONSENT, {"chat": turn.chat.id, **values})
    if reply.introduces:
        await connection.execute(_MEET, {"chat": turn.chat.id, "met_at": now})
