"""Presses, comings and goings, moves and reports, through intake on the real journal over SQLite."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from adapters.base import (
    Action,
    Attachment,
    AttachmentKind,
    ConversationKind,
    ConversationMoved,
    Delivery,
    DeliveryFailure,
    DeliveryState,
    Membership,
    MembershipChanged,
    Outcome,
    Person,
    Pressed,
    Quoted,
)
from bot.errors import StoreUnavailable
from bot.ingress import pressed_texts as texts
from bot.ingress import presses
from bot.ingress.comings import Introduction
from bot.ingress.reports import Reports, cost_of
from bot.store.tables import IntroductionRow, NoticeRow, TurnRow
from bot.telemetry.events import MessageReported, ReplyRated, TurnFinished, TurnOutcome
from bot.telemetry.metrics import Metrics
from bot.turns.journal import DeliveryChange, DeliveryChanged
from bot.turns.journal.rows import chats
from bot.turns.model import Consent, NoticeKind, Reply
from tests.fixtures.workplace import said, workplace_in

INTRODUCTION = Introduction(
    words=lambda chat: f"I am an AI ({chat.consent.value}).", now=lambda: datetime(2026, 1, 1, tzinfo=UTC)
)


@pytest.fixture
async def place(tmp_path):
    async with workplace_in(tmp_path, introduction=INTRODUCTION) as workplace, workplace.intake:
        yield workplace


def press(action, message="reply", person="ann", key="p1"):
    return Pressed(
        adapter="terminal",
        account="main",
        event_key=key,
        conversation="room",
        message=message,
        sender=Person(id=person, name=person.title()),
        action=action,
    )


def change(what, *, key="c1", person=None, kind=ConversationKind.GROUP):
    return MembershipChanged(
        adapter="terminal",
        account="main",
        event_key=key,
        conversation="room",
        kind=kind,
        change=what,
        person=Person(id=person, name=person) if person else None,
    )


async def claimed(place, room="room", token=1):
    chat = await place.journal.chat_by_conversation("terminal", "main", room)
    return await place.journal.claim(chat.id, token, "epoch")


async def answered(place, text="@assistant why?", key="1", **facts):
    """Have a question answered, under the message `reply`."""
    await place.intake.accept(said(text, key=key, **facts))
    turn = await claimed(place)
    turn = await place.journal.store_reply(turn, Reply(text="because", parts=("because",), prompt="why?"))
    await place.journal.start_part(turn, 0)
    await place.journal.part_sent(turn, 0, "reply")
    await place.journal.finish(turn)
    return turn


async def test_retry_asks_the_same_once_more_in_a_turn_of_its_own(place):
    quoted = Quoted(ref="q", author="Bob", text="the sky is green", by_assistant=True)
    first = await answered(place, quoted=quoted)
    receipt = await place.intake.pressed(press(Action.RETRY))
    turn = await claimed(place, token=2)
    assert (receipt.outcome, receipt.told, turn.id) == (Outcome.ACCEPTED, texts.AGAIN, receipt.turn_id)
    again, before = turn.said[0], first.said[0]
    assert (again.text, again.message, again.sender_id) == (before.text, before.message, before.sender_id)
    assert (again.quoted_text, again.quoted_by_assistant) == ("the sky is green", True)


async def test_what_people_see_may_be_asked_again_before_it_is_recorded_as_sent(place):
    """Between a platform's answer to our send and the record of it, its buttons are there already."""
    await place.intake.accept(said("@assistant why?", key="1"))
    turn = await claimed(place)
    turn = await place.journal.store_reply(turn, Reply(text="because", parts=("because",), prompt="why?"))
    await place.journal.start_part(turn, 0)
    await place.journal.part_sent(turn, 0, "reply")
    receipt = await place.intake.pressed(press(Action.RETRY))
    assert (receipt.outcome, receipt.told) == (Outcome.ACCEPTED, texts.AGAIN)
    await place.journal.finish(turn)
    assert (await claimed(place, token=2)).id == receipt.turn_id


async def test_a_press_delivered_twice_is_one_turn(place):
    await answered(place)
    first = await place.intake.pressed(press(Action.RETRY))
    await claimed(place, token=2)
    second = await place.intake.pressed(press(Action.RETRY))
    assert (await place.count(TurnRow), second.told) == (2, texts.AGAIN_ALREADY)
    assert first.outcome is Outcome.ACCEPTED


async def test_retry_joins_no_other_question_of_the_same_person(place):
    await answered(place)
    await place.intake.accept(said("@assistant and what else?", key="2"))
    await place.intake.pressed(press(Action.RETRY))
    first, second = await claimed(place, token=2), await place.count(TurnRow)
    assert ([one.text for one in first.said], second) == (["and what else?"], 3)


async def test_everything_of_a_burst_is_asked_again(place):
    await place.intake.accept(said("@assistant one", key="0"))
    await answered(place, "@assistant two")
    await place.intake.pressed(press(Action.RETRY))
    [again] = (await claimed(place, token=2)).said
    assert again.text == "one\n\ntwo"


async def test_only_the_asker_has_a_question_tried_again(place):
    await answered(place)
    receipt = await place.intake.pressed(press(Action.RETRY, person="bob"))
    assert (receipt.told, await place.count(TurnRow)) == (texts.ASKER_ONLY, 1)


async def test_what_is_no_question_is_not_tried_again(place):
    await answered(place, "@assistant /help")
    assert (await place.intake.pressed(press(Action.RETRY))).told == texts.NOT_AGAIN


async def test_a_press_under_what_is_not_known_says_so(place):
    await answered(place)
    for action in Action:
        assert (await place.intake.pressed(press(action, "old"))).told == texts.UNKNOWN


async def test_anybody_stops_the_turn_whose_button_it_is(place):
    await place.intake.accept(said(key="1"))
    turn = await claimed(place)
    await place.journal.placeholder_posted(turn, "sign")
    receipt = await place.intake.pressed(press(Action.STOP, "sign", person="bob"))
    assert (receipt.told, place.bell.stopped) == (texts.STOPPING, [turn.id])
    assert await place.journal.cancel_requested(turn.id)


async def test_stopping_what_is_finished_says_so(place):
    await answered(place)
    assert (await place.intake.pressed(press(Action.STOP))).told == texts.FINISHED
    assert place.bell.stopped == []


async def test_ratings_are_counted_once_a_change_of_mind(place):
    turn = await answered(place)
    told = [
        (await place.intake.pressed(press(action, key=str(number)))).told
        for number, action in enumerate((Action.GOOD, Action.GOOD, Action.BAD))
    ]
    assert told == [texts.RATED, texts.RATED_ALREADY, texts.RATED]
    assert [(one.turn_id, one.rating) for one in place.told_of(ReplyRated)] == [
        (turn.id, "good"),
        (turn.id, "bad"),
    ]


async def test_there_is_nothing_to_rate_while_a_reply_grows(place):
    await place.intake.accept(said(key="1"))
    await place.journal.placeholder_posted(await claimed(place), "sign")
    assert (await place.intake.pressed(press(Action.GOOD, "sign"))).told == texts.NOT_RATED


async def test_a_moved_chat_is_put_and_answers_where_it_is_now(place):
    await place.intake.accept(said(key="1"))
    moved = ConversationMoved(adapter="terminal", account="main", old="room", new="hall")
    receipt = await place.intake.moved(moved)
    assert (await claimed(place, "hall")).chat.id == receipt.chat_id
    assert (await place.intake.moved(moved)).outcome is Outcome.IGNORED


async def test_what_waits_where_the_assistant_was_removed_is_over(place):
    await place.intake.accept(said(key="1"))
    turn = await claimed(place)
    await place.intake.membership(change(Membership.REMOVED))
    [finished] = place.told_of(TurnFinished)
    assert (finished.turn_id, finished.outcome) == (turn.id, TurnOutcome.CANCELLED)
    assert (place.bell.stopped, await place.count(NoticeRow)) == ([turn.id], 0)


async def test_a_group_that_adds_the_assistant_is_told_what_it_is_and_its_first_reply_does_not_say_it_again(
    place,
):
    receipts = [await place.intake.membership(change(Membership.ADDED)) for _ in range(2)]
    assert [receipt.outcome for receipt in receipts] == [Outcome.REFUSED, Outcome.DUPLICATE]
    chat = await place.journal.chat_by_conversation("terminal", "main", "room")
    assert chat.met_at is not None
    assert await place.count(NoticeRow, NoticeRow.text == "I am an AI (mentions).") == 1


@pytest.mark.parametrize(
    "event",
    [
        change(Membership.ADDED, kind=ConversationKind.DIRECT),
        change(Membership.LEFT, person="eve"),
        change(Membership.JOINED, person="eve"),
        change(Membership.REMOVED),
    ],
    ids=["unblocked", "left", "joined a chat without us", "removed where nothing was"],
)
async def test_other_changes_of_chats_that_never_asked_say_nothing(place, event):
    assert (await place.intake.membership(event)).outcome is Outcome.IGNORED
    assert (await place.count(TurnRow), await place.count(NoticeRow)) == (0, 0)


async def met_long_ago(place):
    await place.intake.accept(said(key="1"))
    chat = await place.journal.chat_by_conversation("terminal", "main", "room")
    async with place.database.write() as connection:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        await connection.execute(update(chats).where(chats.c.id == chat.id).values(met_at=long_ago))
    return chat


async def test_who_joins_is_told_and_the_next_within_the_hour_is_not(place):
    await met_long_ago(place)
    for key, person in (("j1", "eve"), ("j1", "eve"), ("j2", "fay")):
        await place.intake.membership(change(Membership.JOINED, key=key, person=person))
    assert await place.count(NoticeRow, NoticeRow.kind == NoticeKind.INTRODUCED.value) == 1
    assert await place.count(IntroductionRow) == 1


async def test_nobody_is_told_anything_where_the_assistant_is_switched_off(place):
    chat = await met_long_ago(place)
    async with place.database.write() as connection:
        off = update(chats).where(chats.c.id == chat.id).values(consent=Consent.OFF.value)
        await connection.execute(off)
    receipt = await place.intake.membership(change(Membership.JOINED, person="eve"))
    assert receipt.outcome is Outcome.IGNORED
    await answered(place, key="2")
    assert (await place.intake.pressed(press(Action.RETRY))).told == texts.OFF


def report(state=DeliveryState.DELIVERED, **facts):
    event = Delivery(adapter="terminal", account="main", message="reply", state=state)
    return replace(event, **facts)


async def test_a_delivery_is_counted_once_with_what_it_cost(place):
    await answered(place)
    for _ in range(2):
        await place.intake.delivered(report(price="-0.0075", currency="USD"))
    [told] = place.told_of(MessageReported)
    assert (told.state, told.cost, told.currency) == ("delivered", 0.0075, "USD")
    metrics = Metrics()
    metrics(told)
    text = metrics.exposition().decode()
    assert 'aside_message_cost_total{adapter="terminal",currency="USD"} 0.0075' in text


@pytest.mark.parametrize(
    ("price", "cost"), [("-0.1", 0.1), ("2", 2.0), ("", 0.0), ("free", 0.0), ("NaN", 0.0), ("Infinity", 0.0)]
)
def test_a_price_is_what_we_owe_and_nonsense_costs_nothing(price, cost):
    assert cost_of(price) == cost


class Slow:
    """A record that learns of a message only after some looks."""

    def __init__(self, *changes):
        self.changes = list(changes)
        self.asked = 0

    async def delivered(self, event):
        self.asked += 1
        return DeliveryChanged(change=self.changes.pop(0) if len(self.changes) > 1 else self.changes[0])


async def test_bad_news_that_is_quicker_than_our_own_record_waits_for_it(place):
    unknown, dead = DeliveryChange.UNKNOWN, DeliveryChange.DEAD
    record = Slow(unknown, unknown, dead)
    reports = Reports(record, None, (), again_s=0)
    failed = report(DeliveryState.FAILED, failure=DeliveryFailure.GONE)
    assert ((await reports.hear(failed)).outcome, record.asked) == (Outcome.DONE, 3)


async def test_good_news_of_what_is_unknown_is_left_at_once():
    record = Slow(DeliveryChange.UNKNOWN)
    assert (await Reports(record, None, (), again_s=0).hear(report())).outcome is Outcome.IGNORED
    assert record.asked == 1


async def test_what_cannot_be_written_down_while_its_turn_is_sent_is_not_acknowledged():
    with pytest.raises(StoreUnavailable):
        await Reports(Slow(DeliveryChange.BUSY), None, (), again_s=0).hear(report(DeliveryState.FAILED))


async def test_a_picture_alone_is_a_question_that_knows_of_it(place):
    picture = Attachment(kind=AttachmentKind.PICTURE, ref="secret-ref")
    await place.intake.accept(said("@assistant", attachments=(picture,)))
    turn = await claimed(place)
    assert (turn.skill.value, turn.said[0].text) == ("answer", "")
    assert turn.said[0].attached == (AttachmentKind.PICTURE,)


def first_miss(place):
    """Tell when the record was asked for a message that it does not know."""
    missed, ask = asyncio.Event(), place.journal.asked_under

    async def asked_under(event):
        asked = await ask(event)
        if asked is None:
            missed.set()
        return asked

    place.journal.asked_under = asked_under
    return missed


async def test_a_stop_pressed_before_the_message_is_in_the_record_stops_the_turn(place):
    await place.intake.accept(said(key="1"))
    turn = await claimed(place)
    missed = first_miss(place)
    pressing = asyncio.create_task(place.intake.pressed(press(Action.STOP, "sign")))
    await missed.wait()
    await place.journal.placeholder_posted(turn, "sign")
    assert ((await pressing).told, place.bell.stopped) == (texts.STOPPING, [turn.id])


async def test_a_rating_pressed_before_the_message_is_in_the_record_counts(place):
    await place.intake.accept(said(key="1"))
    turn = await claimed(place)
    turn = await place.journal.store_reply(turn, Reply(text="because", parts=("because",), prompt="why?"))
    await place.journal.start_part(turn, 0)
    missed = first_miss(place)
    pressing = asyncio.create_task(place.intake.pressed(press(Action.GOOD)))
    await missed.wait()
    await place.journal.part_sent(turn, 0, "reply")
    assert (await pressing).told == texts.RATED


async def test_nobody_waits_under_an_old_message_while_nothing_is_being_posted(place, monkeypatch):
    await place.intake.accept(said(key="1"))
    await place.journal.placeholder_posted(await claimed(place), "sign")
    monkeypatch.setattr(presses, "AGAIN_S", 3600.0)
    assert (await place.intake.pressed(press(Action.STOP, "old"))).told == texts.UNKNOWN


async def test_a_press_under_a_message_that_never_comes_into_the_record_is_answered(place, monkeypatch):
    await place.intake.accept(said(key="1"))
    monkeypatch.setattr(presses, "AGAIN_S", 0.0)
    assert (await place.intake.pressed(press(Action.STOP, "orphan"))).told == texts.UNKNOWN
