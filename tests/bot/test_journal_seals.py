"""Sealed values that were swapped, cut or changed in the record are errors that name the row, and never wrong text."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import Row, select, update

from bot.errors import SealBroken
from bot.store.database import Database
from bot.turns.journal import Journal
from bot.turns.journal.rows import turns
from bot.turns.model import Chat
from tests.fixtures.turns import acceptance, reply

COLUMNS = ("prompt_sealed", "reply_sealed")


@dataclass(frozen=True)
class Two:
    """Two answered turns of one chat, and one of another."""

    journal: Journal
    database: Database
    chat: Chat
    first: str
    second: str
    elsewhere: str

    async def row(self, turn_id: str) -> Row:
        async with self.database.read() as connection:
            return (await connection.execute(select(turns).where(turns.c.id == turn_id))).one()

    async def put(self, turn_id: str, column: str, blob: bytes) -> None:
        async with self.database.write() as connection:
            await connection.execute(update(turns).where(turns.c.id == turn_id).values({column: blob}))


@pytest.fixture
async def two(journal: Journal, database: Database) -> Two:
    answered = []
    for token, room in enumerate(("room", "room", "other"), start=1):
        [receipt] = await journal.accept([acceptance(f"question {token}", conversation=room)])
        turn = await journal.claim(receipt.chat_id, token, "epoch")
        turn = await journal.store_reply(turn, reply(f"answer {token}", prompt=f"question {token}"))
        await journal.start_part(turn, 0)
        await journal.part_sent(turn, 0, "sent")
        await journal.finish(turn)
        answered.append(turn.id)
    chat = await journal.chat_by_conversation("fake", "main", "room")
    assert chat is not None
    return Two(journal, database, chat, *answered)


def _other(column: str) -> str:
    return COLUMNS[1 - COLUMNS.index(column)]


async def _from_the_next_turn(two: Two, column: str) -> bytes:
    return getattr(await two.row(two.second), column)


async def _from_another_chat(two: Two, column: str) -> bytes:
    return getattr(await two.row(two.elsewhere), column)


async def _from_the_other_column(two: Two, column: str) -> bytes:
    return getattr(await two.row(two.first), _other(column))


async def _cut(two: Two, column: str) -> bytes:
    return getattr(await two.row(two.first), column)[:-1]


async def _emptied(two: Two, column: str) -> bytes:
    return b""


async def _flipped(two: Two, column: str) -> bytes:
    blob = bytearray(getattr(await two.row(two.first), column))
    blob[len(blob) // 2] ^= 4
    return bytes(blob)


DAMAGES = (_from_the_next_turn, _from_another_chat, _from_the_other_column, _cut, _emptied, _flipped)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))
async def test_damage_names_the_turn_and_opens_as_nothing(two: Two, column: str, damage: Callable) -> None:
    await two.put(two.first, column, await damage(two, column))
    with pytest.raises(SealBroken) as caught:
        await two.journal.exchanges(two.chat, 99)
    assert two.first in str(caught.value)
    assert two.chat.id in str(caught.value)
