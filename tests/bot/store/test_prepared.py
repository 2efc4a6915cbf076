"""Statements past SQLAlchemy: the same rows go in and come out on both databases, and errors keep their names."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, false, insert, literal_column, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.database import Database
from bot.store.prepared import Bulk, Lookup, among
from bot.store.tables import Base

NOW = datetime(2026, 11, 23, 9, 22, 18, 120_000, tzinfo=UTC)
chats = Base.metadata.tables["chats"]
NAMES = ("weight", "id", "conversation", "data_key", "created_at")
ADD = Bulk(
    insert(chats).values(
        adapter=literal_column("'a'"),
        account=literal_column("'main'"),
        kind=literal_column("'group'"),
        last_ord=literal_column("0"),
        context_version=literal_column("0"),
        context_from=literal_column("0"),
        held=false(),
    ),
    *NAMES,
)
FIND = Lookup(
    select(chats.c.id, chats.c.data_key, chats.c.weight)
    .where(
        chats.c.adapter == "a", chats.c.account == bindparam("account"), among(chats.c.conversation, "among")
    )
    .order_by(chats.c.id)
)
HARD = ["plain", "", "it's", 'a "quoted" one', "back\\slash", "\U0001f600", "123", "%", "a,b", "[1]"]


def row(number: int, conversation: str, at: datetime = NOW) -> tuple:
    return (number / 2, f"c{number:02}", conversation, bytes([number, 0, 255]), at)


async def find(database: Database, *conversations: str) -> list[tuple]:
    async with database.read() as connection:
        return [tuple(found) for found in await FIND.rows(connection, account="main", among=[*conversations])]


async def test_what_goes_in_as_tuples_comes_out(database: Database) -> None:
    async with database.write() as connection:
        await ADD.run(connection, [row(number, text) for number, text in enumerate(HARD)])
    everything = [(f"c{number:02}", bytes([number, 0, 255]), number / 2) for number in range(len(HARD))]
    assert await find(database, *HARD) == everything


@pytest.mark.parametrize("text", HARD)
async def test_only_what_is_listed_is_found(database: Database, text: str) -> None:
    async with database.write() as connection:
        await ADD.run(connection, [row(number, each) for number, each in enumerate(HARD)])
    assert [found[0] for found in await find(database, text, "unknown", text)] == [f"c{HARD.index(text):02}"]


async def test_a_long_list_is_searched_to_its_end(database: Database) -> None:
    async with database.write() as connection:
        await ADD.run(connection, [row(number, f"room {number}") for number in range(100)])
    for length in (1, 2, 3, 64, 65, 100):
        assert len(await find(database, *(f"room {number}" for number in range(length)))) == length


async def test_an_empty_list_finds_nothing_and_no_rows_add_nothing(database: Database) -> None:
    async with database.write() as connection:
        await ADD.run(connection, [])
    assert await find(database) == []


async def test_instants_are_stored_as_sqlalchemy_stores_them(database: Database) -> None:
    instants = [NOW, NOW, NOW + timedelta(hours=1), NOW.replace(microsecond=0)]
    async with database.write() as connection:
        await ADD.run(connection, [row(number, str(number), at) for number, at in enumerate(instants)])
    in_order = select(chats.c.created_at).order_by(chats.c.id)
    async with database.read() as connection:
        read = list((await connection.execute(in_order)).scalars())
        same = (await connection.execute(select(chats.c.id).where(chats.c.created_at == NOW))).all()
    assert read == instants
    assert len(same) == 2


async def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        async with database.write() as connection:
            await ADD.run(connection, [row(1, "a", NOW.replace(tzinfo=None))])


async def test_each_row_changes_its_own(database: Database) -> None:
    lift = Bulk(
        update(chats).where(chats.c.id == bindparam("chat")).values(weight=bindparam("share")),
        "chat",
        "share",
    )
    async with database.write() as connection:
        await ADD.run(connection, [row(1, "a"), row(2, "b"), row(3, "c")])
        await lift.run(connection, [("c01", 7.0), ("c03", 9.0)])
    assert [found[2] for found in await find(database, "a", "b", "c")] == [7.0, 1.0, 9.0]


async def test_a_row_twice_is_an_integrity_error_and_nothing_is_stored(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await ADD.run(connection, [row(1, "a"), row(1, "b")])
    assert await find(database, "a", "b") == []
