"""Forgetting: a chat, or one person in it, taken out of the record, so that nothing that stays can tell."""

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Row,
    String,
    and_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    union,
    union_all,
    update,
)
from sqlalchemy.sql.base import Executable

from bot.chat.tombstones import tombstone
from bot.chat.unquoting import Person
from bot.chat.vault import Vault
from bot.clock import Clock
from bot.errors import SealBroken
from bot.store.database import Database
from bot.store.ids import Ids
from bot.store.transaction import Transaction
from bot.turns.journal.burying import bury_words, episodes, memories, tombstones
from bot.turns.journal.cleanings import owe, recent
from bot.turns.journal.exports import drop_exports
from bot.turns.journal.history_wishes import wish
from bot.turns.journal.introducing import drop_introductions, drop_introductions_of
from bot.turns.journal.memories import without_memories_of
from bot.turns.journal.naming import drop_names, drop_names_of
from bot.turns.journal.notice_rows import notice_row
from bot.turns.journal.rating import drop_ratings_of
from bot.turns.journal.resealing import Resealing
from bot.turns.journal.rows import (
    ADD_NOTICES,
    CHAT_COLUMNS,
    FINISHED,
    OPEN,
    UNFINISHED,
    chat_from,
    chats,
    inbounds,
    turns,
)
from bot.turns.journal.sealed import said_place
from bot.turns.model import Chat, NoticeKind, TurnState
from bot.turns.notice_texts import NOTICES

#: Turns whose words one transaction takes; SQLite carries it out between two turns of the event loop.
_BATCH = 100
#: The newest turns of a group that are sealed anew when one person is forgotten; what is older goes, whoever wrote it.
MOST_RESEALED = 2_000

_CHAT = bindparam("chat", type_=String())
_PERSON = bindparam("person", type_=String())
_LOCK = select(*CHAT_COLUMNS, chats.c.last_ord).where(chats.c.id == _CHAT).with_for_update()
_READ = select(*CHAT_COLUMNS).where(chats.c.id == _CHAT)
_HAS_WORDS = exists().where(inbounds.c.turn_id == turns.c.id)
_IN_CHAT = turns.c.chat_id == _CHAT
_FINISHED_IN_CHAT = (
    select(turns.c.id).where(_IN_CHAT, FINISHED, _HAS_WORDS).order_by(turns.c.ord).limit(_BATCH)
)
_ALL_IN_CHAT = select(turns.c.id, turns.c.sender_id).where(_IN_CHAT, _HAS_WORDS).order_by(turns.c.ord.desc())
_HELD_IN_CHAT = select(turns.c.id).where(_IN_CHAT, UNFINISHED, turns.c.held)
# Whoever holds one of them can store and send nothing more: the row carries a higher token.
_TAKE_AWAY = (
    update(turns)
    .where(_IN_CHAT, UNFINISHED)
    .values(fence=func.coalesce(turns.c.fence, literal_column("0")) + 1, held=False)
)
_END = (
    update(turns)
    .where(_IN_CHAT, OPEN)
    .values(state=TurnState.CANCELLED.value, cancel_requested=True, restate=False)
    .returning(turns.c.id, turns.c.adapter, turns.c.sends_from, turns.c.placeholder)
)
_END_PERSONS = _END.where(turns.c.sender_id == _PERSON)
_SAY_NOTHING_AGAIN = update(turns).where(_IN_CHAT, turns.c.restate).values(restate=False)
_SAY_NOTHING_TO_THEM = _SAY_NOTHING_AGAIN.where(turns.c.sender_id == _PERSON)
_THEIR_WORDS = (
    select(inbounds.c.id, inbounds.c.said_sealed)
    .select_from(turns.join(inbounds, inbounds.c.turn_id == turns.c.id))
    .where(_IN_CHAT, turns.c.sender_id == _PERSON)
)
_DROP_MEMORIES = delete(memories).where(memories.c.chat_id == _CHAT)
_DROP_EPISODES = delete(episodes).where(episodes.c.chat_id == _CHAT)
_CHANGED = (
    update(chats)
    .where(chats.c.id == _CHAT)
    .values(
        data_key=bindparam("new_key"),
        salt_epoch=chats.c.salt_epoch + 1,
        context_version=chats.c.context_version + 1,
        summary_sealed=null(),
        summary_ord=null(),
        summary_from=null(),
        next_summary_sealed=null(),
        next_summary_ord=null(),
        next_summary_from=null(),
        card_sealed=bindparam("new_card"),
        context_from=bindparam("begin", type_=BigInteger()),
    )
)
# What somebody asked to have remembered outlives the turn that asked.
_CHATS_OF = union(
    select(turns.c.chat_id).where(turns.c.adapter == bindparam("adapter"), turns.c.sender_id == _PERSON),
    select(memories.c.chat_id)
    .join(chats, chats.c.id == memories.c.chat_id)
    .where(chats.c.adapter == bindparam("adapter"), memories.c.sender_id == _PERSON),
)
_KNOWN: CompoundSelect[Any] = union_all(
    select(literal_column("1")).where(
        inbounds.c.adapter == bindparam("adapter"),
        inbounds.c.account == bindparam("account"),
        inbounds.c.event_key == bindparam("event"),
    ),
    select(literal_column("1")).where(tombstones.c.digest == bindparam("digest")),
)
_COUNT = select(func.count()).select_from(turns).where(_IN_CHAT, _HAS_WORDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was taken out of one chat's record, and who else must hear of it."""

    #: As it stands now.
    chat: Chat
    turns: int
    #: Turns in somebody's hands, who must stop.
    held: tuple[str, ...]
    #: Turns of which a live snapshot may still be kept.
    recent: tuple[str, ...]
    #: What is crossed off once caches and files are clean.
    cleaning: str


class Forgetting:
    """Takes words out of the record. Every call raises `StoreUnavailable`.

    Old values stay unreadable wherever copies of them are: their data key is gone, but for a wrapped copy in the
    database's log and in backups, which opens until the next key epoch.
    """

    def __init__(
        self, database: Database, vault: Vault, clock: Clock, own_histories: Collection[str] = ()
    ) -> None:
        """Keep the collaborators; `own_histories` are the adapters that keep a history themselves."""
        self._own_histories = frozenset(own_histories)
        self._database = database
        self._vault = vault
        self._clock = clock
        self._ids = Ids(clock)

    async def knows(self, adapter: str, account: str, event_key: str) -> bool:
        """Tell whether an event was accepted before, or was and is forgotten."""
        digest = tombstone(self._vault, adapter, account, event_key)
        asked = {"adapter": adapter, "account": account, "event": event_key, "digest": digest}
        async with self._database.read() as connection:
            return (await connection.execute(_KNOWN, asked)).first() is not None

    async def chat(self, chat_id: str) -> Chat | None:
        """Read a chat."""
        async with self._database.read() as connection:
            row = (await connection.execute(_READ, {"chat": chat_id})).one_or_none()
        return chat_from(row) if row else None

    async def count(self, chat_id: str, sender_id: str | None = None) -> int:
        """Count the turns of a chat, or of one person in it, whose words are kept."""
        query, asked = _COUNT, {"chat": chat_id}
        if sender_id is not None:
            query, asked = _COUNT.where(turns.c.sender_id == _PERSON), {"chat": chat_id, "person": sender_id}
        async with self._database.survey() as connection:
            return int((await connection.execute(query, asked)).scalar_one())

    async def chats_of(
        self, adapter: str, account: str, sender_id: str, *, asked_in: str | None = None
    ) -> list[Chat]:
        """Find the chats in which something is kept that a person said or had remembered; reads through all turns.

        The conversation that is `asked_in` is among them, whatever is kept of it: its words may stand elsewhere yet.
        """
        asked = {"adapter": adapter, "person": sender_id, "account": account, "asked_in": asked_in}
        is_asked_in = and_(
            chats.c.adapter == bindparam("adapter"), chats.c.conversation == bindparam("asked_in")
        )
        query = select(*CHAT_COLUMNS).where(
            or_(chats.c.id.in_(_CHATS_OF), is_asked_in), chats.c.account == bindparam("account")
        )
        async with self._database.survey() as connection:
            return [chat_from(row) for row in await connection.execute(query, asked)]

    async def forget_chat(self, chat_id: str) -> Forgotten:
        """Forget everything that was said in a chat, and what it asked to have remembered. Safe to repeat.

        What it consents to stays. Raises `LookupError` where there is no such chat.
        """
        gone = 0
        while more := await self._forget_some(chat_id):
            gone += more
        async with self._database.write() as connection:
            row = await self._locked(connection, chat_id)
            held = await self._stop(connection, {"chat": chat_id}, _END, _SAY_NOTHING_AGAIN)
            left = [turn.id for turn in await connection.execute(_ALL_IN_CHAT, {"chat": chat_id})]
            await bury_words(connection, self._vault, left, self._clock.now())
            await connection.execute(_DROP_MEMORIES, {"chat": chat_id})
            await drop_names(connection, chat_id)
            await drop_introductions(connection, chat_id)
            await connection.execute(_DROP_EPISODES, {"chat": chat_id})
            changed = {"new_key": self._vault.new_key(), "new_card": None, "begin": row.last_ord + 1}
            await self._wish(connection, chat_from(row), None)
            return await self._changed(connection, chat_id, changed, held, gone + len(left))

    async def forget_person(self, chat_id: str, sender_id: str, names: Collection[str] = ()) -> Forgotten:
        """Forget what one person said in a group, what was answered, and where others quote it. Safe to repeat.

        What that person asked to have remembered goes, too.
        What the others said stays, under a new key; the newest `MOST_RESEALED` turns of it. Summaries go. `names` are
        those the person is known by, beside the names in what is kept. Raises `LookupError` where there is no such
        chat, and `KeyMissing`.
        """
        async with self._database.write() as connection:
            row = await self._locked(connection, chat_id)
            chat, this = chat_from(row), {"chat": chat_id, "person": sender_id}
            person = self._person(chat, (await connection.execute(_THEIR_WORDS, this)).all(), names)
            held = await self._stop(connection, this, _END_PERSONS, _SAY_NOTHING_TO_THEM)
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
            changed = {"new_key": moved.new_key, "new_card": card, "begin": chat.context_from}
            await self._wish(connection, chat, sender_id)
            return await self._changed(connection, chat_id, changed, held, len(theirs))

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

    async def _stop(
        self, connection: Transaction, these: dict[str, str], end: Executable, hush: Executable
    ) -> tuple[str, ...]:
        """End what runs and waits, and take the rest out of its holders' hands; returns what was held."""
        this = {"chat": these["chat"]}
        held = tuple((await connection.execute(_HELD_IN_CHAT, this)).scalars())
        await connection.execute(_TAKE_AWAY, this)
        ended = (await connection.execute(end, {**these, "finished_at": self._clock.now()})).all()
        if seen := [self._stopped(these["chat"], turn) for turn in ended if turn.placeholder is not None]:
            await connection.execute(ADD_NOTICES, seen)
        await connection.execute(hush, these)
        return held

    def _stopped(self, chat_id: str, turn: Row[Any]) -> dict[str, Any]:
        """Say in its placeholder that a turn was stopped: a half-written answer must not stay there."""
        return notice_row(
            notice_id=self._ids.new(),
            chat_id=chat_id,
            turn_id=turn.id,
            adapter=turn.adapter,
            sends_from=turn.sends_from,
            kind=NoticeKind.STOPPED,
            text=NOTICES[NoticeKind.STOPPED],
            reply_to=None,
            now=self._clock.now(),
        )

    async def _wish(self, connection: Transaction, chat: Chat, sender_id: str | None) -> None:
        """Have the adapter's own history forget it too, whoever keeps that and whenever they run."""
        if chat.adapter in self._own_histories:
            await wish(connection, self._ids.new(), chat, sender_id, self._clock.now())

    async def _changed(
        self,
        connection: Transaction,
        chat_id: str,
        changed: dict[str, Any],
        held: tuple[str, ...],
        gone: int,
    ) -> Forgotten:
        await connection.execute(_CHANGED, {"chat": chat_id, **changed})
        # Copies of what is forgotten may be in them, in whatever chat.
        now = self._clock.now()
        while await drop_exports(connection, before=now, now=now):
            pass
        row = (await connection.execute(_READ, {"chat": chat_id})).one()
        return Forgotten(
            chat=chat_from(row),
            turns=gone,
            held=held,
            recent=await recent(connection, chat_id),
            cleaning=await owe(connection, self._clock, chat_id),
        )

    def _person(self, chat: Chat, rows: Sequence[Row[Any]], names: Collection[str]) -> Person:
        said = []
        for row in rows:
            with suppress(SealBroken):  # what cannot be read tells no name
                opened = self._vault.open(chat.key, row.said_sealed, said_place(chat.id, row.id))
                said.append(json.loads(opened))
        return Person.of({*names, *(one["sender_name"] for one in said)}, {one["text"] for one in said})
