"""Moving: a conversation that has another reference now takes everything of it along."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Row, String, Table, bindparam, delete, func, literal_column, select, update

from adapters.base import ConversationMoved
from bot.chat.card import card_of
from bot.chat.unquoting import Person
from bot.store.tables import Base
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.burying import bury_words, memories
from bot.turns.journal.forgetting import MOST_RESEALED
from bot.turns.journal.memories import add_memory, read_memories
from bot.turns.journal.rating import drop_ratings
from bot.turns.journal.resealing import Resealing
from bot.turns.journal.rows import (
    CHAT_COLUMNS,
    UNFINISHED,
    chat_from,
    chats,
    dead_letters,
    notices,
    turns,
)
from bot.turns.journal.sealed import card_place
from bot.turns.model import Chat, Consent

_history_wishes: Table = Base.metadata.tables["history_wishes"]

_OLD, _NEW = bindparam("old", type_=String()), bindparam("new", type_=String())
_NOBODY = Person.of((), ())
# Chats are locked in one order, as accepting does: no two transactions wait for each other.
_LOCK = (
    select(*CHAT_COLUMNS, chats.c.last_ord, chats.c.last_memory)
    .where(chats.c.adapter == bindparam("adapter"), chats.c.account == bindparam("account"))
    .where(chats.c.conversation.in_(bindparam("both", expanding=True)))
    .order_by(chats.c.conversation)
    .with_for_update()
)
_RENAME = update(chats).where(chats.c.id == _OLD).values(conversation=bindparam("to"))
_RENAME_WISHES = (
    update(_history_wishes)
    .where(_history_wishes.c.adapter == bindparam("of_adapter"))
    .where(_history_wishes.c.conversation == bindparam("from_there"))
    .values(conversation=bindparam("to"))
)
_HELD = select(turns.c.id).where(turns.c.chat_id == _NEW, UNFINISHED, turns.c.held)
# Whoever holds one of them holds the wrong chat's key: the row carries a higher token.
_TAKE_AWAY = (
    update(turns)
    .where(turns.c.chat_id == _NEW, UNFINISHED)
    .values(fence=func.coalesce(turns.c.fence, literal_column("0")) + 1, held=False)
)
_TURNS = select(turns.c.id).where(turns.c.chat_id == _NEW).order_by(turns.c.ord.desc())
_TAKE_TURNS = (
    update(turns)
    .where(turns.c.chat_id == _NEW)
    .values(chat_id=bindparam("into"), ord=turns.c.ord + bindparam("behind", type_=BigInteger()))
)
_TAKE_NOTICES = (
    update(notices)
    .where(notices.c.turn_id.in_(select(turns.c.id).where(turns.c.chat_id == _NEW)))
    .values(chat_id=bindparam("into"))
)
_TAKE_LETTERS = update(dead_letters).where(dead_letters.c.chat_id == _NEW).values(chat_id=bindparam("into"))
_DROP_CHAT = delete(chats).where(chats.c.id == _NEW)
_GROW = (
    update(chats)
    .where(chats.c.id == _OLD)
    .values(
        last_ord=chats.c.last_ord + bindparam("more", type_=BigInteger()),
        context_version=chats.c.context_version + 1,
    )
)
_DROP_MEMORIES = delete(memories).where(memories.c.chat_id == _NEW)
_CARD = update(chats).where(chats.c.id == _OLD)
_READ = select(*CHAT_COLUMNS).where(chats.c.id == _OLD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What became of a chat that moved."""

    #: As it stands now; None where the assistant was never addressed there, or it moved before.
    chat: Chat | None = None
    #: Turns in somebody's hands who must begin anew.
    held: tuple[str, ...] = ()


class Moving(JournalBase):
    """What intake asks of the journal when a conversation moves."""

    async def move(self, event: ConversationMoved) -> Moved:
        """Give a chat its new reference. Safe to repeat. Raises `StoreUnavailable` and `KeyMissing`.

        All of it is kept under the chat's own id and moves along. Where people were quicker and the new reference has
        a chat already, that becomes the end of the old one: its turns stand behind the old ones, its words are sealed
        by the old one's key, and the old one's settings hold. Switched off in either, it is switched off.
        """
        if event.old == event.new:
            return Moved()
        async with self._database.write() as connection:
            found = await _locked(connection, event)
            old, newer = found.get(event.old), found.get(event.new)
            if old is None:
                return Moved()
            held = () if newer is None else await self._merge(connection, old, newer)
            this = {"old": old.of_chat_id, "to": event.new}
            await connection.execute(_RENAME, this)
            wishes = {"of_adapter": event.adapter, "from_there": event.old, "to": event.new}
            await connection.execute(_RENAME_WISHES, wishes)
            row = (await connection.execute(_READ, this)).one()
        return Moved(chat=chat_from(row), held=held)

    async def _merge(self, connection: Transaction, old: Row[Any], newer: Row[Any]) -> tuple[str, ...]:
        """Make a chat the end of an older one; returns its turns that somebody held."""
        this = {"old": old.of_chat_id, "new": newer.of_chat_id, "into": old.of_chat_id}
        held = tuple((await connection.execute(_HELD, this)).scalars())
        await connection.execute(_TAKE_AWAY, this)
        found = list((await connection.execute(_TURNS, this)).scalars())
        # By a hash of the chat that goes: nobody could find them again.
        await drop_ratings(connection, found)
        await self._reseal(connection, chat_from(old), chat_from(newer), found)
        await self._take_memories(connection, old, newer)
        for statement in (_TAKE_NOTICES, _TAKE_LETTERS):
            await connection.execute(statement, this)
        await connection.execute(_TAKE_TURNS, {**this, "behind": old.last_ord})
        await connection.execute(_DROP_CHAT, this)
        settings: dict[str, Any] = {"met_at": old.of_chat_met_at or newer.of_chat_met_at}
        if newer.of_chat_consent == Consent.OFF.value:
            settings["consent"] = Consent.OFF.value
        await connection.execute(_GROW, {**this, "more": newer.last_ord, **settings})
        return held

    async def _reseal(self, connection: Transaction, old: Chat, newer: Chat, found: list[str]) -> None:
        resealing = Resealing(
            vault=self._vault, chat_id=newer.id, old_key=newer.key, new_key=old.key, into=old.id
        )
        await resealing.turns(connection, found[:MOST_RESEALED], _NOBODY)
        await bury_words(connection, self._vault, found[MOST_RESEALED:], self._clock.now())

    async def _take_memories(self, connection: Transaction, old: Row[Any], newer: Row[Any]) -> None:
        """Have the older chat remember what the newer one was asked to, behind its own."""
        chat = chat_from(old)
        wanted = await read_memories(connection, self._vault, chat_from(newer))
        if not wanted:
            return
        await connection.execute(_DROP_MEMORIES, {"new": newer.of_chat_id})
        for number, memory in enumerate(wanted, old.last_memory + 1):
            moved = replace(memory, number=number)
            await add_memory(connection, self._vault, chat, moved, self._clock.now())
        card = card_of(await read_memories(connection, self._vault, chat), chat.kind)
        sealed = self._vault.seal(chat.key, card, card_place(chat.id)) if card else None
        values = {"card_sealed": sealed, "last_memory": old.last_memory + len(wanted)}
        await connection.execute(_CARD, {"old": chat.id, **values})


async def _locked(connection: Transaction, event: ConversationMoved) -> dict[str, Row[Any]]:
    where = {"adapter": event.adapter, "account": event.account, "both": [event.old, event.new]}
    rows = (await connection.execute(_LOCK, where)).all()
    return {row.of_chat_conversation: row for row in rows}
