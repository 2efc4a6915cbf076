"""Forgetting: a chat, or one person in it, taken out of the record, so that nothing that stays can tell."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, select

from bot.chat.vault import Vault
from bot.clock import Clock
from bot.store.database import Database
from bot.store.ids import Ids
from bot.store.transaction import Transaction
from bot.turns.journal.burying import bury_words, episodes, memories
from bot.turns.journal.ending import end_turns
from bot.turns.journal.finding import CHAT, HAS_WORDS, IN_CHAT, PERSON, Finding
from bot.turns.journal.forgetting_ahead import MOST_RESEALED, ForgettingAhead, said_by
from bot.turns.journal.forgotten import Anew, Forgotten, begin_anew
from bot.turns.journal.history_wishes import wish
from bot.turns.journal.introducing import drop_introductions, drop_introductions_of
from bot.turns.journal.memories import without_memories_of
from bot.turns.journal.naming import drop_names, drop_names_of
from bot.turns.journal.rating import drop_ratings_of
from bot.turns.journal.resealing import Resealing
from bot.turns.journal.rows import CHAT_COLUMNS, FINISHED, chat_from, chats, inbounds, turns
from bot.turns.model import Chat

__all__ = ["MOST_RESEALED", "Forgetting", "Forgotten"]

#: Turns whose words one transaction takes; SQLite carries it out between two turns of the event loop.
_BATCH = 100

_LOCK = select(*CHAT_COLUMNS, chats.c.last_ord).where(chats.c.id == CHAT).with_for_update()
_FINISHED_IN_CHAT = select(turns.c.id).where(IN_CHAT, FINISHED, HAS_WORDS).order_by(turns.c.ord).limit(_BATCH)
_ALL_IN_CHAT = select(turns.c.id, turns.c.sender_id).where(IN_CHAT, HAS_WORDS).order_by(turns.c.ord.desc())
_THEIR_WORDS = (
    select(inbounds.c.id, inbounds.c.said_sealed)
    .select_from(turns.join(inbounds, inbounds.c.turn_id == turns.c.id))
    .where(IN_CHAT, turns.c.sender_id == PERSON)
)
_DROP_MEMORIES = delete(memories).where(memories.c.chat_id == CHAT)
_DROP_EPISODES = delete(episodes).where(episodes.c.chat_id == CHAT)


class Forgetting(Finding):
    """Takes words out of the record. Every call raises `StoreUnavailable`.

    Old values stay unreadable wherever copies of them are: their data key is gone, but for a wrapped copy in the
    database's log and in backups, which opens until the next key epoch.
    """

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, own_histories: Collection[str] = ()
    ) -> None:
        """Keep the collaborators; `own_histories` are the adapters that keep a history themselves."""
        super().__init__(database, vault)
        self._own_histories = frozenset(own_histories)
        self._clock = clock
        self._ids = Ids(clock)
        self._ahead = ForgettingAhead(database, vault, clock)

    async def forget_chat(self, chat_id: str) -> Forgotten:
        """Forget everything that was said in a chat, and what it asked to have remembered. Safe to repeat.

        What it consents to stays. Raises `LookupError` where there is no such chat.
        """
        gone = 0
        while more := await self._forget_some(chat_id):
            gone += more
        async with self._database.write() as connection:
            row = await self._locked(connection, chat_id)
            held = await end_turns(connection, self._clock, chat_id)
            left = [turn.id for turn in await connection.execute(_ALL_IN_CHAT, {"chat": chat_id})]
            await bury_words(connection, self._vault, left, self._clock.now())
            await connection.execute(_DROP_MEMORIES, {"chat": chat_id})
            await drop_names(connection, chat_id)
            await drop_introductions(connection, chat_id)
            await connection.execute(_DROP_EPISODES, {"chat": chat_id})
            anew = Anew(key=self._vault.new_key(), card=None, begin=row.last_ord + 1)
            await self._wish(connection, chat_from(row), None)
            return await begin_anew(connection, self._clock, chat_id, anew, held=held, gone=gone + len(left))

    async def forget_person(self, chat_id: str, sender_id: str, names: Collection[str] = ()) -> Forgotten:
        """Forget what one person said in a group, what was answered, and where others quote it. Safe to repeat.

        What that person asked to have remembered goes, too.
        What the others said stays, under a new key; the newest `MOST_RESEALED` turns of it. Summaries go. `names` are
        those the person is known by, beside the names in what is kept. Raises `LookupError` where there is no such
        chat, and `KeyMissing`.
        """
        gone = await self._ahead.forget_old(chat_id, sender_id)
        async with self._database.write() as connection:
            row = await self._locked(connection, chat_id)
            chat, this = chat_from(row), {"chat": chat_id, "person": sender_id}
            said = (await connection.execute(_THEIR_WORDS, this)).all()
            rows = ((each, chat.key) for each in said)
            person = said_by(self._vault, chat_id, rows, names) | gone.person
            held = await end_turns(connection, self._clock, chat_id, sender_id)
            every = (await connection.execute(_ALL_IN_CHAT, {"chat": chat_id})).all()
            theirs = [turn.id for turn in every if turn.sender_id == sender_id]
            others = [turn.id for turn in every if turn.sender_id != sender_id]
            await bury_words(connection, self._vault, [*theirs, *others[MOST_RESEALED:]], self._clock.now())
            moved = Resealing(
                vault=self._vault, chat_id=chat_id, old_key=chat.key, new_key=self._vault.new_key()
            )
            await moved.turns(connection, others[:MOST_RESEALED], person)
            await drop_names_of(connection, self._vault, chat_id, sender_id)
            await drop_introductions_of(connection, self._vault, chat_id, sender_id)
            await drop_ratings_of(connection, self._vault, chat_id, sender_id)
            card = await without_memories_of(connection, self._vault, chat, sender_id, moved.new_key)
            await moved.memories(connection)
            await connection.execute(_DROP_EPISODES, {"chat": chat_id})
            anew = Anew(key=moved.new_key, card=card, begin=chat.context_from)
            await self._wish(connection, chat, sender_id)
            return await begin_anew(
                connection, self._clock, chat_id, anew, held=held, gone=gone.turns + len(theirs)
            )

    async def _forget_some(self, chat_id: str) -> int:
        async with self._database.write() as connection:
            await self._locked(connection, chat_id)
            found = list((await connection.execute(_FINISHED_IN_CHAT, {"chat": chat_id})).scalars())
            await bury_words(connection, self._vault, found, self._clock.now())
        return len(found)

    async def _locked(self, connection: Transaction, chat_id: str) -> Row[Any]:
        row = (await connection.execute(_LOCK, {"chat": chat_id})).one_or_none()
        if row is None:
            raise LookupError(f"there is no chat {chat_id}")
        return row

    async def _wish(self, connection: Transaction, chat: Chat, sender_id: str | None) -> None:
        """Have the adapter's own history forget it too, whoever keeps that and whenever they run."""
        if chat.adapter in self._own_histories:
            await wish(connection, self._ids.new(), chat, sender_id, self._clock.now())
