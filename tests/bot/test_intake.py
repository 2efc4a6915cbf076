"""Intake on the real journal over SQLite: what is acknowledged is committed; ignoring costs nothing."""

import asyncio

import pytest

from adapters.base import Outcome, Person, StopRequested
from bot.errors import StoreUnavailable
from bot.store.database import Database
from bot.store.tables import InboundRow, NoticeRow, TurnRow
from bot.telemetry.events import (
    InboundRepeated,
    OutageBegan,
    OutageEnded,
    ShedReason,
    TurnAccepted,
    TurnFinished,
    TurnOutcome,
    TurnShed,
)
from bot.turns.acceptance import Caps
from tests.fixtures.workplace import said, workplace_in


@pytest.fixture
async def place(tmp_path):
    async with workplace_in(tmp_path) as workplace, workplace.intake:
        yield workplace


async def held(place, *events):
    """Start accepting one message, hold its commit, and hand over others meanwhile."""
    place.journal.gate.clear()
    place.journal.arrived.clear()
    first = asyncio.create_task(place.intake.accept(said(key="first", room="first")))
    await place.journal.arrived.wait()
    tasks = [asyncio.create_task(place.intake.accept(event)) for event in events]
    await asyncio.sleep(0)
    return first, tasks


async def test_what_is_not_addressed_is_ignored_without_touching_the_database(place):
    receipt = await place.intake.accept(said("good morning everyone"))
    assert receipt.outcome is Outcome.IGNORED
    assert place.journal.batches == []


async def test_a_mention_is_committed_when_its_receipt_arrives(place):
    receipt = await place.intake.accept(said())
    assert receipt.outcome is Outcome.ACCEPTED
    turn = await place.turn(receipt.turn_id)
    assert (turn.state, turn.skill, turn.sends_from) == ("waiting", "answer", "owner")


async def test_an_accepted_chat_can_be_taken(place):
    receipt = await place.intake.accept(said())
    await place.scheduler.asked.wait()
    await place.scheduler.begin_epoch()
    take = await place.scheduler.take(1_000)
    assert take.chat_id == receipt.chat_id


async def test_a_second_delivery_changes_nothing_and_names_the_same_turn(place):
    first = await place.intake.accept(said())
    second = await place.intake.accept(said())
    assert (second.outcome, second.turn_id) == (Outcome.DUPLICATE, first.turn_id)
    assert await place.count(TurnRow) == 1
    assert place.told_of(InboundRepeated) == [InboundRepeated(adapter="terminal")]


async def test_five_deliveries_at_once_make_one_turn(place):
    receipts = await asyncio.gather(*(place.intake.accept(said()) for _ in range(5)))
    assert sorted(r.outcome for r in receipts) == [Outcome.ACCEPTED] + [Outcome.DUPLICATE] * 4
    assert await place.count(TurnRow) == 1


async def test_what_waits_during_a_commit_shares_the_next_one(place):
    first, others = await held(place, *(said(key=str(n), room=str(n)) for n in range(10)))
    place.journal.gate.set()
    receipts = await asyncio.gather(first, *others)
    assert place.journal.batches == [1, 10]
    assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
    assert await place.count(TurnRow) == 11


async def test_messages_of_a_chat_keep_the_order_in_which_they_came(place):
    first, others = await held(place, *(said(key=str(n), person=str(n)) for n in range(5)))
    place.journal.gate.set()
    receipts = await asyncio.gather(*others)
    await first
    ords = [(await place.turn(receipt.turn_id)).ord for receipt in receipts]
    assert ords == [1, 2, 3, 4, 5]


async def test_one_bad_message_does_not_refuse_the_others_of_its_batch(place):
    bad = ValueError("no column takes this")
    place.journal.refuses = lambda batch: bad if any(a.inbound.event_key == "bad" for a in batch) else None
    first, others = await held(
        place, said(key="a", room="a"), said(key="bad", room="b"), said(key="c", room="c")
    )
    place.journal.gate.set()
    await first
    results = await asyncio.gather(*others, return_exceptions=True)
    assert results[1] is bad
    assert [results[0].outcome, results[2].outcome] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert place.journal.batches == [1, 3, 1, 1, 1]


async def test_a_database_that_is_down_refuses_every_caller_and_stores_nothing(place):
    down = StoreUnavailable("the disk is full")
    place.journal.refuses = lambda batch: down
    first, others = await held(place, said(key="a"), said(key="b"))
    place.journal.gate.set()
    results = await asyncio.gather(first, *others, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert place.journal.batches == [1, 2]
    assert await place.count(InboundRow) == 0
    assert place.told == []


async def test_a_locked_database_is_not_acknowledged_and_the_next_delivery_is_accepted(place, tmp_path):
    async with Database(f"sqlite:///{tmp_path / 'aside.db'}") as other:
        async with other.write():
            with pytest.raises(StoreUnavailable):
                await place.intake.accept(said())
        receipt = await place.intake.accept(said())
    assert receipt.outcome is Outcome.ACCEPTED


async def test_without_redis_mentions_are_accepted_and_the_outage_is_told_once(place, caplog):
    place.scheduler.gone = True
    for n in range(3):
        place.scheduler.asked.clear()
        assert (await place.intake.accept(said(key=str(n), room=str(n)))).outcome is Outcome.ACCEPTED
        await place.scheduler.asked.wait()
    await asyncio.sleep(0)
    warnings = [record for record in caplog.records if "schedule cannot be reached" in record.message]
    assert len(warnings) == 1
    assert len(place.told_of(OutageBegan)) == 1


async def test_the_return_of_redis_is_told(place):
    place.scheduler.gone = True
    await place.intake.accept(said(key="1"))
    await place.scheduler.asked.wait()
    place.scheduler.gone = False
    place.scheduler.asked.clear()
    await place.intake.accept(said(key="2", person="bob"))
    await place.scheduler.asked.wait()
    await asyncio.sleep(0)
    assert len(place.told_of(OutageEnded)) == 1


async def test_a_caller_that_goes_away_does_not_take_its_message_along(place):
    first, (second,) = await held(place, said(key="second", room="second"))
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    place.journal.gate.set()
    await first
    duplicate = await place.intake.accept(said(key="second", room="second"))
    assert duplicate.outcome is Outcome.DUPLICATE


async def test_leaving_commits_and_puts_what_still_waits(tmp_path):
    async with workplace_in(tmp_path) as place:
        async with place.intake:
            first, others = await held(place, *(said(key=str(n), room=str(n)) for n in range(3)))
            place.journal.gate.set()
        receipts = await asyncio.gather(first, *others)
        assert {receipt.outcome for receipt in receipts} == {Outcome.ACCEPTED}
        assert (await place.scheduler.counts()).ready == 4


async def test_after_leaving_nothing_more_is_accepted(tmp_path):
    async with workplace_in(tmp_path) as place:
        async with place.intake:
            pass
        with pytest.raises(StoreUnavailable):
            await place.intake.accept(said())


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("@assistant \x00\x01", "unreadable", ShedReason.UNREADABLE),
        ("@assistant " + "x" * 1_000, "too_long", ShedReason.TOO_LONG),
    ],
    ids=["garbage", "too long"],
)
async def test_a_refusal_is_committed_with_its_notice_and_rings_the_owner(place, text, kind, reason):
    receipt = await place.intake.accept(said(text))
    assert receipt.outcome is Outcome.REFUSED
    assert (await place.turn(receipt.turn_id)).state == "refused"
    assert await place.count(NoticeRow, NoticeRow.kind == kind) == 1
    assert [shed.reason for shed in place.told_of(TurnShed)] == [reason]
    assert await place.bell.rung.get() == "terminal"


@pytest.mark.parametrize(
    ("caps", "reason"),
    [(Caps(per_chat=1), ShedReason.CHAT_FULL), (Caps(total=1), ShedReason.ALL_FULL)],
    ids=["the chat", "the deployment"],
)
async def test_what_is_full_is_told(tmp_path, caps, reason):
    async with workplace_in(tmp_path, caps) as place, place.intake:
        await place.intake.accept(said(person="ann"))
        await place.intake.accept(said(key="2", person="bob"))
        assert [shed.reason for shed in place.told_of(TurnShed)] == [reason]


async def test_stop_ends_what_waits_at_once_and_bothers_no_worker(place):
    receipt = await place.intake.accept(said())
    stopped = await place.intake.accept(said("/stop", key="2"))
    assert stopped.outcome is Outcome.DONE
    assert (await place.turn(receipt.turn_id)).state == "cancelled"
    assert place.bell.stopped == []
    assert [(end.turn_id, end.outcome) for end in place.told_of(TurnFinished)] == [
        (receipt.turn_id, TurnOutcome.CANCELLED)
    ]


async def test_stop_tells_the_worker_that_has_a_turn_in_hand(place):
    receipt = await place.intake.accept(said())
    await place.journal.claim(receipt.chat_id, 1, "epoch")
    await place.intake.accept(said("/stop", key="2"))
    assert (await place.turn(receipt.turn_id)).cancel_requested
    assert place.bell.stopped == [receipt.turn_id]


async def test_a_stop_event_does_the_same_as_the_command(place):
    receipt = await place.intake.accept(said())
    event = StopRequested(
        adapter="terminal", account="main", conversation="room", sender=Person(id="ann", name="Ann")
    )
    assert (await place.intake.stop(event)).outcome is Outcome.DONE
    assert (await place.turn(receipt.turn_id)).state == "cancelled"


async def test_a_stop_reaches_a_message_that_was_handed_over_before_it_and_is_still_being_committed(place):
    first, (asked,) = await held(place, said(key="asked"))
    stop = asyncio.create_task(place.intake.accept(said("/stop", key="stop")))
    place.journal.gate.set()
    await stop
    await first
    assert (await place.turn((await asked).turn_id)).state == "cancelled"


async def test_a_stop_where_nobody_ever_asked_does_nothing(place):
    assert (await place.intake.accept(said("/stop", room="quiet"))).outcome is Outcome.DONE
    assert place.bell.stopped == []


async def test_accepted_messages_are_told_to_the_hooks_with_ids_only(place):
    receipt = await place.intake.accept(said())
    assert place.told == [
        TurnAccepted(turn_id=receipt.turn_id, chat_id=receipt.chat_id, adapter="terminal", joined=False)
    ]


async def test_a_second_message_of_the_same_person_joins_the_waiting_turn(place):
    first = await place.intake.accept(said(key="1"))
    second = await place.intake.accept(said("@assistant and this", key="2"))
    assert (second.outcome, second.turn_id) == (Outcome.JOINED, first.turn_id)
    assert [accepted.joined for accepted in place.told_of(TurnAccepted)] == [False, True]


async def test_a_committer_that_is_cancelled_leaves_no_caller_waiting(tmp_path):
    async with workplace_in(tmp_path) as place:
        await place.intake.__aenter__()
        first, others = await held(place, said(key="2", room="2"))
        place.intake._commits._committer.cancel()
        results = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(result) for result in results] == [StoreUnavailable] * 2
        with pytest.raises(asyncio.CancelledError):
            await place.intake.__aexit__(None, None, None)
