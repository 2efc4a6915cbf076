"""First signs: who may post a waiting turn's placeholder, which message it became, and what waits in a chat's line."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, String, bindparam, or_, select, tuple_, update

from adapters.base import SendsFrom
from bot.store.tables import UtcDateTime
from bot.turns.journal.base import JournalBase
from bot.turns.journal.owed import ChatLine, UnsignedTurn
from bot.turns.journal.rows import CHAT_COLUMNS, REPLY_TO, WAITING, WAITS, chat_from, chats, turns
from bot.turns.model import TurnState

_UNSIGNED = (
    select(turns.c.id, turns.c.ord, turns.c.accepted_at, REPLY_TO, *CHAT_COLUMNS)
    .join(chats, chats.c.id == turns.c.chat_id)
    .where(WAITING, turns.c.accepted_at < bindparam("before"))
    .where(turns.c.adapter.in_(bindparam("adapters", expanding=True)))
    .where(turns.c.sends_from == SendsFrom.ANY.value, ~turns.c.held, ~turns.c.cancel_requested)
    .where(turns.c.placeholder.is_(None))
    .where(or_(turns.c.sign_until.is_(None), turns.c.sign_until <= bindparam("now")))
    .order_by(turns.c.accepted_at, turns.c.id)
    .limit(bindparam("most"))
)
_UNSIGNED_BEHIND = _UNSIGNED.where(
    tuple_(turns.c.accepted_at, turns.c.id)
    > tuple_(bindparam("after_at", type_=UtcDateTime()), bindparam("after_id", type_=String()))
)
_LINES = (
    select(turns.c.chat_id, turns.c.ord, turns.c.held, turns.c.told_wait_s)
    .where(WAITS, turns.c.chat_id.in_(bindparam("chats", expanding=True)))
    .order_by(turns.c.chat_id, turns.c.ord)
)
_CHANGE = update(turns).where(
    turns.c.id == bindparam("turn"),
    turns.c.state == TurnState.WAITING.value,
    turns.c.placeholder.is_(None),
)
_CLAIM = _CHANGE.where(
    ~turns.c.held,
    ~turns.c.cancel_requested,
    or_(turns.c.sign_until.is_(None), turns.c.sign_until <= bindparam("now")),
)
_KEEP = _CHANGE.where(turns.c.sign_until > bindparam("now"))
_MINE = _CHANGE.where(turns.c.sign_until == bindparam("until", type_=UtcDateTime()))
_RELEASE = _MINE.values(sign_until=None, told_wait_s=None)
_SIGN = select(turns.c.placeholder, turns.c.sign_until).where(turns.c.id == bindparam("turn"))


class Signing(JournalBase):
    """What the notice task asks and writes down of signs."""

    async def unsigned(
        self,
        accepted_before: datetime,
        limit: int,
        after: tuple[datetime, str] | None = None,
        *,
        adapters: Sequence[str],
    ) -> list[UnsignedTurn]:
        """Read turns that a worker will send and that wait since before an instant without a visible sign.

        Only those of some adapters, of which signs can be posted here. The oldest come first; `after` (acceptance
        and id of a turn) goes on behind one.
        """
        asked = {
            "before": accepted_before,
            "now": self._clock.now(),
            "most": limit,
            "adapters": list(adapters),
        }
        query = _UNSIGNED
        if after is not None:
            query, asked = _UNSIGNED_BEHIND, {**asked, "after_at": after[0], "after_id": after[1]}
        async with self._database.survey() as connection:
            rows = list(await connection.execute(query, asked))
        return [_unsigned_from(row) for row in rows]

    async def lines(self, chat_ids: Sequence[str]) -> dict[str, ChatLine]:
        """Read what waits in each of these chats; a chat in which nothing does is left out."""
        async with self._database.survey() as connection:
            rows = list(await connection.execute(_LINES, {"chats": list(chat_ids)}))
        by_chat = groupby(rows, key=lambda row: row.chat_id)
        return {chat_id: _line_from(list(of_chat)) for chat_id, of_chat in by_chat}

    async def sign_claim(self, turn_id: str, until: datetime, *, told_wait_s: float | None = None) -> bool:
        """Claim the right to post a waiting turn's placeholder until an instant; False if another has it.

        `told_wait_s` is the wait it will tell of, if any.
        """
        claim = {"now": self._clock.now(), "sign_until": until, "told_wait_s": told_wait_s}
        return await self._change_sign(_CLAIM, turn_id, **claim)

    async def sign_posted(self, turn_id: str, message: str) -> bool:
        """Keep the posted placeholder; False when it came too late, and whoever posted it must delete it."""
        return await self._change_sign(_KEEP, turn_id, now=self._clock.now(), placeholder=message)

    async def sign_adopted(self, turn_id: str, message: str) -> bool:
        """Keep a late sign of a turn that still waits without one; False where it is not wanted any more.

        Only for platforms on which whoever posts the sign next is given this very message.
        """
        return await self._change_sign(_CHANGE, turn_id, placeholder=message)

    async def sign_not_posted(self, turn_id: str, until: datetime) -> None:
        """Give back the claim that stands until an instant: its sign was certainly not posted."""
        await self._change_sign(_RELEASE, turn_id, until=until)

    async def sign_left(self, turn_id: str, until: datetime, later: datetime) -> None:
        """Let a claim stand until a later instant: its sign may have been posted, and no other is to be."""
        await self._change_sign(_MINE, turn_id, until=until, sign_until=later)

    async def sign_of(self, turn_id: str) -> tuple[str | None, datetime | None]:
        """Read a turn's placeholder and until when somebody else may be posting it."""
        async with self._database.read() as connection:
            row = (await connection.execute(_SIGN, {"turn": turn_id})).one_or_none()
        return (row.placeholder, row.sign_until) if row else (None, None)

    async def _change_sign(self, change: Any, turn_id: str, **values: Any) -> bool:
        async with self._database.write() as connection:
            return bool((await connection.execute(change, {"turn": turn_id, **values})).rowcount)


def _unsigned_from(row: Row[Any]) -> UnsignedTurn:
    return UnsignedTurn(
        turn_id=row.id,
        ord=row.ord,
        chat=chat_from(row),
        reply_to=row.reply_to,
        accepted_at=row.accepted_at,
    )


def _line_from(rows: Sequence[Row[Any]]) -> ChatLine:
    return ChatLine(
        ords=tuple(row.ord for row in rows if not row.held),
        told=any(row.told_wait_s is not None for row in rows),
    )
