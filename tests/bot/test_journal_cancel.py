"""A stop in the record: what waits has ended, what runs is asked, and as few words as possible are said about it."""

from collections.abc import Sequence
from datetime import timedelta

from adapters.base import SendsFrom
from bot.turns.journal import Cancelled, Journal, OwedNotice
from tests.fixtures.clocks import ManualClock
from tests.fixtures.turns import acceptance


async def accepted(
    journal: Journal, *senders: str, sends_from: SendsFrom = SendsFrom.ANY
) -> tuple[str, list[str]]:
    """Have these people say something in one room; return its chat and their turns."""
    batch = [acceptance(sender=sender, sends_from=sends_from) for sender in senders]
    receipts = await journal.accept(batch)
    return receipts[0].chat_id, [receipt.turn_id for receipt in receipts]


async def notices(journal: Journal, clock: ManualClock) -> list[OwedNotice]:
    found = []
    while notice := await journal.claim_notice(clock.now(), 60):
        found.append(notice)
    return found


def of(found: Sequence[OwedNotice]) -> list[str]:
    return [notice.turn_id for notice in found]


async def test_what_waits_has_ended_and_tells_how_long_it_waited(
    journal: Journal, clock: ManualClock
) -> None:
    chat_id, turns = await accepted(journal, "ann", "bob")
    clock.advance(7)
    assert await journal.request_cancel(chat_id) == Cancelled(
        asked=(), ended=tuple((turn, 7.0) for turn in sorted(turns))
    )
    assert await journal.claim(chat_id, 1, "epoch") is None
    assert (await journal.counts()).cancelled == 2


async def test_what_runs_is_asked_and_what_waits_behind_it_says_nothing_more(
    journal: Journal, clock: ManualClock
) -> None:
    chat_id, (running, waiting) = await accepted(journal, "ann", "bob")
    await journal.claim(chat_id, 1, "epoch")
    cancelled = await journal.request_cancel(chat_id)
    assert (cancelled.asked, [turn for turn, _ in cancelled.ended]) == ((running,), [waiting])
    assert running in await journal.cancels_requested([running, "unknown"])
    assert await notices(journal, clock) == []


async def test_of_turns_that_nobody_saw_anything_of_the_newest_says_it_for_all(
    journal: Journal, clock: ManualClock
) -> None:
    chat_id, turns = await accepted(journal, "ann", "bob", "eve")
    await journal.request_cancel(chat_id)
    assert of(await notices(journal, clock)) == [turns[-1]]


async def test_what_has_a_sign_says_it_there_and_nothing_else_does(
    journal: Journal, clock: ManualClock
) -> None:
    chat_id, turns = await accepted(journal, "ann", "bob", "eve")
    await journal.sign_claim(turns[1], clock.now() + timedelta(seconds=9))
    await journal.sign_posted(turns[1], "sign")
    await journal.request_cancel(chat_id)
    [notice] = await notices(journal, clock)
    assert (notice.turn_id, notice.placeholder) == (turns[1], "sign")


async def test_where_an_owner_shows_what_waits_every_turn_is_taken_away(
    journal: Journal, clock: ManualClock
) -> None:
    chat_id, turns = await accepted(journal, "ann", "bob", sends_from=SendsFrom.OWNER)
    await journal.request_cancel(chat_id)
    assert of(await journal.owed("fake", 10)) == turns


async def test_another_chat_is_left_alone(journal: Journal) -> None:
    chat_id, _ = await accepted(journal, "ann")
    [receipt] = await journal.accept([acceptance(conversation="elsewhere")])
    await journal.request_cancel(chat_id)
    assert (await journal.claim(receipt.chat_id, 1, "epoch")).id == receipt.turn_id


async def test_a_stalled_workers_release_changes_nothing_of_what_has_ended(journal: Journal) -> None:
    chat_id, _ = await accepted(journal, "ann")
    turn = await journal.claim(chat_id, 1, "epoch")
    await journal.release(turn)
    await journal.request_cancel(chat_id)
    assert await journal.claim(chat_id, 2, "epoch") is None
    assert (await journal.counts()).cancelled == 1
