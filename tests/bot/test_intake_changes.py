"""Bursts, edits, withdrawals, weights and the line, through intake on the real journal over SQLite."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select

from adapters.base import (
    Capabilities,
    Conversation,
    ConversationKind,
    Edited,
    Outcome,
    Withdrawn,
)
from bot.ingress.bursts import Bursts
from bot.store.tables import InboundRow, NoticeRow, TurnRow
from bot.telemetry.events import ShedReason, TurnAccepted, TurnFinished, TurnOutcome, TurnShed
from tests.fixtures.clocks import ManualClock
from tests.fixtures.workplace import said, workplace_in

LIMIT = 500
LONG = "@assistant " + "x" * (LIMIT - 20)


class Forecast:
    """A line as long as a test says."""

    def __init__(self, wait_s=None, longest_s=None, again_s=None):
        self.wait_s, self.longest_s, self.again_s = wait_s, longest_s, again_s

    def predicted_wait_s(self):
        return self.wait_s

    def longest_wait_s(self):
        return self.longest_s

    def ask_again_s(self):
        return self.again_s


@asynccontextmanager
async def opened(directory, clock=None, **parts):
    allowed = Capabilities(text_limit=4000, client_splits_at=LIMIT)
    bursts = Bursts({"terminal": lambda _: allowed}, (clock or ManualClock()).monotonic)
    async with workplace_in(directory, bursts=bursts, **parts) as place, place.intake:
        yield place


@pytest.fixture
async def place(tmp_path):
    async with opened(tmp_path) as workplace:
        yield workplace


async def read(place, token=1):
    """Claim the room's turn as a worker does and return what it is asked."""
    chat = await place.journal.chat_by_conversation("terminal", "main", "room")
    turn = await place.journal.claim(chat.id, token, "epoch")
    return None if turn is None else [each.text for each in turn.said]


def taken_back(key="1"):
    return Withdrawn(adapter="terminal", account="main", conversation="room", message=f"m{key}")


async def test_the_rest_of_a_cut_text_joins_though_it_addresses_nobody(place):
    first = await place.intake.accept(said(LONG, key="1"))
    rest = await place.intake.accept(said("and the end of it", key="2"))
    assert (rest.outcome, rest.turn_id) == (Outcome.JOINED, first.turn_id)


async def test_a_cut_text_is_kept_from_the_workers_for_a_moment(place):
    receipt = await place.intake.accept(said(LONG))
    turn = await place.turn(receipt.turn_id)
    assert 0.9 < (turn.not_before - turn.accepted_at).total_seconds() <= 1.0


async def test_a_whole_text_waits_for_nothing(place):
    receipt = await place.intake.accept(said())
    assert (await place.turn(receipt.turn_id)).not_before is None


async def test_a_command_waits_for_nothing(place):
    receipt = await place.intake.accept(said("/help", group_key="album"))
    assert (await place.turn(receipt.turn_id)).not_before is None


async def test_a_piece_that_joins_holds_the_turn_back_too(place):
    first = await place.intake.accept(said())
    await place.intake.accept(said(LONG, key="2"))
    assert (await place.turn(first.turn_id)).not_before is not None


async def test_pieces_hold_a_turn_back_for_two_moments_at_most(tmp_path):
    async with opened(tmp_path) as place:
        first = await place.intake.accept(said(LONG))
        for n in range(2, 8):
            await place.intake.accept(said(LONG, key=str(n)))
        turn = await place.turn(first.turn_id)
        assert (turn.not_before - turn.accepted_at).total_seconds() <= 2.0


async def test_without_the_first_piece_the_rest_is_ignored(tmp_path):
    clock = ManualClock()
    async with opened(tmp_path, clock) as place:
        await place.intake.accept(said(LONG, key="1"))
        clock.advance(1.0)
        assert (await place.intake.accept(said("hello bob", key="2"))).outcome is Outcome.IGNORED
        assert await place.count(InboundRow) == 1


async def test_what_somebody_else_says_meanwhile_is_ignored(place):
    await place.intake.accept(said(LONG, key="1"))
    assert (await place.intake.accept(said("hello", key="2", person="bob"))).outcome is Outcome.IGNORED


async def test_pictures_of_an_album_without_words_are_ignored(place):
    await place.intake.accept(said("@assistant look", key="1", group_key="album"))
    direct = Conversation(ref="room", kind=ConversationKind.DIRECT)
    for key, more in (("2", {}), ("3", {"conversation": direct})):
        receipt = await place.intake.accept(said("", key=key, group_key="album", **more))
        assert receipt.outcome is Outcome.IGNORED


async def test_an_edit_before_the_answer_is_what_is_answered(place):
    first = await place.intake.accept(said("@assistant one"))
    edited = await place.intake.edited(Edited(inbound=said("@assistant two")))
    assert (edited.outcome, edited.turn_id) == (Outcome.DONE, first.turn_id)
    assert await read(place) == ["two"]


async def test_an_edit_that_addresses_the_assistant_at_last_is_a_mention(place):
    await place.intake.accept(said("one"))
    receipt = await place.intake.edited(Edited(inbound=said("@assistant one")))
    assert receipt.outcome is Outcome.ACCEPTED
    assert len(place.told_of(TurnAccepted)) == 1


async def test_an_edit_of_an_answered_mention_is_no_new_one(place):
    receipt = await place.intake.accept(said("@assistant one"))
    await place.intake.withdrawn(taken_back())
    edited = await place.intake.edited(Edited(inbound=said("@assistant two")))
    assert (edited.outcome, edited.turn_id) == (Outcome.DUPLICATE, receipt.turn_id)


async def test_an_edit_comes_too_late_for_a_turn_in_a_workers_hands(place):
    await place.intake.accept(said("@assistant one"))
    await read(place)
    edited = await place.intake.edited(Edited(inbound=said("@assistant two")))
    assert edited.outcome is Outcome.IGNORED
    assert await place.count(TurnRow) == 1


async def test_an_edit_that_addresses_nobody_rewords_one_message_of_several(place):
    await place.intake.accept(said("@assistant one", key="1"))
    await place.intake.accept(said("@assistant two", key="2"))
    assert (await place.intake.edited(Edited(inbound=said("three", key="2")))).outcome is Outcome.DONE
    assert await read(place) == ["one", "three"]


async def test_an_edit_near_the_clients_limit_waits_for_no_rest(place):
    receipt = await place.intake.accept(said("@assistant one"))
    await place.intake.edited(Edited(inbound=said(LONG)))
    assert (await place.intake.accept(said("hello bob", key="2"))).outcome is Outcome.IGNORED
    assert (await place.turn(receipt.turn_id)).not_before is None


@pytest.mark.parametrize("text", ["one", "/stop"], ids=["no address", "a stop"])
async def test_an_edit_that_asks_nothing_any_more_cancels(place, text):
    receipt = await place.intake.accept(said("@assistant one"))
    edited = await place.intake.edited(Edited(inbound=said(text)))
    assert (edited.outcome, edited.cancelled) == (Outcome.DONE, True)
    assert (await place.turn(receipt.turn_id)).state == "cancelled"


async def test_an_edit_that_cannot_be_taken_leaves_what_stood(place):
    await place.intake.accept(said("@assistant one"))
    edited = await place.intake.edited(Edited(inbound=said("@assistant " + "x" * 2_000)))
    assert edited.outcome is Outcome.IGNORED
    assert await read(place) == ["one"]


async def test_an_edit_reaches_a_message_that_is_still_being_committed(place):
    place.journal.gate.clear()
    place.journal.arrived.clear()
    first = asyncio.create_task(place.intake.accept(said("@assistant one")))
    await place.journal.arrived.wait()
    edit = asyncio.create_task(place.intake.edited(Edited(inbound=said("@assistant two"))))
    await asyncio.sleep(0)
    place.journal.gate.set()
    await first
    assert (await edit).outcome is Outcome.DONE
    assert await read(place) == ["two"]


async def test_an_edit_of_small_talk_writes_nothing(place):
    await place.intake.accept(said("@assistant one"))
    edited = await place.intake.edited(Edited(inbound=said("good morning", key="2")))
    assert edited.outcome is Outcome.IGNORED
    assert await place.count(InboundRow) == 1


async def test_a_withdrawn_mention_is_cancelled_and_told(place):
    receipt = await place.intake.accept(said())
    assert (await place.intake.withdrawn(taken_back())).outcome is Outcome.DONE
    assert (await place.turn(receipt.turn_id)).state == "cancelled"
    assert await place.count(NoticeRow) == 0
    (finished,) = place.told_of(TurnFinished)
    assert (finished.turn_id, finished.outcome) == (receipt.turn_id, TurnOutcome.CANCELLED)


async def test_withdrawing_what_a_worker_has_tells_the_workers(place):
    receipt = await place.intake.accept(said())
    await read(place)
    withdrawn = await place.intake.withdrawn(taken_back())
    # Not yet: the worker may still say something.
    assert (withdrawn.outcome, withdrawn.cancelled) == (Outcome.DONE, False)
    assert place.bell.stopped == [receipt.turn_id]


async def test_withdrawing_small_talk_does_nothing(place):
    assert (await place.intake.withdrawn(taken_back("9"))).outcome is Outcome.IGNORED


@pytest.mark.parametrize(
    ("kind", "weight"), [(ConversationKind.DIRECT, 2.0), (ConversationKind.GROUP, 1.0)], ids=str
)
async def test_a_direct_chat_weighs_twice_a_group(place, kind, weight):
    conversation = Conversation(ref="room", kind=kind)
    receipt = await place.intake.accept(said(conversation=conversation))
    chat = await place.journal.chat_by_conversation("terminal", "main", "room")
    assert (chat.id, chat.weight) == (receipt.chat_id, weight)


@pytest.mark.parametrize(
    ("forecast", "outcome"),
    [
        pytest.param(Forecast(), Outcome.ACCEPTED, id="nothing known"),
        pytest.param(Forecast(wait_s=600.0), Outcome.ACCEPTED, id="within the deadline"),
        pytest.param(Forecast(wait_s=601.0), Outcome.REFUSED, id="beyond the deadline"),
        pytest.param(Forecast(wait_s=41.0, longest_s=40.0), Outcome.REFUSED, id="longer than is kept"),
        pytest.param(Forecast(wait_s=39.0, longest_s=40.0), Outcome.ACCEPTED, id="shorter than is kept"),
    ],
)
async def test_a_line_too_long_refuses(tmp_path, forecast, outcome):
    async with opened(tmp_path, load=forecast) as place:
        assert (await place.intake.accept(said())).outcome is outcome


async def test_a_refusal_by_the_line_says_when_to_ask_again(tmp_path):
    async with opened(tmp_path, load=Forecast(wait_s=601.0, again_s=500.0)) as place:
        await place.intake.accept(said())
        async with place.database.read() as connection:
            (text,) = (await connection.execute(select(NoticeRow.text))).scalars()
        assert text.endswith("Please ask again in about 10 minutes.")
        assert [shed.reason for shed in place.told_of(TurnShed)] == [ShedReason.TOO_LATE]
