"""What goes of a very large group before one transaction takes the rest: a database ends one that lasts for seconds."""

import asyncio
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Boolean, Row, bindparam, literal_column, select

from bot.chat.unquoting import Person
from bot.chat.vault import Vault
from bot.clock import Clock
from bot.errors import SealBroken
from bot.store.database import Database
from bot.turns.journal.burying import bury_words
from bot.turns.journal.finding import CHAT, HAS_WORDS, IN_CHAT
from bot.turns.journal.resealing import Resealing
from bot.turns.journal.rows import FINISHED, chats, inbounds, turns
from bot.turns.journal.sealed import said_place

#: The newest turns of a group that are sealed anew when one person is forgotten; what is older goes, whoever wrote it.
MOST_RESEALED = 2_000
#: The newest turns of a person that the one transaction takes, with everything else.
_MOST_AT_ONCE = 500
#: Turns that each transaction before it takes; SQLite carries it out between two turns of the event loop.
_BATCH = 100

_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_HAS_ENDED = literal_column(FINISHED.text, type_=Boolean()).label("has_ended")
_ALL = (
    select(turns.c.id, turns.c.sender_id, _HAS_ENDED).where(IN_CHAT, HAS_WORDS).order_by(turns.c.ord.desc())
)
_LOCKED_KEY = select(chats.c.data_key).where(chats.c.id == CHAT).with_for_update()
# The key as it was when these words stood there: another forgetting may change both.
_WORDS = (
    select(inbounds.c.id, inbounds.c.said_sealed, chats.c.data_key)
    .select_from(inbounds.join(turns, turns.c.id == inbounds.c.turn_id))
    .join(chats, chats.c.id == turns.c.chat_id)
    .where(inbounds.c.turn_id.in_(_THESE))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What is gone already, and whom the rest is still to be rid of."""

    person: Person
    turns: int = 0


class ForgettingAhead:
    """Takes away what is old, a little at a time. Killed in between, it goes on when it is called again."""

    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._vault = vault
        self._clock = clock

    async def forget_old(self, chat_id: str, sender_id: str) -> Gone:
        """Forget a person's older turns in a group, and the oldest of all others. Raises `StoreUnavailable`.

        Quotes of that person leave what the others said before the words go by which they are found.
        """
        async with self._database.survey() as connection:
            every = (await connection.execute(_ALL, {"chat": chat_id})).all()
        theirs = [turn for turn in every if turn.sender_id == sender_id]
        others = [turn for turn in every if turn.sender_id != sender_id]
        await self._bury(chat_id, _ended(others[MOST_RESEALED:]))
        if not (old := _ended(theirs[_MOST_AT_ONCE:])):
            return Gone(person=Person.of((), ()))
        person = await self._known_by(chat_id, [turn.id for turn in theirs])
        await self._unquote(chat_id, [turn.id for turn in others[:MOST_RESEALED]], person)
        await self._bury(chat_id, old)
        return Gone(person=person, turns=len(old))

    async def _bury(self, chat_id: str, turn_ids: Sequence[str]) -> None:
        for some in _batches(turn_ids):
            async with self._database.write() as connection:
                await connection.execute(_LOCKED_KEY, {"chat": chat_id})
                await bury_words(connection, self._vault, some, self._clock.now())

    async def _known_by(self, chat_id: str, turn_ids: Sequence[str]) -> Person:
        names, texts = set[str](), set[str]()
        for some in _batches(turn_ids):
            async with self._database.read() as connection:
                rows = (await connection.execute(_WORDS, {"ids": some})).all()
            known = said_by(self._vault, chat_id, ((row, row.data_key) for row in rows))
            names |= known.names
            texts |= known.texts
            await asyncio.sleep(0)
        return Person.of(names, texts)

    async def _unquote(self, chat_id: str, turn_ids: Sequence[str], person: Person) -> None:
        for some in _batches(turn_ids):
            async with self._database.write() as connection:
                key = (await connection.execute(_LOCKED_KEY, {"chat": chat_id})).scalar_one_or_none()
                if key is None:
                    return
                same = Resealing(vault=self._vault, chat_id=chat_id, old_key=key, new_key=key)
                await same.turns(connection, some, person)


def said_by(
    vault: Vault, chat_id: str, rows: Iterable[tuple[Row[Any], bytes]], names: Collection[str] = ()
) -> Person:
    """Tell by what names and words somebody is found, from what they said, each with its data key."""
    said = []
    for row, key in rows:
        with suppress(SealBroken):  # what cannot be read tells no name
            said.append(json.loads(vault.open(key, row.said_sealed, said_place(chat_id, row.id))))
    return Person.of({*names, *(one["sender_name"] for one in said)}, {one["text"] for one in said})


def _ended(some: Sequence[Row[Any]]) -> list[str]:
    """Name those that nobody works on; what runs is ended by the one transaction."""
    return [turn.id for turn in some if turn.has_ended]


def _batches(turn_ids: Sequence[str]) -> Iterator[list[str]]:
    for first in range(0, len(turn_ids), _BATCH):
        yield list(turn_ids[first : first + _BATCH])
