"""Leaving: a chat that the assistant was removed from; nothing can be said there, so nothing waits there."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, delete, func, literal_column, select, update

from bot.turns.journal.base import JournalBase
from bot.turns.journal.burying import episodes
from bot.turns.journal.owed import Cancelled
from bot.turns.journal.reply import CHANGE_CONTEXT
from bot.turns.journal.rows import NOTICE_OWED, OPEN, UNFINISHED, chats, notices, turns
from bot.turns.model import TurnState

_CHAT = bindparam("chat", type_=String())
_IN_CHAT = turns.c.chat_id == _CHAT
_LOCK = select(chats.c.id).where(chats.c.id == _CHAT).with_for_update()
_HELD = select(turns.c.id).where(_IN_CHAT, UNFINISHED, turns.c.held)
# Whoever holds one can store and send nothing more: the row carries a higher token.
_TAKE_AWAY = (
    update(turns)
    .where(_IN_CHAT, UNFINISHED)
    .values(fence=func.coalesce(turns.c.fence, literal_column("0")) + 1, held=False, restate=False)
)
_END = (
    update(turns)
    .where(_IN_CHAT, OPEN)
    .values(state=TurnState.CANCELLED.value, cancel_requested=True)
    .returning(turns.c.id, turns.c.accepted_at)
)
_DROP_NOTICES = delete(notices).where(notices.c.chat_id == _CHAT, NOTICE_OWED)
_DROP_EPISODES = delete(episodes).where(episodes.c.chat_id == _CHAT)


class Leaving(JournalBase):
    """What intake asks of the journal when the assistant is removed. All raise `StoreUnavailable`."""

    async def left(self, chat_id: str) -> Cancelled:
        """End everything that is unfinished in a chat, without a word. Safe to repeat."""
        this, now = {"chat": chat_id}, self._clock.now()
        async with self._database.write() as connection:
            await connection.execute(_LOCK, this)
            held = tuple((await connection.execute(_HELD, this)).scalars())
            await connection.execute(_TAKE_AWAY, this)
            ended = (await connection.execute(_END, {**this, "finished_at": now})).all()
            for statement in (_DROP_NOTICES, _DROP_EPISODES):
                await connection.execute(statement, this)
            if ended:
                # A stored reply that nobody will see leaves the context.
                await connection.execute(CHANGE_CONTEXT, this)
        return Cancelled(asked=tuple(sorted(held)), ended=_waited(ended, now))


def _waited(ended: Any, now: datetime) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((row.id, (now - row.accepted_at).total_seconds()) for row in ended))
