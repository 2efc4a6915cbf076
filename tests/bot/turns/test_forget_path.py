"""`/forget` from a message to its confirmation: at once, whatever stands in line, and once."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.base import Conversation, ConversationKind, Inbound, Outcome
from bot.skills.export import exported
from bot.skills.forget import ADMINS_ONLY, HOW, NOTHING_KEPT
from bot.store.tables import Base
from bot.turns.journal.exporting import KeptChat, KeptMessage
from bot.turns.journal.forgetting import Forgetting
from bot.turns.model import Chat
from tests.fixtures.held_engine import HeldEngine
from tests.fixtures.rig import Rig, open_rig, saying


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as opened:
        yield opened


async def remembered(rig: Rig, conversation: str = "room") -> int:
    chat = await rig.journal.chat_by_conversation("loopback", "main", conversation)
    return len(await rig.journal.exchanges(chat, 99))


async def sealed(rig: Rig) -> int:
    """Count the sealed values of the record."""
    found = 0
    async with rig.core.database.read() as connection:
        for table in Base.metadata.tables.values():
            for column in table.columns:
                if column.name.endswith("_sealed"):
                    rows = await connection.execute(table.select().with_only_columns(column))
                    found += sum(1 for value in rows.scalars() if value)
    return found


async def test_forget_chat_is_confirmed_and_all_is_gone(rig: Rig) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("one", sender="ann")
    await rig.say("two", sender="bob")
    await rig.texts(2)
    receipt = await rig.say("/forget chat")
    assert receipt.outcome is Outcome.REFUSED
    said = (await rig.texts(3))[-1]
    assert said.startswith(
        "Done: I have forgotten everything that was said to me in this chat. (2 questions.)"
    )
    assert "copies in backups cannot be read after 24 hours at most" in said
    assert await remembered(rig) == 0
    # Nothing but the wish's own empty message is left.
    assert await sealed(rig) == 1


async def test_a_wish_that_was_carried_out_is_no_refusal(rig: Rig) -> None:
    await rig.say("/forget chat")
    counts = await rig.journal.counts()
    assert (counts.done, counts.refused, counts.waiting, counts.unsent) == (1, 0, 0, 0)


async def test_forget_me_leaves_the_others(rig: Rig) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("one", sender="ann")
    await rig.say("two", sender="bob")
    await rig.texts(2)
    await rig.say("/forget me", sender="ann")
    said = (await rig.texts(3))[-1]
    assert "everything you said to me in this chat, what I answered, and where others quoted you" in said
    assert await remembered(rig) == 1


async def test_forget_me_in_a_direct_chat_forgets_everywhere(rig: Rig) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("one", conversation="group", sender="ann")
    direct = rig.inbound("two", conversation="direct", sender="ann")
    direct = replace(direct, conversation=Conversation(ref="direct", kind=ConversationKind.DIRECT))
    await rig.intake.accept(direct)
    await rig.texts(1, "group")
    await rig.texts(1, "direct")
    wish = replace(direct, event_key="wish", message="message-wish", text="/forget me")
    await rig.intake.accept(wish)
    assert "here and in 1 other chat, and what I answered" in (await rig.texts(2, "direct"))[-1]
    assert (await remembered(rig, "group"), await remembered(rig, "direct")) == (0, 0)


async def test_a_wish_that_is_delivered_again_before_its_confirmation_is_confirmed(rig: Rig) -> None:
    """The process died in between: the words are gone, and the person has heard of nothing."""
    rig.start_worker(saying("an answer"))
    await rig.intake.accept(direct(rig, "one", "question"))
    await rig.texts(1, "direct")
    chat = await rig.journal.chat_by_conversation("loopback", "main", "direct")
    assert chat is not None
    await Forgetting(rig.core.database, rig.core.vault, rig.core.clock).forget_chat(chat.id)
    await rig.intake.accept(direct(rig, "/forget me", "wish"))
    assert (await rig.texts(2, "direct"))[-1].startswith(
        "Done: I have forgotten everything you said to me here"
    )


async def test_a_wish_that_is_delivered_twice_forgets_once(rig: Rig) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("one")
    await rig.texts(1)
    await rig.say("/forget chat", event="wish")
    await rig.texts(2)
    await rig.say("two")
    await rig.texts(3)
    assert (await rig.say("/forget chat", event="wish")).outcome is Outcome.DONE
    assert (await remembered(rig), len(rig.loopback.texts("room"))) == (1, 3)


async def test_a_running_turn_is_stopped_and_nothing_of_it_stays(rig: Rig) -> None:
    engine = HeldEngine()
    rig.start_worker(engine)
    await rig.say("one")
    await rig.until(lambda: bool(engine.requests))
    await rig.say("/forget chat", sender="bob")
    await rig.until(lambda: any("Done:" in text for text in rig.loopback.texts("room")))
    engine.go_on()
    await rig.settled()
    assert (await remembered(rig), await sealed(rig)) == (0, 1)


@pytest.mark.parametrize(
    ("text", "is_admin", "said"),
    [
        pytest.param("/forget", None, HOW, id="no word"),
        pytest.param("/forget me not", None, HOW, id="another word"),
        pytest.param("/forget chat", False, ADMINS_ONLY, id="not an admin"),
        pytest.param("/forget chat", True, "Done:", id="an admin"),
        pytest.param("/forget@loopback me", None, "Done:", id="by name"),
    ],
)
async def test_what_is_not_done_is_explained(rig: Rig, text: str, is_admin: bool | None, said: str) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("one")
    await rig.texts(1)
    await rig.intake.accept(replace(rig.inbound(text), sender_is_admin=is_admin))
    assert said in (await rig.texts(2))[-1]
    assert await remembered(rig) == (0 if said == "Done:" else 1)


async def test_where_nothing_was_ever_said_there_is_nothing_to_forget(rig: Rig) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("/forget chat")
    assert await rig.texts(1) == [NOTHING_KEPT]


def direct(rig: Rig, text: str, event: str) -> Inbound:
    written = rig.inbound(text, conversation="direct", sender="ann", event=event)
    return replace(written, conversation=Conversation(ref="direct", kind=ConversationKind.DIRECT))


async def test_export_gives_a_person_what_is_kept_of_them_and_of_nobody_else(rig: Rig) -> None:
    rig.start_worker(saying("an answer with ``` in it"))
    await rig.say("ann in a group", conversation="group", sender="ann")
    await rig.say("bob in a group", conversation="group", sender="bob")
    await rig.texts(2, "group")
    await rig.intake.accept(direct(rig, "ann alone", "one"))
    await rig.texts(1, "direct")
    await rig.intake.accept(direct(rig, "/export", "two"))
    said = (await rig.texts(2, "direct"))[-1]
    found = json.loads(said.split("```json\n")[1].removesuffix("\n```"))
    assert [(one["chat"], one["said"]) for one in found["messages"]] == [
        ("group", "ann in a group"),
        ("direct", "ann alone"),
        ("direct", "/export"),
    ]
    assert found["messages"][0]["answered"] == "an answer with ``` in it"
    assert "bob" not in said
    await rig.intake.accept(direct(rig, "/export", "three"))
    again = (await rig.texts(3, "direct"))[-1]
    found = json.loads(again.split("```json\n")[1].removesuffix("\n```"))
    assert [one.get("answered") is not None for one in found["messages"]] == [True, True, False, False]


async def test_export_shows_nothing_in_a_group(rig: Rig) -> None:
    rig.start_worker(saying("an answer"))
    await rig.say("a question")
    await rig.texts(1)
    await rig.say("/export")
    said = (await rig.texts(2))[-1]
    assert "only in a direct chat" in said
    assert "a question" not in said


def test_an_export_leaves_out_the_oldest_and_what_is_too_large() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    chat = Chat(
        id="c",
        adapter="fake",
        account="main",
        conversation="room",
        kind=ConversationKind.DIRECT,
        key=b"",
        context_version=0,
        context_from=0,
    )
    messages = tuple(
        KeptMessage(
            said=f"message {n}", said_at=at, accepted_at=at + timedelta(hours=n), quoted="", answered=None
        )
        for n in range(9)
    )
    large = replace(messages[0], said="too much " * 99, accepted_at=at + timedelta(hours=99))
    kept = KeptChat(chat=chat, messages=(*messages, large), memories=("tea",))
    said = exported([kept], most_chars=350)
    found = json.loads(said.split("```json\n")[1].removesuffix("\n```"))
    assert [one["said"] for one in found["messages"]] == ["message 6", "message 7", "message 8"]
    assert (found["messages_left_out"], found["remembered"]) == (7, ["tea"])
