"""Consenting: what chats let the assistant see, whether they were told of it, and up to when they were heard."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, or_, select, update

from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.rows import CHAT_COLUMNS, chat_from, chats, consent_from, turns
from bot.turns.model import Chat, Consent, Reply, Turn

_MODES = select(chats.c.adapter, chats.c.account, chats.c.conversation, chats.c.consent)
# By equality: that the index answers, whichever mode is the first.
_CHOSE = {
    first: _MODES.where(or_(*(chats.c.consent == mode.value for mode in Consent if mode is not first)))
    for first in Consent
}
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


class Consenting(JournalBase):
    """What a chat lets the assistant see, in the record; a change of it is stored with the reply that tells it."""

    async def chosen(self, first: Consent = Consent.MENTIONS) -> Chosen:
        """Read the modes of the chats that are in another one than the `first`, in which chats begin now."""
        async with self._database.survey() as connection:
            rows = (await connection.execute(_CHOSE[first])).all()
            heard = (await connection.execute(_HEARD)).all()
        return Chosen(
            modes={(row.adapter, row.account, row.conversation): consent_from(row.consent) for row in rows},
            heard=[chat_from(row) for row in heard],
        )

    async def heard_up_to(self, turn: Turn) -> datetime | None:
        """Read when what the prompt before a turn's was asked for was accepted; None where there was none.

        What was said up to then has become part of a turn, or was to be forgotten.
        """
        asked = {"chat": turn.chat.id, "before": turn.ord, "begin": turn.chat.context_from}
        async with self._database.read() as connection:
            return (await connection.execute(_HEARD_UP_TO, asked)).scalar_one_or_none()


async def settle_consent(connection: Transaction, turn: Turn, reply: Reply, now: datetime) -> None:
    """Write down what a reply changes of its chat's consent, and that it tells the chat of it, where it does."""
    if (change := reply.consents) is not None:
        values = {
            "consent": change.consent.value,
            "recent_messages": change.recent_messages,
            "recent_hours": change.recent_hours,
            "consent_locked": change.locked,
        }
        await connection.execute(_CONSENT, {"chat": turn.chat.id, **values})
    if reply.introduces:
        await connection.execute(_MEET, {"chat": turn.chat.id, "met_at": now})
