"""Rating: what people think of replies, by a keyed hash of who they are."""

from typing import Any

from sqlalchemy import BindParameter, String, bindparam, delete, insert, select, update

from bot.chat.tombstones import Digester
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.burying import ratings
from bot.turns.journal.rows import turns
from bot.turns.ratings import Rating

_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_CHAT, _PERSON = bindparam("chat", type_=String()), bindparam("who", type_=String())
_OF_PERSON = (ratings.c.turn_id == bindparam("turn", type_=String()), ratings.c.person == _PERSON)
# Two presses at once: the second one waits here for the first.
_LOCK_TURN = select(turns.c.id).where(turns.c.id == bindparam("turn", type_=String())).with_for_update()
_STANDS = select(ratings.c.value).where(*_OF_PERSON)
_CHANGE = update(ratings).where(*_OF_PERSON)
_ADD = insert(ratings)
_DROP = delete(ratings).where(ratings.c.turn_id.in_(_THESE))
_DROP_PERSONS = delete(ratings).where(
    ratings.c.turn_id.in_(select(turns.c.id).where(turns.c.chat_id == _CHAT)), ratings.c.person == _PERSON
)


class Judging(JournalBase):
    """Keeps ratings: one a person and reply; thinking again replaces it."""

    async def rate(self, chat_id: str, turn_id: str, sender_id: str, rating: Rating) -> bool:
        """Keep what a person thinks of a reply; False where the record says so already. Safe to repeat."""
        this: dict[str, Any] = {"turn": turn_id, "who": _person(self._vault, chat_id, sender_id)}
        async with self._database.write() as connection:
            if (await connection.execute(_LOCK_TURN, this)).first() is None:
                return False
            stands = (await connection.execute(_STANDS, this)).scalar_one_or_none()
            if stands == rating.value:
                return False
            values = {"value": rating.value, "rated_at": self._clock.now()}
            if stands is None:
                await connection.execute(_ADD, {"turn_id": turn_id, "person": this["who"], **values})
            else:
                await connection.execute(_CHANGE, {**this, **values})
        return True


async def drop_ratings(connection: Transaction, turn_ids: list[str]) -> None:
    """Forget what anybody thinks of some replies."""
    await connection.execute(_DROP, {"ids": turn_ids})


async def drop_ratings_of(connection: Transaction, digester: Digester, chat_id: str, sender_id: str) -> None:
    """Forget what one person thinks of a chat's replies."""
    this = {"chat": chat_id, "who": _person(digester, chat_id, sender_id)}
    await connection.execute(_DROP_PERSONS, this)


def _person(digester: Digester, chat_id: str, sender_id: str) -> str:
    return digester.digest("rating", chat_id, sender_id)
