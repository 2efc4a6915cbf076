"""Summaries in the record: taken by the cut that needs them, dropped by what comes first, bound to their place."""

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from bot.errors import Fenced, SealBroken
from bot.store.database import Database
from bot.turns.journal import Journal
from bot.turns.journal.rows import chats
from bot.turns.journal.sealed import card_place
from bot.turns.model import Background, Chat, Reply, Summary, Turn
from tests.fixtures.turns import acceptance, reply

OLD, NEXT = Summary(ord=1, text="Ann asked \ud800"), Summary(ord=2, text="Ann asked\nBob left")


class Talk:
    """A chat in which turns are answered one after the other."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._token = 0

    async def claimed(self) -> Turn:
        self._token += 1
        await self._journal.accept([acceptance(f"question {self._token}")])
        turn = await self._journal.claim((await self.chat()).id, self._token, "e")
        assert turn is not None
        return turn

    async def answered(self, answer: Reply | None = None) -> Turn:
        turn = await self._journal.store_reply(await self.claimed(), answer or reply())
        await self._journal.start_part(turn, 0)
        await self._journal.part_sent(turn, 0, "sent")
        await self._journal.finish(turn)
        return turn

    async def chat(self) -> Chat:
        chat = await self._journal.chat_by_conversation("fake", "main", "room")
        assert chat is not None
        return chat

    async def background(self) -> Background:
        return await self._journal.background(await self.chat())


@pytest.fixture
async def talk(journal: Journal) -> Talk:
    """Give a chat whose first turn is summarised and cut away, and whose next summary waits."""
    talk = Talk(journal)
    await talk.answered()
    assert await journal.store_summary(await talk.chat(), OLD)
    await talk.answered(replace(reply(), context_from=2, takes_summary=OLD.ord))
    assert await journal.store_summary(await talk.chat(), NEXT)
    return talk


async def change(database: Database, **values: object) -> None:
    async with database.write() as connection:
        await connection.execute(update(chats).values(**values))


async def test_a_summary_waits_beside_the_one_in_use(talk: Talk):
    assert await talk.background() == Background(summary=OLD, next_summary=NEXT)
    assert (await talk.chat()).context_version == 4


async def test_a_cut_takes_the_summary_that_its_prompt_held(talk: Talk):
    stored = await talk.answered(replace(reply(), context_from=3, takes_summary=NEXT.ord))
    assert await talk.background() == Background(summary=NEXT)
    assert (stored.chat.context_version, stored.chat.context_from) == (5, 3)


async def test_a_cut_before_its_summary_keeps_the_older_one(talk: Talk):
    """What comes too late for this cut is of no use to the next: it would leave out what lies between."""
    await talk.answered(replace(reply(), context_from=3))
    assert await talk.background() == Background(summary=OLD)


@pytest.mark.parametrize("left", [None, 1], ids=["forgotten", "another"])
async def test_a_summary_that_went_meanwhile_does_not_come_back(talk: Talk, database: Database, left):
    """The prompt held it, but whoever took it out of the record wins."""
    turn = await talk.claimed()
    await change(database, next_summary_ord=left)
    await talk._journal.store_reply(turn, replace(reply(), context_from=3, takes_summary=NEXT.ord))
    assert await talk.background() == Background(summary=OLD)


async def test_a_refused_reply_takes_no_summary(talk: Talk, journal: Journal):
    turn = await talk.claimed()
    with pytest.raises(Fenced):
        await journal.store_reply(
            replace(turn, token=turn.token - 1), replace(reply(), context_from=3, takes_summary=NEXT.ord)
        )
    assert await talk.background() == Background(summary=OLD, next_summary=NEXT)


async def test_a_reset_leaves_no_summary_and_the_card(talk: Talk, journal: Journal, database: Database):
    chat = await talk.chat()
    card = journal._vault.seal(chat.key, "- Ann is a nurse", card_place(chat.id))
    await change(database, card_sealed=card)
    await talk.answered(replace(reply(), prompt=None, resets_context=True))
    assert await talk.background() == Background(card="- Ann is a nurse")


async def test_the_beginning_never_moves_back(talk: Talk, database: Database):
    """What retention took away while the prompt was made stays away."""
    turn = await talk.claimed()
    await change(database, context_from=9)
    stored = await talk._journal.store_reply(turn, replace(reply(), context_from=3))
    assert stored.chat.context_from == 9


@pytest.mark.parametrize(
    "moved",
    [{"context_from": 3}, {"salt_epoch": 1}, {"next_summary_ord": 3}],
    ids=["cut", "forgotten", "newer"],
)
async def test_a_summary_that_was_overtaken_is_not_kept(talk: Talk, database: Database, moved: dict):
    before = await talk.chat()
    await change(database, **moved)
    assert not await talk._journal.store_summary(before, Summary(ord=3, text="too late"))
    assert (await talk.chat()).context_version == before.context_version


async def test_turns_meanwhile_do_not_overtake_a_summary(talk: Talk):
    before = await talk.chat()
    await talk.answered()
    assert await talk._journal.store_summary(before, Summary(ord=3, text="in time"))


@pytest.mark.parametrize("column", ["summary_sealed", "next_summary_sealed"])
async def test_a_summary_opens_only_where_it_was_sealed(talk: Talk, database: Database, column: str):
    other = "next_summary_sealed" if column == "summary_sealed" else "summary_sealed"
    async with database.read() as connection:
        blob = (await connection.execute(select(chats.c[other]))).scalar_one()
    await change(database, **{column: blob})
    with pytest.raises(SealBroken, match="summary"):
        await talk.background()


async def test_nothing_readable_is_stored(talk: Talk, database: Database):
    async with database.read() as connection:
        row = (await connection.execute(select(chats))).one()
    assert not any(b"Ann" in value for value in row if isinstance(value, bytes))
