"""Notices that any process may send: claimed for a while, and recovered like replies after any crash."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, bindparam, case, false, or_, select, update

from adapters.base import SendsFrom
from bot.turns.journal.base import JournalBase
from bot.turns.journal.owed import OwedNotice
from bot.turns.journal.rows import CHAT_COLUMNS, NOTICE_OWED, chat_from, chats, notices, turns
from bot.turns.model import NoticeKind, NoticeState

# What a newer version has to say is left to a process of that version.
_OF_A_KNOWN_KIND = or_(*(notices.c.kind == kind.value for kind in NoticeKind))
#: Every notice that is still to be sent, with its turn and its chat.
NOTICES = (
    select(notices, turns.c.ord, turns.c.placeholder, *CHAT_COLUMNS)
    .join(chats, chats.c.id == notices.c.chat_id)
    .join(turns, turns.c.id == notices.c.turn_id)
    .where(NOTICE_OWED, _OF_A_KNOWN_KIND)
)
_CLAIMABLE = (
    NOTICES.where(notices.c.sends_from == SendsFrom.ANY.value)
    .where(or_(notices.c.claimed_until.is_(None), notices.c.claimed_until <= bindparam("now")))
    .order_by(notices.c.created_at, notices.c.id)
    .limit(1)
)
_LOCK_CLAIMABLE = _CLAIMABLE.with_for_update(of=notices, skip_locked=True)
# Before anything was sent of it a claim only keeps others away: whoever it was made for takes no notice of it.
_LOCK_CLAIMABLE_OF = (
    NOTICES.where(notices.c.sends_from == SendsFrom.ANY.value)
    .where(notices.c.turn_id == bindparam("turn"), notices.c.state == NoticeState.WAITING.value)
    .limit(1)
    .with_for_update(of=notices, skip_locked=True)
)
_CLAIM_NOTICE = update(notices).where(
    notices.c.id == bindparam("notice"), notices.c.state == bindparam("found")
)
_CHANGE_NOTICE = update(notices).where(
    notices.c.id == bindparam("notice"), notices.c.state != NoticeState.SENT.value
)
_NOTICE_ARRIVED = _CHANGE_NOTICE.values(
    state=case((notices.c.restate, NoticeState.WAITING.value), else_=NoticeState.SENT.value),
    restate=false(),
    claimed_until=None,
)


class Noticing(JournalBase):
    """What the notice task asks of the journal, and the worker that ended a turn without an answer."""

    async def claim_notice(self, now: datetime, claim_s: float) -> OwedNotice | None:
        """Claim the oldest notice that any process may send, for a while; None when there is none.

        One whose claim ran out is claimed again, `in_doubt`.
        """
        async with self._database.read() as connection:
            if (await connection.execute(_CLAIMABLE, {"now": now})).first() is None:
                return None
        return await self._claim_notice(_LOCK_CLAIMABLE, {"now": now}, now + timedelta(seconds=claim_s))

    async def claim_notice_of(self, turn_id: str, now: datetime, claim_s: float) -> OwedNotice | None:
        """Claim the notice of a turn just ended, if there is one and nobody began to send it."""
        return await self._claim_notice(
            _LOCK_CLAIMABLE_OF, {"turn": turn_id}, now + timedelta(seconds=claim_s)
        )

    async def notice_sent(self, notice_id: str, message: str) -> None:
        """Write down that a notice arrived; one marked meanwhile waits to be said again. Safe to repeat."""
        arrived = {"notice": notice_id, "message": message, "sent_at": self._clock.now()}
        async with self._database.write() as connection:
            await connection.execute(_NOTICE_ARRIVED, arrived)

    async def notice_not_sent(
        self, notice_id: str, not_before: datetime, *, still_in_doubt: bool = False
    ) -> None:
        """Write down that a notice was certainly not sent; it may be claimed again from an instant on.

        `still_in_doubt` keeps what is not known of an earlier try.
        """
        state = NoticeState.SENDING if still_in_doubt else NoticeState.WAITING
        await self._change_notice(notice_id, state=state.value, claimed_until=not_before)

    async def _claim_notice(
        self, locking: Select[Any], asked: dict[str, Any], until: datetime
    ) -> OwedNotice | None:
        async with self._database.write() as connection:
            row = (await connection.execute(locking, asked)).one_or_none()
            if row is None:
                return None
            claim = {"notice": row.id, "found": row.state, "state": NoticeState.SENDING.value}
            await connection.execute(_CLAIM_NOTICE, {**claim, "claimed_until": until})
        return notice_from(row)

    async def _change_notice(self, notice_id: str, **values: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(_CHANGE_NOTICE, {"notice": notice_id, **values})


def notice_from(row: Row[Any]) -> OwedNotice:
    """Read a row of `NOTICES`."""
    return OwedNotice(
        notice_id=row.id,
        turn_id=row.turn_id,
        ord=row.ord,
        chat=chat_from(row),
        kind=NoticeKind(row.kind),
        text=row.text,
        op_id=row.op_id,
        reply_to=row.reply_to,
        placeholder=row.placeholder,
        in_doubt=row.state == NoticeState.SENDING.value,
    )
