"""Sealing what stays of a chat under another data key, without one person."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Row, Select, Update, bindparam, select, update

from bot.chat.unquoting import Person, prompt_without, said_without
from bot.chat.vault import Place, Vault
from bot.errors import SealBroken
from bot.store.transaction import Transaction
from bot.turns.journal.burying import memories
from bot.turns.journal.rows import inbounds, reply_parts, turns
from bot.turns.journal.sealed import memory_place, part_place, prompt_place, reply_place, said_place

logger = logging.getLogger(__name__)

_THESE: BindParameter[str] = bindparam("ids", expanding=True)
_OF: BindParameter[str] = bindparam("of")
_NEW: BindParameter[bytes] = bindparam("new")
_AT_ONCE = 50

#: Where a row's value is sealed: by its chat's id and its own.
PlaceOf = Callable[[str, str], Place]
#: What becomes of a text.
Change = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One sealed column of the turns that stay."""

    #: Reads `name` and `sealed`.
    read: Select[Any]
    write: Update
    place: PlaceOf


_SAID = _Kind(
    read=select(inbounds.c.id.label("name"), inbounds.c.said_sealed.label("sealed")).where(
        inbounds.c.turn_id.in_(_THESE)
    ),
    write=update(inbounds).where(inbounds.c.id == _OF).values(said_sealed=_NEW),
    place=said_place,
)
_PROMPTS = _Kind(
    read=select(turns.c.id.label("name"), turns.c.prompt_sealed.label("sealed")).where(
        turns.c.id.in_(_THESE), turns.c.prompt_sealed.is_not(None)
    ),
    write=update(turns).where(turns.c.id == _OF).values(prompt_sealed=_NEW),
    place=prompt_place,
)
_REPLIES = _Kind(
    read=select(turns.c.id.label("name"), turns.c.reply_sealed.label("sealed")).where(
        turns.c.id.in_(_THESE), turns.c.reply_sealed.is_not(None)
    ),
    write=update(turns).where(turns.c.id == _OF).values(reply_sealed=_NEW),
    place=reply_place,
)
_PARTS = _Kind(
    read=select(reply_parts.c.op_id.label("name"), reply_parts.c.text_sealed.label("sealed")).where(
        reply_parts.c.turn_id.in_(_THESE)
    ),
    write=update(reply_parts).where(reply_parts.c.op_id == _OF).values(text_sealed=_NEW),
    place=part_place,
)
_MEMORIES = select(memories.c.id.label("name"), memories.c.text_sealed.label("sealed")).where(
    memories.c.chat_id == bindparam("chat")
)
_REWRITE_MEMORY = update(memories).where(memories.c.id == _OF).values(text_sealed=_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealing:
    """One chat on its way from a data key to another; or, as another chat's now, to that one's."""

    vault: Vault
    chat_id: str
    old_key: bytes
    new_key: bytes
    #: The chat that everything becomes a part of; empty where it stays in its own.
    into: str = ""

    async def turns(self, connection: Transaction, turn_ids: Sequence[str], person: Person) -> None:
        """Seal everything of some turns anew, without a person. Raises `KeyMissing`."""
        for first in range(0, len(turn_ids), _AT_ONCE):
            these = {"ids": list(turn_ids[first : first + _AT_ONCE])}
            for kind, change in (
                (_SAID, lambda text: said_without(text, person)),
                (_PROMPTS, lambda text: prompt_without(text, person)),
                (_REPLIES, str),
                (_PARTS, str),
            ):
                rows = (await connection.execute(kind.read, these)).all()
                await self._rewrite(connection, kind.write, rows, kind.place, change)
            # On SQLite nothing above lets anybody else run.
            await asyncio.sleep(0)

    async def memories(self, connection: Transaction) -> None:
        """Seal anew what the chat asked to have remembered."""
        rows = (await connection.execute(_MEMORIES, {"chat": self.chat_id})).all()
        await self._rewrite(connection, _REWRITE_MEMORY, rows, memory_place, str)

    def anew(self, name: str, sealed: bytes, place: PlaceOf, change: Change = str) -> bytes:
        """Seal one value anew."""
        opened = self.vault.open(self.old_key, sealed, place(self.chat_id, name))
        return self.vault.seal(self.new_key, change(opened), place(self.into or self.chat_id, name))

    async def _rewrite(
        self, connection: Transaction, write: Update, rows: Sequence[Row[Any]], place: PlaceOf, change: Change
    ) -> None:
        binds = []
        for row in rows:
            try:
                new = self.anew(row.name, row.sealed, place, change)
            except SealBroken as exc:
                # It could not be read before, and nothing that stays can read it now.
                logger.error("a value stays behind, unreadable as it was: %s", exc)  # noqa: TRY400 - no more to say
                continue
            binds.append({"of": row.name, "new": new})
        if binds:
            await connection.execute(write, binds)
