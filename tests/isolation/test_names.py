# ruff: noqa: RUF001 - signs that look alike are what this is about
"""Who is called what: one short visible line, nobody like another or like the assistant, and each the same for ever."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from adapters.base import ConversationKind
from adapters.base import Person as Sender
from bot.chat.speakers import likeness, name_in, numbered, one_called, shown_name
from bot.chat.telling_apart import Bearers, quoted_names, reserved_names, speakers, told_apart
from bot.chat.tombstones import HORIZON
from bot.chat.unquoting import Person, prompt_without
from bot.store.database import Database
from bot.turns.journal import Journal
from bot.turns.journal.forgetting import Forgetting
from bot.turns.journal.naming import chat_names
from bot.turns.journal.retaining import Retaining
from bot.turns.model import Chat, Memory, MemoryChange
from engine.base import Role
from tests.fixtures.clocks import ManualClock
from tests.fixtures.remembered import a_chat, a_said, a_turn
from tests.fixtures.rig import open_rig, saying
from tests.fixtures.turns import acceptance, reply
from tests.isolation.corpus import NAMES, VECTORS, Vector

RESERVED = reserved_names("Aside")
DIRECT = a_chat(kind=ConversationKind.DIRECT)


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_a_name_is_one_short_visible_line_without_a_number_of_ours(vector: Vector) -> None:
    shown = shown_name(vector.text)
    assert 0 < len(shown) <= 33
    assert shown.isprintable()
    assert shown == shown.strip() == name_in(shown)
    assert not set(shown) & set("‹›\n\t")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ANN",
            " a n n ",
            "Аnn",
            "A\u200bnn",
            "Ánn",
            "Ann.",
            "𝐀𝐧𝐧",
            "Ａｎｎ",
            "Ann (2)",
            "Ann ②",
            "ann",
            "Ann\u202e",
        ),
        *("Ann, Monday 2026-01-05 09:00 UTC", "Ann（3）", "Αnn"),
    ],
)
def test_names_that_could_be_taken_for_each_other_are_alike(name: str) -> None:
    assert likeness(shown_name(name)) == likeness("Ann")


@pytest.mark.parametrize("name", ["Anna", "Anne", "安", "Аня", "Nan", "Dr. Ann"])
def test_other_names_are_not(name: str) -> None:
    assert likeness(shown_name(name)) != likeness("Ann")


@given(name=st.text(max_size=60))
def test_what_a_name_is_shown_as_is_shown_as_itself(name: str) -> None:
    """Shown again it does not change, and numbers and phrases of ours around it lead back to it."""
    shown = shown_name(name)
    assert shown_name(shown) == shown
    assert name_in(numbered(shown, 7)) == name_in(one_called(shown)) == name_in(shown)


def test_the_second_of_a_name_has_a_number() -> None:
    alike = likeness("Ann")
    turn = a_turn(a_said("hi", sender_id="p2"), recent=(a_said("so", sender_id="p1"),))
    bearers = Bearers(numbers={("p1", alike): 1, ("p2", alike): 2}, given={alike: (1, 2)})
    told = told_apart(turn, bearers, RESERVED)
    assert (told.said[0].called, told.recent[0].called) == ("Ann (2)", "Ann")


@pytest.mark.parametrize(
    ("author", "given_numbers", "called"),
    [
        pytest.param("Bob", (1,), "Bob", id="one"),
        pytest.param("Bob", (2,), "Bob (2)", id="the second is left"),
        pytest.param("Bob", (1, 2), "one called Bob", id="two"),
        pytest.param("Bob", None, "Bob", id="never spoke"),
        pytest.param("aside", None, "one called aside", id="the assistant's"),
        pytest.param("", None, "someone", id="nameless"),
    ],
)
def test_a_quote_names_nobody_for_sure_where_two_bear_the_name(
    author: str, given_numbers: tuple[int, ...] | None, called: str
) -> None:
    """Whoever bears another's name could else have words of their own quoted as the other's."""
    turn = a_turn(a_said("hi", quoted_author=author, quoted_text="I agree"))
    given_all = {likeness("Bob"): given_numbers} if given_numbers else {}
    assert told_apart(turn, Bearers(given=given_all), RESERVED).said[0].quoted_called == called


@pytest.mark.parametrize(
    "name", ["Aside", "ASIDE", "Аside", "As\u200bide", "assistant", "System", "user", "you"]
)
def test_nobody_is_called_like_the_assistant_or_a_role(name: str) -> None:
    called = told_apart(a_turn(a_said("hi", sender_name=name)), Bearers(), RESERVED).said[0].called
    assert called == f"{shown_name(name)} (2)"


def test_a_direct_chat_has_one_speaker_and_nobody_to_look_up() -> None:
    turn = a_turn(a_said("hi", quoted_author="Bob", quoted_text="x"), chat=DIRECT)
    assert (speakers(turn), quoted_names(turn)) == (set(), {likeness("Bob")})


@given(
    people=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([v.text for v in NAMES])), max_size=12)
)
def test_two_people_are_never_called_the_same(people: list[tuple[str, str]]) -> None:
    """Whatever they call themselves, and however often they change it."""
    numbers: dict[tuple[str, str], int] = {}
    called: dict[str, set[str]] = {}
    for person, name in people:
        turn = a_turn(a_said("hi", sender_id=person, sender_name=name))
        for who, alike in speakers(turn):
            others = [number for (_, other), number in numbers.items() if other == alike]
            numbers.setdefault((who, alike), max(others, default=0) + 1)
        said = told_apart(turn, Bearers(numbers=numbers), RESERVED).said[0]
        called.setdefault(said.called, set()).add(person)
    assert all(len(bearers) == 1 for bearers in called.values())


async def chat_of(journal: Journal, conversation: str = "room") -> Chat:
    await journal.accept([acceptance(conversation=conversation, event=f"{conversation}-1")])
    chat = await journal.chat_by_conversation("fake", "main", conversation)
    assert chat is not None
    return chat


async def numbers_of(journal: Journal, chat: Chat, *people: str, alike: str = "ann") -> list[int]:
    found = await journal.bearers(chat, {(one, alike) for one in people}, set())
    return [found.numbers[one, alike] for one in people]


async def rows(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(chat_names))).scalar_one())


async def test_a_number_is_given_once_and_stays(journal: Journal) -> None:
    chat = await chat_of(journal)
    assert await numbers_of(journal, chat, "p1") == [1]
    assert await numbers_of(journal, chat, "p2") == [2]
    assert await numbers_of(journal, chat, "p1", "p2") == [1, 2]
    assert (await journal.bearers(chat, set(), {"ann", "bob"})).given == {"ann": (1, 2)}


async def test_another_chat_numbers_anew_and_cannot_be_linked(journal: Journal, database: Database) -> None:
    for room in ("room", "other"):
        assert await numbers_of(journal, await chat_of(journal, room), "p1") == [1]
    async with database.read() as connection:
        found = (await connection.execute(select(chat_names.c.likeness, chat_names.c.person))).all()
    assert len({value for row in found for value in row}) == 4


async def test_the_record_holds_neither_name_nor_person(journal: Journal, database: Database) -> None:
    await numbers_of(journal, await chat_of(journal), "p1-canary", alike="canary")
    async with database.read() as connection:
        [row] = (await connection.execute(select(chat_names))).all()
    assert "canary" not in repr(row)


async def test_forgetting_somebody_forgets_their_number_and_keeps_the_others(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    chat = await chat_of(journal)
    await numbers_of(journal, chat, "p1")
    await numbers_of(journal, chat, "p2")
    await Forgetting(database, journal._vault, clock).forget_person(chat.id, "p1")
    assert await rows(database) == 1
    assert await numbers_of(journal, chat, "p2", "p3") == [2, 3]


async def test_forgetting_a_chat_forgets_all_numbers(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    chat = await chat_of(journal)
    await numbers_of(journal, chat, "p1")
    await Forgetting(database, journal._vault, clock).forget_chat(chat.id)
    assert await rows(database) == 0


async def test_a_name_goes_with_the_last_words_said_under_it(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    chat = await chat_of(journal)
    await numbers_of(journal, chat, "p1")
    await journal.request_cancel(chat.id)
    clock.advance(HORIZON.total_seconds())
    await numbers_of(journal, chat, "p2")
    await swept(database, journal, clock)
    assert await rows(database) == 1


async def swept(database: Database, journal: Journal, clock: ManualClock, *, days: int = 1) -> None:
    now, retaining = clock.now(), Retaining(database, journal._vault)
    await retaining.sweep(now - timedelta(days=days), now)
    while await retaining.drop_names(now - timedelta(days=days), now):
        pass


async def test_nobody_gets_a_number_under_which_words_still_stand(
    journal: Journal, database: Database, clock: ManualClock
) -> None:
    """The note of a use is a day late at most: words that were said at the end of that day are young still."""
    chat = await chat_of(journal)
    await journal.request_cancel(chat.id)
    await numbers_of(journal, chat, "p1")
    clock.advance(23.9 * 3600)
    await numbers_of(journal, chat, "p1")
    clock.advance(0.3 * 3600)
    await swept(database, journal, clock)
    assert await numbers_of(journal, chat, "p2") == [2]


@pytest.mark.parametrize("holds", ["memory", "turn"])
async def test_whoever_has_something_in_the_prompt_keeps_the_number(
    journal: Journal, database: Database, clock: ManualClock, holds: str
) -> None:
    chat = await chat_of(journal)
    if holds == "memory":
        turn = await journal.claim(chat.id, 1, "epoch")
        assert turn is not None
        memory = Memory(id="m", number=1, text="x", sender_id="ann", sender_name="Ann")
        turn = await journal.store_reply(turn, replace(reply(), memories=MemoryChange(adds=memory, card="x")))
        await journal.start_part(turn, 0)
        await journal.part_sent(turn, 0, "message")
        await journal.finish(turn)
    assert await numbers_of(journal, chat, "ann") == [1]
    assert await numbers_of(journal, chat, "gone") == [2]
    clock.advance(40 * 86400)
    await swept(database, journal, clock)
    await swept(database, journal, clock)
    assert await rows(database) == 1
    assert await numbers_of(journal, chat, "ann") == [1]


async def test_prompts_say_it(journal: Journal) -> None:
    """From the record to the words of the prompt."""
    chat = await chat_of(journal)
    first, second = (a_turn(a_said("hi", sender_id=one), chat=chat) for one in ("p1", "p2"))
    for turn in (first, replace(second, id="t2")):
        found = await journal.bearers(turn.chat, speakers(turn), quoted_names(turn))
        last = told_apart(turn, found, RESERVED)
    assert last.said[0].called == "Ann (2)"


@pytest.mark.parametrize("called", ["Ann", "Ann (2)", "one called Ann"])
def test_whoever_is_forgotten_is_forgotten_under_all_that_prompts_call_them(called: str) -> None:
    prompt = (
        f"‹recent from {called}› so\n‹recent from Bob› and\n‹end of recent messages›\n"
        f"‹quote by {called}›\nwords\n‹end of quote›\n‹from Bob› hi"
    )
    left = prompt_without(prompt, Person.of({"Ann (2)"}, set()))
    assert left == "‹recent from Bob› and\n‹end of recent messages›\n‹from Bob› hi"


async def test_two_of_a_name_are_two_in_every_prompt_of_their_group(tmp_path: Path) -> None:
    """From the platform to the engine, and again after the cache is gone: the past stays as it was said."""
    async with open_rig(tmp_path) as rig:
        engine = saying("noon")
        rig.start_worker(engine)
        for n, (person, name) in enumerate(
            [("p1", "Ann"), ("p2", "Аnn"), ("p1", "Ann"), ("p3", "Assistant")], 1
        ):
            asked = replace(rig.inbound("what time is it?"), sender=Sender(id=person, name=name))
            await rig.intake.accept(asked)
            await rig.texts(n)
            rig.core.shared.contexts._contexts.clear()
        said = [message.content for message in engine.requests[-1].messages if message.role is Role.USER]
        assert [re.split("[‹,]", text)[1] for text in said] == [
            *("from Ann", "from Аnn (2)", "from Ann", "from Assistant (2)")
        ]
