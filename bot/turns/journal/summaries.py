"""Summaries: what stands in a chat's prompts for turns that left them, and what will from the next cut on."""

from typing import Any

from sqlalchemy import BigInteger, Row, bindparam, case, null, or_, select, update

from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.rows import chats
from bot.turns.journal.sealed import card_place, summary_place
from bot.turns.model import Background, Chat, Reply, Summary, Turn

_UP_TO = bindparam("up_to", type_=BigInteger())
_BEGIN, _TAKES = bindparam("begin", type_=BigInteger()), bindparam("takes", type_=BigInteger())
_BACKGROUND = select(
    chats.c.summary_sealed,
    chats.c.summary_ord,
    chats.c.next_summary_sealed,
    chats.c.next_summary_ord,
    chats.c.card_sealed,
).where(chats.c.id == bindparam("chat"))
# A cut, a reset or a forgetting that came first wins: each moves one of what is compared here.
_STORE_NEXT = (
    update(chats)
    .where(
        chats.c.id == bindparam("chat"),
        chats.c.context_from == bindparam("seen_from"),
        chats.c.salt_epoch == bindparam("seen_epoch"),
        or_(chats.c.next_summary_ord.is_(None), chats.c.next_summary_ord < _UP_TO),
    )
    .values(
        next_summary_sealed=bindparam("sealed"),
        next_summary_ord=_UP_TO,
        # The prompt that it was made from began with the summary that stands.
        next_summary_from=case(
            (chats.c.summary_sealed.is_not(None), chats.c.summary_from), else_=chats.c.context_from
        ),
        context_version=chats.c.context_version + 1,
    )
)
_MOVE = (
    update(chats)
    .where(chats.c.id == bindparam("chat"))
    .values(
        context_version=chats.c.context_version + 1,
        # A pending summary was made for this cut or for none.
        next_summary_sealed=null(),
        next_summary_ord=null(),
        next_summary_from=null(),
    )
    .returning(chats.c.context_version, chats.c.context_from)
)
_TAKEN = chats.c.next_summary_ord == _TAKES
_CUT = _MOVE.values(
    # What retention took back meanwhile stays away.
    context_from=case((chats.c.context_from < _BEGIN, _BEGIN), else_=chats.c.context_from),
    # Where the pending summary is no longer the one that the prompt held, it was forgotten: it does not come back.
    summary_sealed=case((_TAKEN, chats.c.next_summary_sealed), else_=chats.c.summary_sealed),
    summary_ord=case((_TAKEN, chats.c.next_summary_ord), else_=chats.c.summary_ord),
    summary_from=case((_TAKEN, chats.c.next_summary_from), else_=chats.c.summary_from),
)
_RESET = _MOVE.values(context_from=_BEGIN, summary_sealed=null(), summary_ord=null(), summary_from=null())


class Summarising(JournalBase):
    """What stands before a chat's exchanges."""

    async def background(self, chat: Chat) -> Background:
        """Read a chat's card and its summaries.

        Raises `VaultError`, which names the row, and `StoreUnavailable`.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(_BACKGROUND, {"chat": chat.id})).one_or_none()
        if row is None:
            return Background()
        card = row.card_sealed
        return Background(
            card="" if card is None else self._vault.open(chat.key, card, card_place(chat.id)),
            summary=self._summary(chat, row.summary_ord, row.summary_sealed),
            next_summary=self._summary(chat, row.next_summary_ord, row.next_summary_sealed),
        )

    async def store_summary(self, chat: Chat, summary: Summary) -> bool:
        """Keep a summary for the next cut of a chat, and tell whether it still fits what the chat remembers.

        `chat` is as it was read before the summary was asked for. A cut, a reset or a forgetting since then
        wins, as does a summary of more turns. Raises `StoreUnavailable`.
        """
        asked = {
            "chat": chat.id,
            "seen_from": chat.context_from,
            "seen_epoch": chat.salt_epoch,
            "up_to": summary.ord,
            "sealed": self._vault.seal(chat.key, summary.text, summary_place(chat.id, summary.ord)),
        }
        async with self._database.write() as connection:
            return bool((await connection.execute(_STORE_NEXT, asked)).rowcount)

    def _summary(self, chat: Chat, up_to: int | None, sealed: bytes | None) -> Summary | None:
        if up_to is None or sealed is None:
            return None
        text = self._vault.open(chat.key, sealed, summary_place(chat.id, up_to))
        return Summary(ord=up_to, text=text)


async def reset_context(connection: Transaction, turn: Turn) -> Row[Any]:
    """Begin a chat's memory behind a turn, without any summary; the card stays. Returns version and beginning."""
    return (await connection.execute(_RESET, {"chat": turn.chat.id, "begin": turn.ord + 1})).one()


async def cut_context(connection: Transaction, turn: Turn, reply: Reply) -> Row[Any]:
    """Begin a chat's memory where a reply's prompt began, and take the summary that it held."""
    cut = {"chat": turn.chat.id, "begin": reply.context_from, "takes": reply.takes_summary}
    return (await connection.execute(_CUT, cut)).one()
