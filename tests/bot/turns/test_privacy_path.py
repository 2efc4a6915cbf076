"""What a chat lets the assistant see, from what people write to what the engine is shown and what is kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from adapters.base import Addressed, Conversation, ConversationKind, Edited, Outcome, Quoted, Withdrawn
from bot.errors import ContextUnavailable
from bot.settings.sections import PrivacySection
from bot.skills.privacy_texts import SWITCHED_OFF, introduction, keeps, quote_hidden
from bot.store.tables import InboundRow, TurnRow
from bot.turns.model import Consent
from engine.scripted import ScriptedEngine
from tests.fixtures.remembered import a_chat
from tests.fixtures.rig import Rig, open_rig, saying


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path) as opened:
        yield opened


@pytest.fixture
def engine(rig: Rig) -> ScriptedEngine:
    engine = saying("noon")
    rig.start_worker(engine)
    return engine


async def ask(rig: Rig, text: str, *, by_admin: bool | None = None, **facts) -> str:
    """Ask, and return what the person sees of the answer."""
    seen = len(rig.loopback.texts("room"))
    event = replace(rig.inbound(text), sender_is_admin=by_admin, **facts)
    assert (await rig.intake.accept(event)).outcome is Outcome.ACCEPTED
    return (await rig.texts(seen + 1))[-1]


async def chose(rig: Rig, text: str) -> str:
    """Choose something, and wait until the gateway knows."""
    said = await ask(rig, text)
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    await rig.until(lambda: rig.intake._modes.of("loopback", "main", "room").consent is chat.consent)
    return said


async def say_to_nobody(rig: Rig, text: str, sender: str = "bob", event: str = "") -> None:
    spoken = replace(rig.inbound(text, sender=sender, event=event), addressed=Addressed.NOT)
    assert (await rig.intake.accept(spoken)).outcome is Outcome.IGNORED


async def counted(rig: Rig, table: type) -> int:
    async with rig.core.database.read() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


def shown(engine: ScriptedEngine) -> str:
    """Return everything that the engine was shown last."""
    return "\n".join(message.content for message in engine.requests[-1].messages)


async def test_privacy_shows_how_it_is_without_the_engine(rig: Rig, engine: ScriptedEngine) -> None:
    said = await ask(rig, "/privacy")
    assert said.startswith("Privacy in this chat: `mentions`.")
    assert "30 days" in said
    assert not engine.requests


async def test_a_change_is_told_in_the_chat_and_kept(rig: Rig, engine: ScriptedEngine) -> None:
    assert "is now `recent 5 2`" in await ask(rig, "/privacy recent 5 2")
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    assert (chat.consent, chat.recent_messages, chat.recent_hours) == (Consent.RECENT, 5, 2)
    assert (await ask(rig, "/privacy")).startswith("Privacy in this chat: `recent 5 2`.")


async def test_privacy_is_no_part_of_what_the_chat_remembers(rig: Rig, engine: ScriptedEngine) -> None:
    await ask(rig, "/privacy quoted")
    await ask(rig, "what time is it?")
    assert "privacy" not in shown(engine).casefold()


async def test_a_chat_that_switched_it_off_is_left_alone_and_nothing_is_stored(
    rig: Rig, engine: ScriptedEngine
) -> None:
    assert "Switched off" in await chose(rig, "/privacy off")
    before = [await counted(rig, table) for table in (TurnRow, InboundRow)]
    for text in ("what time is it?", "/help", "/privacy", "/stop"):
        assert (await rig.say(text)).outcome is Outcome.IGNORED
    assert [await counted(rig, table) for table in (TurnRow, InboundRow)] == before
    assert not engine.requests


async def test_it_can_be_switched_on_again(rig: Rig, engine: ScriptedEngine) -> None:
    await chose(rig, "/privacy off")
    assert "is now `mentions`" in await chose(rig, "/privacy on")
    assert await ask(rig, "what time is it?") == "noon"


async def test_what_was_on_its_way_is_not_answered_by_the_model(rig: Rig) -> None:
    """A gateway learns of a change seconds later; the worker knows it at once."""
    engine = saying("noon")
    for number, text in enumerate(("/privacy off", "what time is it?")):
        await rig.say(text, sender=f"person-{number}")
    rig.start_worker(engine)
    assert (await rig.texts(2))[1] == SWITCHED_OFF
    assert not engine.requests


async def test_another_chat_is_not_concerned(rig: Rig, engine: ScriptedEngine) -> None:
    await chose(rig, "/privacy off")
    assert (await rig.say("what time is it?", conversation="other")).outcome is Outcome.ACCEPTED


async def test_a_locked_chat_is_changed_by_its_admins_only(rig: Rig, engine: ScriptedEngine) -> None:
    assert "Only admins" in await ask(rig, "/privacy lock", by_admin=False)
    assert "cannot be locked here" in await ask(rig, "/privacy lock")
    assert "locked by its admins" in await ask(rig, "/privacy lock", by_admin=True)
    assert "only they can change" in await ask(rig, "/privacy off", by_admin=False)
    assert "is now `quoted`, locked" in await ask(rig, "/privacy quoted", by_admin=True)
    assert "is now `quoted`." in await ask(rig, "/privacy unlock", by_admin=True)
    assert "Switched off" in await ask(rig, "/privacy off", by_admin=False)


BOBS = Quoted(ref="m0", author="Bob", text="the canary sings", by_assistant=False)


async def test_what_somebody_else_wrote_is_not_seen_by_replying_to_it(
    rig: Rig, engine: ScriptedEngine
) -> None:
    said = await ask(rig, "translate this", quoted=BOBS)
    assert said == f"*{quote_hidden(a_chat())}*\n\nnoon"
    assert "canary" not in shown(engine)
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    [kept] = await rig.journal.exchanges(chat, 99)
    assert "canary" not in kept.prompt


async def test_it_is_seen_where_the_chat_allows_that(rig: Rig, engine: ScriptedEngine) -> None:
    await chose(rig, "/privacy quoted")
    assert await ask(rig, "translate this", quoted=BOBS) == "noon"
    assert "the canary sings" in shown(engine)


async def test_nothing_said_to_nobody_is_seen_by_default(rig: Rig, engine: ScriptedEngine) -> None:
    await say_to_nobody(rig, "a canary")
    await ask(rig, "what was that?")
    assert "canary" not in shown(engine)


async def test_what_was_said_to_nobody_becomes_part_of_the_question(rig: Rig, engine: ScriptedEngine) -> None:
    await chose(rig, "/privacy recent")
    await say_to_nobody(rig, "Bread is out.")
    await say_to_nobody(rig, "I can go.", sender="cid")
    await ask(rig, "what do we need?")
    asked = engine.requests[-1].messages[-1].content
    assert asked.startswith(
        "‹recent from Bob› Bread is out.\n‹recent from Cid› I can go.\n‹end of recent messages›\n‹from Ann"
    )
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    assert await rig.core.shared.ambient.read(chat) == ()


async def test_it_stays_in_the_prompt_as_it_stood_and_is_never_shown_again(
    rig: Rig, engine: ScriptedEngine
) -> None:
    await chose(rig, "/privacy recent")
    await say_to_nobody(rig, "Bread is out.")
    await ask(rig, "what do we need?")
    await say_to_nobody(rig, "Milk too.")
    await ask(rig, "and now?")
    first, second = engine.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert shown(engine).count("Bread is out.") == 1
    assert "‹recent from Bob› Milk too." in second.messages[-1].content


async def test_what_was_used_is_not_used_again_though_it_could_not_be_forgotten(
    rig: Rig, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between the stored reply and the forgetting shows nobody's words twice: the record knows."""

    async def lost(chat: object, messages: object) -> None:
        raise ContextUnavailable("away")

    await chose(rig, "/privacy recent")
    await say_to_nobody(rig, "Bread is out.")
    monkeypatch.setattr(rig.core.shared.ambient, "discard", lost)
    await ask(rig, "what do we need?")
    await ask(rig, "and now?")
    assert shown(engine).count("Bread is out.") == 1


async def test_a_reset_forgets_what_was_said_to_nobody_too(rig: Rig, engine: ScriptedEngine) -> None:
    await chose(rig, "/privacy recent")
    await say_to_nobody(rig, "a canary")
    await ask(rig, "/reset")
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    assert await rig.core.shared.ambient.read(chat) == ()
    await ask(rig, "what was that?")
    assert "canary" not in shown(engine)


async def test_what_was_remembered_goes_with_the_wish_to_have_it_remembered(
    rig: Rig, engine: ScriptedEngine
) -> None:
    await chose(rig, "/privacy recent")
    await say_to_nobody(rig, "a canary")
    await chose(rig, "/privacy quoted")
    chat = await rig.journal.chat_by_conversation("loopback", "main", "room")
    assert await rig.core.shared.ambient.read(replace(chat, recent_messages=20)) == ()


async def test_an_edit_and_a_withdrawal_reach_what_is_remembered(rig: Rig, engine: ScriptedEngine) -> None:
    await chose(rig, "/privacy recent")
    for event in ("edited", "withdrawn"):
        await say_to_nobody(rig, f"{event} canary", event=event)
    edited = replace(rig.inbound("better words", sender="bob", event="edited"), addressed=Addressed.NOT)
    await rig.intake.edited(Edited(inbound=edited))
    where = {"adapter": "loopback", "account": "main", "conversation": "room"}
    await rig.intake.withdrawn(Withdrawn(**where, message="message-withdrawn"))
    await ask(rig, "what was that?")
    assert "‹recent from Bob› better words\n" in shown(engine)
    assert "canary" not in shown(engine)


async def test_a_lost_store_costs_nobody_anything_but_those_messages(
    rig: Rig, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The platform gets its answer, mentions are answered, and the log has one line."""

    async def lost(*args: object) -> None:
        raise ContextUnavailable("away")

    await chose(rig, "/privacy recent")
    for call in ("add", "read", "discard"):
        monkeypatch.setattr(rig.core.shared.ambient, call, lost)
    for _ in range(3):
        await say_to_nobody(rig, "good morning")
    assert await ask(rig, "what time is it?") == "noon"
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.chat.ambient_keeper"]
    # The gateway's and the worker's.
    assert lines == ["what is said to nobody is not remembered, its store is out: away"] * 2


@pytest.fixture
async def stranger(tmp_path: Path) -> AsyncIterator[Rig]:
    """A deployment that introduces itself, as all but the other tests' do."""
    async with open_rig(tmp_path, introduces=True) as opened:
        yield opened


INTRODUCTION = introduction("assistant", a_chat(), 30)


async def test_the_first_reply_says_what_this_is_what_it_sees_and_what_it_keeps(stranger: Rig) -> None:
    stranger.start_worker(saying("noon"))
    assert await ask(stranger, "what time is it?") == f"*{INTRODUCTION}*\n\nnoon"
    for word in ("AI", "only messages that address me", "30 days", "`/privacy`"):
        assert word in INTRODUCTION


async def test_it_says_so_once_and_never_in_a_prompt(stranger: Rig) -> None:
    engine = saying("noon")
    stranger.start_worker(engine)
    await ask(stranger, "what time is it?")
    assert await ask(stranger, "and now?") == "noon"
    assert "`/privacy`" not in shown(engine)
    chat = await stranger.journal.chat_by_conversation("loopback", "main", "room")
    assert chat.met_at is not None


async def test_every_chat_is_told_and_a_direct_one_in_its_own_words(stranger: Rig) -> None:
    stranger.start_worker(saying("noon"))
    await ask(stranger, "what time is it?")
    direct = Conversation(ref="direct", kind=ConversationKind.DIRECT)
    await stranger.intake.accept(replace(stranger.inbound("hi"), conversation=direct))
    [said] = await stranger.texts(1, "direct")
    told = introduction("assistant", a_chat(kind=ConversationKind.DIRECT), 30)
    assert said == f"*{told}*\n\nnoon"


async def test_a_command_is_introduced_like_any_first_reply(stranger: Rig) -> None:
    stranger.start_worker(saying("noon"))
    assert (await ask(stranger, "/help")).startswith(f"*{INTRODUCTION}*")
    assert await ask(stranger, "what time is it?") == "noon"


async def test_a_mode_that_was_chosen_first_is_what_is_told() -> None:
    chat = a_chat(consent=Consent.RECENT, recent_messages=5, recent_hours=2, met_at=datetime.now(UTC))
    assert "the last few before them" in introduction("assistant", chat, 0)
    assert "only until I have answered" in introduction("assistant", chat, 0)


async def test_a_direct_chat_that_switched_it_off_still_shows_what_is_kept(
    rig: Rig, engine: ScriptedEngine
) -> None:
    async def say(text: str, number: int) -> str:
        event = rig.inbound(text, conversation="direct")
        direct = Conversation(ref="direct", kind=ConversationKind.DIRECT)
        await rig.intake.accept(replace(event, conversation=direct))
        return (await rig.texts(number, "direct"))[-1]

    await say("what time is it?", 1)
    await say("/privacy off", 2)
    await rig.until(lambda: rig.intake._modes.of("loopback", "main", "direct").consent is Consent.OFF)
    assert "what time is it?" in await say("/export", 3)


async def test_a_new_group_begins_in_the_deployments_mode_and_is_told_so(tmp_path: Path) -> None:
    section = PrivacySection(mode="quoted")
    async with open_rig(tmp_path, privacy=section, introduces=True) as rig:
        engine = saying("noon")
        rig.start_worker(engine)
        said = await ask(rig, "what does that mean?", quoted=BOBS)
        assert "I see only messages that address me, and those they reply to." in said
        assert BOBS.text in shown(engine)
        assert (await ask(rig, "/privacy")).startswith("Privacy in this chat: `quoted`.")


def test_where_nothing_is_kept_people_are_told_what_the_room_still_shows() -> None:
    assert "another day" in keeps(0, shows=True)
    assert "another day" not in keeps(0)
    assert keeps(7, shows=True) == keeps(7)
