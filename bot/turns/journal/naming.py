"""Naming: who was the first, the second and so on to speak under a name in a chat. Digests only: no name, no id."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Row, String, Table, bindparam, delete, insert, select, union, update

from bot.chat.telling_apart import Bearers
from bot.chat.tombstones import Digester
from bot.store.tables import Base, UtcDateTime
from bot.store.transaction import Transaction
from bot.turns.journal.base import JournalBase
from bot.turns.journal.burying import memories
from bot.turns.journal.rows import chats, inbounds, turns
from bot.turns.model import Chat

chat_names: Table = Base.metadata.tables["chat_names"]

#: How old the note of somebody's last use of a name may become before it is renewed: a write a day, not a turn.
_RENEWED = timedelta(days=1)

_CHAT = bindparam("chat", type_=String())
_ALIKE: BindParameter[str] = bindparam("alike", expanding=True)
_GIVEN = select(chat_names.c.likeness, chat_names.c.number, chat_names.c.person, chat_names.c.seen_at).where(
    chat_names.c.chat_id == _CHAT, chat_names.c.likeness.in_(_ALIKE)
)
_LOCK = select(chats.c.id).where(chats.c.id == _CHAT).with_for_update()
_ADD = insert(chat_names)
_RENEW = (
    update(chat_names)
    .where(
        chat_names.c.chat_id == _CHAT,
        chat_names.c.likeness == bindparam("of_likeness"),
        chat_names.c.person == bindparam("of_person"),
    )
    .values(seen_at=bindparam("now", type_=UtcDateTime()))
)
_DROP = delete(chat_names).where(chat_names.c.chat_id == _CHAT)
_DROP_PERSONS = _DROP.where(chat_names.c.person == bindparam("person"))
_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_IS_OLD = chat_names.c.seen_at < bindparam("before", type_=UtcDateTime())
_OLD = select(chat_names.c.chat_id, chat_names.c.likeness, chat_names.c.person).where(_IS_OLD)
_OLD = _OLD.order_by(chat_names.c.seen_at).limit(bindparam("most"))
_LOCK_ALL = select(chats.c.id).where(chats.c.id.in_(_THESE)).order_by(chats.c.id).with_for_update()
#: Who asked for what prompts still hold: words that are kept, and what is to be remembered.
_STANDING = union(
    select(turns.c.chat_id, turns.c.sender_id)
    .where(turns.c.chat_id.in_(_THESE))
    .where(select(inbounds.c.id).where(inbounds.c.turn_id == turns.c.id).exists()),
    select(memories.c.chat_id, memories.c.sender_id).where(memories.c.chat_id.in_(_THESE)),
)
_DROP_OLD = (
    delete(chat_names)
    .where(chat_names.c.chat_id == _CHAT, chat_names.c.likeness == bindparam("of_likeness"))
    .where(chat_names.c.person == bindparam("of_person"), _IS_OLD)
)


class _Name(NamedTuple):
    """Somebody's use of a name, as the record knows it."""

    likeness: str
    person: str


class Naming(JournalBase):
    """Numbers those who bear like names; a number that was given stays its bearer's."""

    async def bearers(
        self, chat: Chat, speakers: Collection[tuple[str, str]], quoted: Collection[str]
    ) -> Bearers:
        """Find the numbers of speakers (ids, each with a likeness) and of quoted names, and number who has none.

        Raises `StoreUnavailable`. Safe to repeat: nobody is ever numbered twice.
        """
        names = {(one, alike): _name(self._vault, chat.id, one, alike) for one, alike in speakers}
        digests = {
            alike: _likeness(self._vault, chat.id, alike) for alike in (*quoted, *(a for _, a in speakers))
        }
        if not digests:
            return Bearers()
        asked = {"chat": chat.id, "alike": sorted(digests.values())}
        async with self._database.read() as connection:
            rows = (await connection.execute(_GIVEN, asked)).all()
        if self._is_due(rows, names.values()):
            rows = await self._numbered(asked, names.values())
        numbers, given = _sorted_out(rows)
        return Bearers(
            numbers={who: numbers[name] for who, name in names.items()},
            given={alike: tuple(given[digest]) for alike, digest in digests.items() if digest in given},
        )

    def _is_due(self, rows: Iterable[Row[Any]], names: Collection[_Name]) -> bool:
        late = self._clock.now() - _RENEWED
        fresh = {_Name(row.likeness, row.person) for row in rows if row.seen_at > late}
        return not fresh.issuperset(names)

    async def _numbered(self, asked: Mapping[str, Any], names: Collection[_Name]) -> list[Row[Any]]:
        """Give numbers to those who have none, and note that the others are still there."""
        chat_id, now = asked["chat"], self._clock.now()
        async with self._database.write() as connection:
            await connection.execute(_LOCK, {"chat": chat_id})
            numbers, given = _sorted_out((await connection.execute(_GIVEN, asked)).all())
            for name in sorted(set(names)):
                if name in numbers:
                    of = {"of_likeness": name.likeness, "of_person": name.person}
                    await connection.execute(_RENEW, {"chat": chat_id, "now": now, **of})
                    continue
                number = max(given[name.likeness], default=0) + 1
                given[name.likeness].append(number)
                added = {"chat_id": chat_id, "number": number, "seen_at": now, **name._asdict()}
                await connection.execute(_ADD, added)
            return list((await connection.execute(_GIVEN, asked)).all())


async def drop_names(connection: Transaction, chat_id: str) -> None:
    """Forget who was called what in a chat."""
    await connection.execute(_DROP, {"chat": chat_id})


async def drop_names_of(connection: Transaction, digester: Digester, chat_id: str, sender_id: str) -> None:
    """Forget what one person was called in a chat; the others keep their numbers."""
    await connection.execute(
        _DROP_PERSONS, {"chat": chat_id, "person": _person(digester, chat_id, sender_id)}
    )


async def drop_old_names(
    connection: Transaction, digester: Digester, before: datetime, now: datetime, *, most: int
) -> bool:
    """Forget what some people were called who were last named before an instant; False where that was all.

    While prompts hold anything of somebody's, nobody else may come to bear that name and number.
    """
    # The note of a use may be that much older than the use.
    asked = {"before": before - _RENEWED, "most": most}
    old = (await connection.execute(_OLD, asked)).all()
    if not old:
        return False
    ids = {"ids": sorted({row.chat_id for row in old})}
    await connection.execute(_LOCK_ALL, ids)
    standing = {
        (row.chat_id, _person(digester, row.chat_id, row.sender_id))
        for row in await connection.execute(_STANDING, ids)
    }
    for row in old:
        of = {"chat": row.chat_id, "of_likeness": row.likeness, "of_person": row.person}
        if (row.chat_id, row.person) in standing:
            await connection.execute(_RENEW, of | {"now": now})
        else:
            await connection.execute(_DROP_OLD, of | {"before": asked["before"]})
    return len(old) == most


def _sorted_out(rows: Iterable[Row[Any]]) -> tuple[dict[_Name, int], defaultdict[str, list[int]]]:
    numbers, given = dict[_Name, int](), defaultdict[str, list[int]](list)
    for row in rows:
        numbers[_Name(row.likeness, row.person)] = row.number
        given[row.likeness].append(row.number)
    return numbers, given


def _name(digester: Digester, chat_id: str, sender_id: str, alike: str) -> _Name:
    return _Name(_likeness(digester, chat_id, alike), _person(digester, chat_id, sender_id))


def _likeness(digester: Digester, chat_id: str, alike: str) -> str:
    return digester.digest("name", chat_id, alike)


def _person(digester: Digester, chat_id: str, sender_id: str) -> str:
    return digester.digest("person", chat_id, sender_id)
