"""Editing and taking back a mention that has no answer yet."""

import asyncio

import pytest
from sqlalchemy import select

from adapters.base import Outcome, Withdrawn
from bot.chat.memory_vault import EphemeralVault
from bot.store.database import Database
from bot.turns.journal import Change, Journal
from bot.turns.journal.rows import inbounds, turns
from bot.turns.journal.sealed import open_said
from bot.turns.model import NoticeKind, Skill, Turn
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance, reply


def withdrawn(event: str, conversation: str = "room") -> Withdrawn:
    return Withdrawn(adapter="fake", account="main", conversation=conversation, message=f"message-of-{event}")


async def claimed(journal: Journal, token: int = 1) -> Turn | None:
    chat = await journal.chat_by_conversation("fake", "main", "room")
    return await journal.claim(chat.id, token, "epoch")


async def state(database: Database, turn_id: str):
    async with database.read() as connection:
        return (await connection.execute(select(turns).where(turns.c.id == turn_id))).one()


async def test_an_edit_changes_what_a_worker_will_read(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1")])
    changed = await journal.amend(acceptance("two", event="e1"))
    turn = await claimed(journal)
    assert (changed.change, changed.turn_id) == (Change.CHANGED, turn.id)
    assert [said.text for said in turn.said] == ["two"]


async def test_an_edit_delivered_again_changes_nothing_more(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1")])
    for _ in range(2):
        assert (await journal.amend(acceptance("two", event="e1"))).change is Change.CHANGED
    assert [said.text for said in (await claimed(journal)).said] == ["two"]


async def test_an_edit_of_one_message_of_a_burst_leaves_the_others(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1"), acceptance("two", event="e2")])
    await journal.amend(acceptance("three", event="e1"))
    assert [said.text for said in (await claimed(journal)).said] == ["three", "two"]


async def test_an_edit_can_turn_a_question_into_a_command(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1")])
    await journal.amend(acceptance("/help", event="e1", skill=Skill.HELP))
    assert (await claimed(journal)).skill is Skill.HELP


async def test_an_edit_does_not_make_a_command_of_a_burst(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1"), acceptance("two", event="e2")])
    edited = await journal.amend(acceptance("/reset", event="e2", skill=Skill.RESET))
    turn = await claimed(journal)
    assert edited.change is Change.LEFT
    assert (turn.skill, [said.text for said in turn.said]) == (Skill.ANSWER, ["one", "two"])


async def test_of_several_messages_one_that_addresses_nobody_any_more_is_reworded(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1"), acceptance("two", event="e2")])
    edited = await journal.amend(acceptance("three", event="e2", is_rest=True))
    assert edited.change is Change.CHANGED
    assert [said.text for said in (await claimed(journal)).said] == ["one", "three"]


@pytest.mark.parametrize(("held", "change"), [(False, Change.CANCELLED), (True, Change.CANCELLING)])
async def test_a_turns_sole_message_that_addresses_nobody_any_more_is_taken_back(
    journal: Journal, held: bool, change: Change
) -> None:
    await journal.accept([acceptance("one", event="e1")])
    if held:
        await claimed(journal)
    assert (await journal.amend(acceptance("two", event="e1", is_rest=True))).change is change


async def test_an_edit_comes_too_late_once_a_worker_has_the_turn(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1")])
    turn = await claimed(journal)
    assert (await journal.amend(acceptance("two", event="e1"))).change is Change.LEFT
    await journal.release(turn)
    assert [said.text for said in (await claimed(journal, 2)).said] == ["one"]


async def test_an_edit_changes_what_waits_for_another_try(journal: Journal, clock: ManualClock) -> None:
    await journal.accept([acceptance("one", event="e1")])
    await journal.fail(await claimed(journal), "EngineLost", clock.now())
    assert (await journal.amend(acceptance("two", event="e1"))).change is Change.CHANGED
    assert [said.text for said in (await claimed(journal, 2)).said] == ["two"]


@pytest.mark.parametrize("what", ["amend", "withdraw"])
async def test_what_was_never_a_mention_is_unknown(journal: Journal, what: str) -> None:
    await journal.accept([acceptance(event="e1")])
    stranger = acceptance(event="e2") if what == "amend" else withdrawn("e2")
    assert (await getattr(journal, what)(stranger)).change is Change.UNKNOWN


@pytest.mark.parametrize("what", ["amend", "withdraw"])
async def test_what_was_answered_stays(journal: Journal, database: Database, what: str) -> None:
    (receipt,) = await journal.accept([acceptance(event="e1")])
    stored = await journal.store_reply(await claimed(journal), reply())
    again = acceptance(event="e1") if what == "amend" else withdrawn("e1")
    assert (await getattr(journal, what)(again)).change is Change.UNKNOWN
    await journal.part_sent(stored, 0, "m")
    await journal.finish(stored)
    assert (await state(database, receipt.turn_id)).state == "sent"


async def test_a_message_of_the_same_name_elsewhere_is_another(journal: Journal) -> None:
    await journal.accept([acceptance(event="e1")])
    assert (await journal.withdraw(withdrawn("e1", "elsewhere"))).change is Change.UNKNOWN


async def test_a_withdrawn_mention_is_cancelled_without_a_word(journal: Journal, database: Database) -> None:
    (receipt,) = await journal.accept([acceptance(event="e1")])
    taken = await journal.withdraw(withdrawn("e1"))
    row = await state(database, receipt.turn_id)
    assert (taken.change, taken.turn_id) == (Change.CANCELLED, receipt.turn_id)
    assert (row.state, row.finished_at is not None) == ("cancelled", True)
    assert await claimed(journal) is None
    assert await journal.claim_notice(row.finished_at, 10) is None


@pytest.mark.parametrize("held", [False, True], ids=["waiting", "in a worker's hands"])
async def test_nothing_of_a_withdrawn_message_is_kept(
    database: Database, clock: ManualClock, held: bool
) -> None:
    vault = EphemeralVault()
    journal = Journal(database, vault, clock)
    await journal.accept([acceptance("a secret", event="e1")])
    chat = await journal.chat_by_conversation("fake", "main", "room")
    if held:
        await claimed(journal)
    await journal.withdraw(withdrawn("e1"))
    async with database.read() as connection:
        query = select(inbounds, inbounds.c.id.label("inbound_id"))
        row = (await connection.execute(query)).one()
    left = open_said(vault, chat, row)
    assert (left.text, left.sender_id, left.sender_name, left.quoted_text) == ("", "", "", "")


async def test_what_was_withdrawn_in_a_workers_hands_ends_also_if_that_worker_dies(journal: Journal) -> None:
    await journal.accept([acceptance("one", event="e1")])
    await claimed(journal)
    await journal.withdraw(withdrawn("e1"))
    turn = await claimed(journal, 2)
    assert turn.cancel_requested
    assert [(said.message, said.text) for said in turn.said] == [("message-of-e1", "")]
    await journal.cancel(turn, None)


async def test_a_withdrawn_event_delivered_again_makes_no_turn(journal: Journal) -> None:
    await journal.accept([acceptance(event="e1")])
    await journal.withdraw(withdrawn("e1"))
    (again,) = await journal.accept([acceptance(event="e1")])
    assert again.outcome is Outcome.DUPLICATE


async def test_of_a_burst_only_the_withdrawn_message_goes(journal: Journal) -> None:
    await journal.accept([acceptance(text, event=text) for text in ("one", "two", "three")])
    assert (await journal.withdraw(withdrawn("three"))).change is Change.CHANGED
    turn = await claimed(journal)
    assert [said.text for said in turn.said] == ["one", "two"]
    assert turn.said[-1].message == "message-of-two"


async def test_a_burst_withdrawn_message_by_message_is_cancelled(journal: Journal) -> None:
    await journal.accept([acceptance(text, event=text) for text in ("one", "two")])
    found = [(await journal.withdraw(withdrawn(each))).change for each in ("one", "two")]
    assert found == [Change.CHANGED, Change.CANCELLED]


async def test_a_turn_in_a_workers_hands_is_asked_to_stop(journal: Journal) -> None:
    await journal.accept([acceptance(event="e1")])
    turn = await claimed(journal)
    assert (await journal.withdraw(withdrawn("e1"))).change is Change.CANCELLING
    assert await journal.cancel_requested(turn.id)


async def test_a_burst_in_a_workers_hands_loses_the_message_at_the_next_attempt(journal: Journal) -> None:
    await journal.accept([acceptance(text, event=text) for text in ("one", "two")])
    turn = await claimed(journal)
    assert (await journal.withdraw(withdrawn("one"))).change is Change.CHANGED
    assert not await journal.cancel_requested(turn.id)
    await journal.release(turn)
    assert [said.text for said in (await claimed(journal, 2)).said] == ["two"]


async def test_a_sign_that_is_on_its_way_comes_too_late(journal: Journal, clock: ManualClock) -> None:
    (receipt,) = await journal.accept([acceptance(event="e1")])
    assert await journal.sign_claim(receipt.turn_id, clock.now().replace(year=2030))
    assert (await journal.withdraw(withdrawn("e1"))).change is Change.CANCELLED
    assert not await journal.sign_posted(receipt.turn_id, "sign")


async def test_a_sign_that_stands_is_told_that_nothing_follows(journal: Journal, clock: ManualClock) -> None:
    (receipt,) = await journal.accept([acceptance(event="e1")])
    await journal.sign_claim(receipt.turn_id, clock.now().replace(year=2030))
    await journal.sign_posted(receipt.turn_id, "sign")
    assert (await journal.withdraw(withdrawn("e1"))).change is Change.CANCELLED
    notice = await journal.claim_notice(clock.now(), 10)
    assert (notice.kind, notice.placeholder) == (NoticeKind.STOPPED, "sign")


async def test_a_turn_that_waits_for_another_try_is_cancelled_at_once(
    journal: Journal, clock: ManualClock
) -> None:
    await journal.accept([acceptance(event="e1")])
    await journal.fail(await claimed(journal), "EngineLost", clock.now().replace(year=2030))
    assert (await journal.withdraw(withdrawn("e1"))).change is Change.CANCELLED


async def test_a_second_withdrawal_changes_nothing(journal: Journal) -> None:
    await journal.accept([acceptance(event="e1")])
    await claimed(journal)
    found = [(await journal.withdraw(withdrawn("e1"))).change for _ in range(2)]
    assert found == [Change.CANCELLING, Change.LEFT]


async def test_an_edit_or_withdrawal_while_a_worker_claims_is_seen_or_comes_too_late(
    database_url: str, clock: ManualClock, database: Database
) -> None:
    """A claim and an edit at the same instant agree about which text is answered."""
    vault = EphemeralVault()
    async with Database(database_url) as other:
        gateway, worker = Journal(database, vault, clock), Journal(other, vault, clock)
        for n in range(20):
            room, event = f"room {n}", f"e{n}"
            await gateway.accept([acceptance("one", conversation=room, event=event)])
            chat = await worker.chat_by_conversation("fake", "main", room)
            turn, changed = await asyncio.gather(
                worker.claim(chat.id, 1, "epoch"),
                gateway.amend(acceptance("two", conversation=room, event=event)),
            )
            expected = "two" if changed.change is Change.CHANGED else "one"
            assert [said.text for said in turn.said] == [expected]
            await worker.release(turn)
            turn, changed = await asyncio.gather(
                worker.claim(chat.id, 2, "epoch"),
                gateway.amend(acceptance("three", conversation=room, event=event)),
            )
            expected = "three" if changed.change is Change.CHANGED else expected
            assert [said.text for said in turn.said] == [expected]
